"""The story of a character on real ComfyUIs, told over the API: from its first words to its last byte."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

from generating import pixels
from pictures import picture
from sqlalchemy import create_engine, func, select, true

from avatarforge.db.tables import metadata, tallies, terms
from lab.api import Api
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]
#: Outfit, expression and view of a picture.
Cell = tuple[str, str, str]

MIRA: dict[str, Any] = {
    "name": "Mira",
    "description": "a young woman, red hair, freckles",
    "clothing": "a grey dress",
    "seed": 77,
    # Without guidance each picture costs half.
    "defaults": {"width": 64, "height": 64, "steps": 1, "cfg": 1},
}
MATRIX = {
    "outfits": ["winter coat", "armour"],
    "expressions": ["happy", "angry", "smug"],
    "views": ["front", "left"],
}
#: Drawn again after the import: for each outfit the character's own expression, of both sides.
DRAWN_AGAIN = {**MATRIX, "expressions": ["smug"]}
#: A latent of 8 x 8 cells needs a large face.
REDRAWN: dict[str, Any] = {"expressions": ["smug"], "seed": 5, "denoise": 1.0, "margin": 1.0}
#: Answers have the name of an outfit as the character spells it.
REROLLED: Cell = ("Armour", "angry", "left")
ANOTHER_SEED = 78
#: The filters of the gallery that are there from the start: kinds, statuses and views, with their numbers.
CHOSEN_BY_USERS = ("model", "character", "tag")
COUNTED = {terms: (terms.c.number != 0) | terms.c.kind.in_(CHOSEN_BY_USERS)}


def test_the_story_of_a_character(comfy_factory: Factory) -> None:
    server = comfy_factory()
    api = Api(server.url)
    mira = sent(api, "POST", "/characters", **MIRA)
    sheet = generated(api, "/generate_all_poses", character_id=mira["character_id"])
    mira = with_reference_outfits_and_expression(api, mira, sheet)
    redraw(api, mira, sheet)

    server.restart()
    assert sent(api, "GET", path_of(mira)) == mira
    batch = half_cancelled_and_retried(api, mira)
    drawn = pictures_of(api, batch)
    assert len(set(drawn.values())) == 12
    rerolled = reroll(api, batch)
    assert pictures_of(api, batch) == {**drawn, REROLLED: pixels(api, rerolled)[0]}
    exported = api.get(f"{path_of(mira)}/export").content
    expected = pixels(api, rerolled)

    assert_nothing_is_lost(api)
    delete_in_use(api, mira, batch)
    assert_nothing_is_left(api, server)
    server.stop()

    server = comfy_factory()
    api = Api(server.url)
    imported(api, exported, mira)
    assert api.get(f"{path_of(mira)}/export").content == exported
    batch = ended(api, sent(api, "POST", f"{path_of(mira)}/matrix", **DRAWN_AGAIN))
    again = pictures_of(api, batch)
    assert (len(again), again.items() <= drawn.items()) == (4, True)
    request = {**rerolled["parameters"], "seed": ANOTHER_SEED}
    assert pixels(api, generated(api, "/generate_pose?pose=left", **request)) == expected

    assert_nothing_is_lost(api)
    delete_unused(api, mira, batch)
    assert_nothing_is_left(api, server)


def with_reference_outfits_and_expression(
    api: Api, mira: dict[str, Any], sheet: dict[str, Any]
) -> dict[str, Any]:
    """Version 2: the front of the sheet is its reference, and one of two outfits has a picture."""
    (front,) = [output for output in sheet["output_files"] if output["pose_type"] == "front"]
    reference = api.upload(api.root(front["url"]).content, "reference", "front.png")
    coat = api.upload(picture(1), "reference", "coat.png")
    changed = sent(
        api,
        "PATCH",
        path_of(mira),
        references=[{"file_id": reference["file_id"], "role": "identity", "view": "front"}],
        outfits=[
            {"name": "Winter coat", "words": "a long red coat, boots", "file_id": coat["file_id"]},
            {"name": "Armour", "words": "steel plate armour"},
        ],
        expressions=[{"name": "smug", "words": "a smug grin, one eyebrow raised"}],
    )
    assert changed["version"] == 2
    return changed


def redraw(api: Api, mira: dict[str, Any], sheet: dict[str, Any]) -> None:
    """The front of the sheet with another face."""
    body = {"generation_id": sheet["generation_id"], **REDRAWN}
    redrawn = generated(api, f"{path_of(mira)}/expressions", **body)
    assert [output["expression"] for output in redrawn["output_files"]] == REDRAWN["expressions"]
    assert pixels(api, redrawn) != pixels(api, sheet)[:1]


def half_cancelled_and_retried(api: Api, mira: dict[str, Any]) -> dict[str, Any]:
    """A matrix of which every second picture is cancelled while it waits, and then drawn after all."""
    other = api.started(api.generate(steps=150, width=256, height=256)["generation_id"])
    batch = sent(api, "POST", f"{path_of(mira)}/matrix", **MATRIX)
    assert [item["status"] for item in batch["generations"]] == ["queued"] * 12
    for item in batch["generations"][::2]:
        cancelled = sent(api, "POST", f"/generations/{item['generation_id']}/cancel")
        assert (cancelled["status"], cancelled["error_code"]) == ("failed", "cancelled")
    sent(api, "POST", f"/generations/{other['generation_id']}/cancel")
    batch = ended(api, batch)
    assert [item["status"] for item in batch["generations"]] == ["failed", "completed"] * 6
    assert (batch["status"], batch["completed"], batch["failed"]) == ("failed", 6, 6)
    batch = ended(api, sent(api, "POST", f"/batch/{batch['batch_id']}/retry"))
    assert (batch["status"], batch["completed"], batch["failed"]) == ("completed", 12, 0)
    (reference,) = mira["references"]
    for item in batch["generations"]:
        generation = sent(api, "GET", f"/generations/{item['generation_id']}")
        assert (generation["character_id"], generation["character_version"]) == (mira["character_id"], 2)
        (seen,) = [line for line in generation["inputs"] if line["role"] == "reference"]
        assert (seen["reference_role"], seen["file_id"]) == ("identity", reference["file_id"])
    return batch


def reroll(api: Api, batch: dict[str, Any]) -> dict[str, Any]:
    """One picture of the matrix with another seed."""
    (item,) = [item for item in batch["generations"] if cell(item) == REROLLED]
    return generated(api, f"/generations/{item['generation_id']}/reroll?pose=left&seed={ANOTHER_SEED}")


def imported(api: Api, exported: bytes, mira: dict[str, Any]) -> None:
    """The character is here as it was there: with its ids, and nothing is missing."""
    assert api.get("/characters").json()["total"] == 0
    headers = {"Content-Type": "application/zip"}
    answer = api.post("/characters/import", data=exported, headers=headers).json()
    assert (answer["outcome"], answer["files_added"], answer["missing"]) == ("created", 2, []), answer
    shown = ("character_id", "version", "references", "outfits", "expressions", "defaults")
    assert [answer[field] for field in shown] == [mira[field] for field in shown]


def delete_in_use(api: Api, mira: dict[str, Any], batch: dict[str, Any]) -> None:
    """Delete everything, and each thing while others still use it."""
    sent(api, "DELETE", path_of(mira))
    files = api.get("/files").json()["files"]
    assert len(files) == 2  # the picture whose face was redrawn is the reference
    for file in files:
        assert sent(api, "DELETE", f"/files/{file['file_id']}")["deleted"] == "soft"
    sent(api, "DELETE", f"/batch/{batch['batch_id']}")
    delete_generations(api)


def delete_unused(api: Api, mira: dict[str, Any], batch: dict[str, Any]) -> None:
    """Delete everything, the pictures first, and have the clean-up delete the files."""
    sent(api, "DELETE", f"/batch/{batch['batch_id']}")
    delete_generations(api)
    sent(api, "DELETE", path_of(mira))
    assert sent(api, "POST", "/cleanup/orphaned-files?days=0")["files_deleted"] == 2


def delete_generations(api: Api) -> None:
    for generation in api.get("/generations?limit=100").json()["generations"]:
        sent(api, "DELETE", f"/generations/{generation['generation_id']}")


def assert_nothing_is_lost(api: Api) -> None:
    """The clean-up leaves what a character or picture uses, and the store is whole."""
    assert sent(api, "POST", "/cleanup/orphaned-files?days=0")["files_deleted"] == 0
    report = sent(api, "POST", "/maintenance/verify")
    assert report["clean"], report["problems"]


def assert_nothing_is_left(api: Api, server: ComfyServer) -> None:
    """The lists, the database and the disk are as empty as those of a new installation."""
    assert_nothing_is_lost(api)
    lists = ("characters", "batch", "generations", "files")
    assert [api.get(f"/{name}").json()["total"] for name in lists] == [0] * 4
    data = server.base / "user" / "__avatarforge"
    engine = create_engine(f"sqlite:///{data / 'avatarforge.db'}")
    with closing(engine.connect()) as database:
        rows = {
            table.name: database.scalar(
                select(func.count()).select_from(table).where(COUNTED.get(table, true()))
            )
            for table in metadata.sorted_tables
            if table is not tallies  # has a row for each total: the check of the store compares these
        }
    engine.dispose()
    assert not any(rows.values()), rows
    folders = (data / "storage", server.base / "output")
    assert [path for folder in folders for path in folder.rglob("*") if path.is_file()] == []


def path_of(mira: dict[str, Any]) -> str:
    return f"/characters/{mira['character_id']}"


def cell(item: dict[str, Any]) -> Cell:
    return (item["outfit"], item["expression"], item["view"])


def pictures_of(api: Api, batch: dict[str, Any]) -> dict[Cell, str]:
    """The pixels of each picture of a matrix."""
    found = {}
    for item in batch["generations"]:
        (found[cell(item)],) = pixels(api, sent(api, "GET", f"/generations/{item['generation_id']}"))
    return found


def ended(api: Api, batch: dict[str, Any]) -> dict[str, Any]:
    """The batch, once it has ended."""
    path = f"/batch/{batch['batch_id']}?wait=30"
    while (batch := sent(api, "GET", path))["status"] not in ("completed", "failed"):
        pass  # each answer comes when the batch has ended or after half a minute; pytest bounds this
    return batch


def generated(api: Api, path: str, **body: Any) -> dict[str, Any]:
    """What was generated by a request, once it is completed."""
    generation = api.wait(sent(api, "POST", path, **body)["generation_id"])
    assert generation["status"] == "completed", generation["error"]
    return generation


def sent(api: Api, method: str, path: str, **body: Any) -> dict[str, Any]:
    answer = api.request(method, path, json=body or None)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
