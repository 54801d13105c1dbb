"""The gallery: search, filters, favourites and tags, deletion and export of several."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from services import Product, product
from sqlalchemy import update

from avatarforge.db.tables import outputs
from avatarforge.forge.generations.gallery import LONGEST_TAG, MOST_CHOSEN, MOST_TAGS
from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX
from avatarforge.routes.responses import GalleryFiltersAnswer, MarksAnswer
from avatarforge.routes.value_types import microseconds_of

from .conftest import Client, application, generate

NOWHERE = "00000000-0000-4000-8000-000000000000"
DAY = 86_400 * 1_000_000


async def asked(client: Client, route: str, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"{PREFIX}/gallery/{route}", json=body)
    found: dict[str, Any] = await answer.json()
    assert answer.status == status, found
    return found


async def listed(client: Client, **query: str) -> list[str]:
    """The prompts of all that match."""
    answer = await client.get(f"{PREFIX}/generations", params=query)
    page = await answer.json()
    assert answer.status == 200, page
    assert page["total"] == len(page["generations"])
    return [generation["parameters"]["prompt"] for generation in page["generations"]]


async def completed(client: Client, forge: Product, route: str = "/generate/avatar", **body: Any) -> str:
    made = await generate(client, route, **body)
    forge.host.succeed(made["comfyui_prompt_id"])
    await forge.until(made["generation_id"], "completed")
    generation_id: str = made["generation_id"]
    return generation_id


async def test_generations_are_searched_and_filtered_and_sorted(client: Client, forge: Product) -> None:
    first = await completed(client, forge, prompt="a red knight", clothing="a blue cape")
    await completed(client, forge, "/generate_pose?pose=back", prompt="a green knight")
    await generate(client, prompt="a red dragon")
    record = await forge.generations.get(first)
    for query, expected in (
        ({"q": "knight"}, ["a green knight", "a red knight"]),
        ({"q": "KNIGHT  red"}, ["a red knight"]),
        ({"q": "cape"}, ["a red knight"]),
        ({"q": "nig"}, ["a green knight", "a red knight"]),
        ({"q": "re"}, ["a red dragon", "a green knight", "a red knight"]),
        ({"q": "%"}, []),
        ({"q": "knight", "sort": "oldest"}, ["a red knight", "a green knight"]),
        ({"q": "red", "status": "completed"}, ["a red knight"]),
        ({"view": "back"}, ["a green knight"]),
        ({"kind": "pose"}, ["a green knight"]),
        ({"kind": "graph"}, []),
        ({"model": record.spec.checkpoint, "status": "queued"}, ["a red dragon"]),
        ({"model": "unknown.safetensors"}, []),
        ({"created_from": "2000-01-01T00:00:00Z", "q": "dragon"}, ["a red dragon"]),
        ({"created_before": "2000-01-01T00:00:00Z"}, []),
        ({"favourite": "true"}, []),
        ({"tag": "cover"}, []),
        ({"q": "   "}, ["a red dragon", "a green knight", "a red knight"]),
    ):
        assert await listed(client, **query) == expected, query


async def test_pages_go_on_after_a_cursor_in_both_orders_and_from_any_place(
    client: Client, forge: Product
) -> None:
    for number in range(5):
        await generate(client, prompt=f"knight {number}")
    for sort, expected in (("newest", [4, 3, 2, 1, 0]), ("oldest", [0, 1, 2, 3, 4])):
        first = await (await client.get(f"{PREFIX}/generations?q=knight&limit=2&sort={sort}")).json()
        cursor = first["next_cursor"]
        await generate(client, prompt="another knight")
        path = f"{PREFIX}/generations?q=knight&limit=1&sort={sort}&cursor={cursor}&offset=1"
        (shown,) = (await (await client.get(path)).json())["generations"]
        assert shown["parameters"]["prompt"] == f"knight {expected[3]}"


@pytest.mark.parametrize(
    "query",
    [
        {"q": "a" * 201},
        {"q": "a\x07"},
        {"view": "above"},
        {"kind": "video"},
        {"sort": "best"},
        {"tag": " "},
        {"tag": "a" * 51},
        {"created_from": "yesterday"},
        {"created_from": "2026-02-30T00:00:00Z"},
        {"created_from": "2026-01-01T00:00:00"},
        {"created_before": "2026-01-01T00:00:00+01:00"},
        {"created_before": "\u0662026-01-01T00:00:00Z"},
    ],
    ids=str,
)
async def test_a_filter_that_makes_no_sense_is_refused(client: Client, query: dict[str, str]) -> None:
    answer = await client.get(f"{PREFIX}/generations", params=query)
    assert (answer.status, (await answer.json())["code"]) == (422, "invalid_request")


def test_a_time_is_read_to_the_microsecond() -> None:
    assert microseconds_of("1970-01-02T00:00:00Z") == DAY
    assert microseconds_of("1970-01-01T00:00:01.5Z") == 1_500_000
    assert microseconds_of("1970-01-01T00:00:01.000001Z") == 1_000_001


async def test_favourites_and_tags_are_noted_and_found(client: Client, forge: Product) -> None:
    ids = [(await generate(client, prompt=f"knight {number}"))["generation_id"] for number in range(2)]
    first = await (await client.get(f"{PREFIX}/generations/{ids[0]}")).json()
    assert (first["favourite"], first["tags"]) == (False, [])
    body: dict[str, Any] = {
        "generation_ids": [*ids, NOWHERE, ids[0].upper()],
        "favourite": True,
        "add_tags": ["  The\u00a0COVER "],
    }
    answer = await asked(client, "marks", **body)
    MarksAnswer.model_validate(answer)
    assert answer["missing"] == [NOWHERE]
    assert answer["generations"] == [
        {"generation_id": item, "favourite": True, "tags": ["the cover"]} for item in ids
    ]
    first = await (await client.get(f"{PREFIX}/generations/{ids[0]}")).json()
    assert (first["favourite"], first["tags"]) == (True, ["the cover"])
    assert await listed(client, favourite="true") == ["knight 1", "knight 0"]
    assert await listed(client, tag="THE cover") == ["knight 1", "knight 0"]
    await asked(client, "marks", generation_ids=ids[:1], favourite=False, remove_tags=["The cover"])
    assert await listed(client, favourite="true", tag="the cover") == ["knight 1"]
    # What is left out stays.
    await asked(client, "marks", generation_ids=ids[1:])
    assert await listed(client, favourite="true", tag="the cover") == ["knight 1"]


async def test_the_filters_are_offered_with_their_numbers(client: Client, forge: Product) -> None:
    saved = await client.post(f"{PREFIX}/characters", json={"name": "Mira", "description": "a knight"})
    character_id = (await saved.json())["character_id"]
    made = await generate(client, "/generate_pose?pose=back", character_id=character_id)
    await generate(client, prompt="a knight")
    await asked(client, "marks", generation_ids=[made["generation_id"]], favourite=True, add_tags=["cover"])
    answer = await (await client.get(f"{PREFIX}/gallery/filters")).json()
    GalleryFiltersAnswer.model_validate(answer)
    assert answer["characters"] == [{"value": character_id, "name": "Mira", "number": 1}]
    assert answer["tags"] == [{"value": "cover", "name": "cover", "number": 1}]
    assert {(item["value"], item["number"]) for item in answer["views"]} == {("back", 1), ("front", 1)}
    assert {(item["value"], item["number"]) for item in answer["kinds"]} == {("pose", 1), ("avatar", 1)}
    assert [item["number"] for item in answer["models"]] == [2]
    assert answer["favourites"] == 1
    await client.delete(f"{PREFIX}/generations/{made['generation_id']}")
    answer = await (await client.get(f"{PREFIX}/gallery/filters")).json()
    assert (answer["characters"], answer["tags"], answer["favourites"]) == ([], [], 0)
    assert [item["value"] for item in answer["views"]] == ["front"]


async def test_too_many_tags_are_refused_and_change_nothing(client: Client, forge: Product) -> None:
    ids = [(await generate(client))["generation_id"] for _ in range(2)]
    await asked(client, "marks", generation_ids=ids[1:], add_tags=[f"tag {n}" for n in range(MOST_TAGS)])
    answer = await asked(client, "marks", 422, generation_ids=ids, add_tags=["one more"], favourite=True)
    assert answer["code"] == "too_many_tags"
    for generation_id in ids:
        assert not (await forge.generations.get(generation_id)).favourite
    # One that makes room is no more.
    await asked(client, "marks", generation_ids=ids, add_tags=["one more"], remove_tags=["tag 0"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"generation_ids": []},
        {"generation_ids": [NOWHERE] * (MOST_CHOSEN + 1)},
        {"generation_ids": NOWHERE},
        {"generation_ids": [NOWHERE], "favourite": 1},
        {"generation_ids": [NOWHERE], "add_tags": ["a" * (LONGEST_TAG + 1)]},
        {"generation_ids": [NOWHERE], "add_tags": ["\ufdfa" * LONGEST_TAG]},
        {"generation_ids": [NOWHERE], "add_tags": ["\u2003"]},
        {"generation_ids": [NOWHERE], "add_tags": ["a\nb"]},
        {"generation_ids": [NOWHERE], "add_tags": ["a"] * (MOST_TAGS + 1)},
        {"generation_ids": [NOWHERE], "unknown": 1},
    ],
    ids=lambda body: str(body)[:60],
)
async def test_marks_that_make_no_sense_are_refused(client: Client, body: dict[str, Any]) -> None:
    answer = await client.post(f"{PREFIX}/gallery/marks", json=body)
    assert (answer.status, (await answer.json())["code"]) == (422, "invalid_request")


async def test_several_are_deleted_whatever_they_do(client: Client, forge: Product) -> None:
    done = await completed(client, forge, prompt="done")
    queued = (await generate(client, prompt="queued"))["generation_id"]
    kept = (await generate(client, prompt="kept"))["generation_id"]
    folder = forge.outputs.folder_of(done)
    assert folder.is_dir()
    answer = await asked(client, "delete", generation_ids=[done, queued, NOWHERE, done])
    assert (answer["deleted"], answer["missing"]) == (2, [NOWHERE])
    assert await listed(client) == ["kept"]
    assert await listed(client, q="e") == ["kept"]
    assert not folder.exists()
    assert (await client.get(f"{PREFIX}/generations/{kept}")).status == 200
    other = await completed(client, forge, prompt="other")
    await asked(client, "delete", generation_ids=[other], keep_outputs=True)
    assert forge.outputs.folder_of(other).is_dir()


async def archive_of(client: Client, ids: list[str]) -> zipfile.ZipFile:
    answer = await client.post(f"{PREFIX}/gallery/export", json={"generation_ids": ids})
    assert (answer.status, answer.content_type) == (200, "application/zip")
    assert "attachment" in answer.headers["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    assert archive.testzip() is None
    return archive


async def test_pictures_are_exported_as_they_are(client: Client, forge: Product) -> None:
    ids = [await completed(client, forge, "/generate_all_poses"), await completed(client, forge)]
    archive = await archive_of(client, [*ids, NOWHERE])
    wanted = {}
    for generation_id in ids:
        for output in (await forge.generations.get(generation_id)).outputs:
            path = forge.outputs.folder_of(generation_id) / output.filename
            wanted[f"{generation_id}/{output.filename}"] = path.read_bytes()
    assert {name: archive.read(name) for name in archive.namelist()} == wanted
    assert len(wanted) == 5


async def test_a_picture_that_is_gone_is_named_instead(client: Client, forge: Product) -> None:
    there, gone = await completed(client, forge), await completed(client, forge)
    (lost,) = (await forge.generations.get(gone)).outputs
    (forge.outputs.folder_of(gone) / lost.filename).unlink()
    archive = await archive_of(client, [there, gone])
    assert archive.read("missing.txt").decode() == f"{gone}/{lost.filename}"
    assert len(archive.namelist()) == 2


async def test_what_has_no_picture_or_too_many_bytes_is_not_exported(
    client: Client, forge: Product, tmp_path: Path, aiohttp_client: Any
) -> None:
    queued = (await generate(client))["generation_id"]
    assert (await asked(client, "export", 404, generation_ids=[queued]))["code"] == "output_not_found"
    async with product(tmp_path / "small", settings=Settings(max_export_size=1024 * 1024)) as small:
        other = await aiohttp_client(application(small.services))
        done = await completed(other, small)
        await small.database.write(lambda connection: connection.execute(_claim(done, 1024 * 1024)))
        answer = await asked(other, "export", 413, generation_ids=[done])
        assert answer["code"] == "export_too_large"


def _claim(generation_id: str, size: int) -> Any:
    return update(outputs).where(outputs.c.generation_id == generation_id).values(size=size)
