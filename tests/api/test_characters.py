"""Characters over HTTP: create, get, list, change, delete, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pictures import picture
from services import Product, product

from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX

from .characters import MIRA, change, save
from .conftest import Client, application, generate, upload
from .templates import refused, send

UNKNOWN = "00000000-0000-4000-8000-000000000000"
POSE_JSON = {
    "canvas_width": 64,
    "canvas_height": 64,
    "people": [{"pose_keypoints_2d": [8, 8, 1, *([32, 40, 1] * 17)]}],
}


async def test_a_character_is_saved_and_shown_as_it_was_sent(client: Client) -> None:
    face, coat = (await upload(client, picture(1)))["file_id"], (await upload(client, picture(2)))["file_id"]
    sent: dict[str, Any] = {
        **MIRA,
        "negative": "glasses",
        "clothing": "a green dress",
        "style": "watercolor",
        "realism": False,
        "references": [
            {"file_id": face, "role": "face", "strength": 0.5, "view": None},
            {"file_id": face.upper(), "role": "identity", "strength": 1.0, "view": "front"},
        ],
        "model": "anything.safetensors",
        "loras": [{"name": "mira.safetensors", "strength": 0.7, "clip_strength": None}],
        "seed": 2**64 - 1,
        "defaults": {"width": 512, "height": 768, "steps": 12, "cfg": 5.5, "views": ["front", "back"]},
        "outfits": [
            {"name": "Winter coat", "words": "a long red coat", "file_id": coat},
            {"name": "../swim\\suit", "words": "a swimsuit", "file_id": None},
        ],
        "expressions": [{"name": "smug", "words": "a smug grin"}],
    }
    saved = await save(client, **sent)
    sent["references"][1]["file_id"] = face
    assert {name: saved[name] for name in sent} == sent
    assert (saved["version"], saved["newest_version"], saved["template"]) == (1, 1, None)
    assert saved["thumbnail"] == f"{PREFIX}/files/{face}/thumbnail"
    assert (await client.get(saved["thumbnail"])).status == 200
    path = f"/characters/{saved['character_id']}"
    assert await send(client, "GET", path) == (200, saved)
    # What is shown can be sent again, but for what the server decides.
    again = {name: saved[name] for name in sent}
    assert (await send(client, "PATCH", path, json=again))[1]["version"] == 2


async def test_a_change_makes_a_version_and_old_ones_stay(client: Client) -> None:
    first = await save(client, clothing="a dress", family="sd15", outfits=[{"name": "a", "words": "a hat"}])
    second = await change(client, first, clothing=None, model="x.safetensors", name="MIRA")
    assert (second["version"], second["clothing"], second["name"]) == (2, None, "MIRA")
    assert (second["model"], second["family"], second["description"]) == (
        "x.safetensors",
        None,
        first["description"],
    )
    assert second["outfits"] == first["outfits"]
    assert second["created_at"] == first["created_at"]
    path = f"/characters/{first['character_id']}"
    _, old = await send(client, "GET", f"{path}?version=1")
    assert old == {**first, "newest_version": 2, "name": "Mira"}
    _, listed = await send(client, "GET", f"{path}/versions?limit=1")
    assert [(item["version"], item["name"]) for item in listed["versions"]] == [(2, "MIRA")]
    assert (listed["total"], listed["next_cursor"]) == (2, "2")
    _, rest = await send(client, "GET", f"{path}/versions?limit=1&cursor=2")
    assert [item["version"] for item in rest["versions"]] == [1]
    assert rest["next_cursor"] is None
    found = await refused(client, "GET", f"{path}?version=3")
    assert found[:2] == (404, "character_version_not_found")
    for cursor in ("x", "1" * 10):
        assert (await refused(client, "GET", f"{path}/versions?cursor={cursor}"))[0] == 422


async def test_if_match_guards_a_change(client: Client) -> None:
    path = f"/characters/{(await save(client))['character_id']}"
    for match, wanted in (("1", 200), ('"2"', 200), ("*", 200), ("2", 412), ("x", 422)):
        answer = await client.patch(PREFIX + path, json={"seed": 5}, headers={"If-Match": match})
        assert answer.status == wanted
    found = await refused(client, "PATCH", path, json={"seed": 5}, headers={"If-Match": "9"})
    assert found[:2] == (412, "precondition_failed")


async def test_only_so_many_versions_are_kept_besides_those_in_use(
    tmp_path: Any, aiohttp_client: Any
) -> None:
    async with product(tmp_path, settings=Settings(max_character_versions=2, max_characters=1)) as forge:
        client = await aiohttp_client(application(forge.services))
        first = await save(client)
        used = await generate(client, character_id=first["character_id"])
        for seed in range(4):
            await change(client, first, seed=seed)
        _, listed = await send(client, "GET", f"/characters/{first['character_id']}/versions")
        assert [item["version"] for item in listed["versions"]] == [5, 4, 1]
        assert used["character_version"] == 1
        found = await refused(client, "POST", "/characters", json={**MIRA, "name": "Another"})
        assert found[:2] == (409, "too_many_characters")


async def test_the_list_is_paged_and_searched(client: Client) -> None:
    for number in range(5):
        await save(client, name=f"Knight {number}", description=f"armour of {number * 100}%")
    names, cursor = [], ""
    while True:
        _, page = await send(client, "GET", f"/characters?limit=2{cursor}")
        assert page["total"] == 5
        names += [item["name"] for item in page["characters"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert names == [f"Knight {number}" for number in (4, 3, 2, 1, 0)]
    for text, wanted in (
        ("KNIGHT%203", 1),
        ("ARMOUR", 5),
        ("300%25", 1),
        ("%25", 5),
        ("_", 0),
        ("nothing", 0),
    ):
        _, page = await send(client, "GET", f"/characters?q={text}")
        assert (page["total"], len(page["characters"])) == (wanted, wanted), text
    _, page = await send(client, "GET", "/characters?q=armour&limit=2")
    assert (page["total"], len(page["characters"])) == (5, 2)
    assert (await refused(client, "GET", "/characters?cursor=nonsense"))[:2] == (422, "invalid_cursor")


@pytest.mark.parametrize("name", ["mira", "  MIRA ", "\uff2d\uff49\uff52\uff41"])
async def test_a_name_is_taken_whatever_its_capitals_until_it_is_deleted(client: Client, name: str) -> None:
    first, other = await save(client), await save(client, name="Other")
    path = f"/characters/{other['character_id']}"
    for method, where in (("POST", "/characters"), ("PATCH", path)):
        body = {"name": name, **({"description": "x"} if method == "POST" else {})}
        assert (await refused(client, method, where, json=body))[:2] == (409, "character_exists")
    assert (await change(client, first, name=name))["name"] == name.strip()
    status, answer = await send(client, "DELETE", f"/characters/{first['character_id']}")
    assert (status, answer["deleted"]) == (200, True)
    assert (await save(client, name=name))["version"] == 1


async def test_what_does_not_exist_is_404(client: Client) -> None:
    gone = (await save(client))["character_id"]
    await send(client, "DELETE", f"/characters/{gone}")
    for character_id in (UNKNOWN, gone, "mira", "..%2f..%2fsecret"):
        for method, path, options in (
            ("GET", "", {}),
            ("GET", "/versions", {}),
            ("PATCH", "", {"json": {"seed": 1}}),
            ("DELETE", "", {}),
        ):
            found = await refused(client, method, f"/characters/{character_id}{path}", **options)
            assert found[:2] == (404, "character_not_found"), (character_id, method)
    for generation_id in (UNKNOWN, gone):
        found = await refused(client, "POST", f"/generations/{generation_id}/character", json={"name": "x"})
        assert found[:2] == (404, "generation_not_found")


_TWICE = [{"name": "Coat", "words": "x"}, {"name": " COAT", "words": "y"}]
HOSTILE: dict[str, dict[str, Any]] = {
    "no name": {"name": None},
    "an empty name": {"name": "  "},
    "a long name": {"name": "x" * 101},
    "a name with a line": {"name": "a\nb"},
    "half a character": {"name": "\ud800"},
    "no description": {"description": " "},
    "a null description": {"description": None},
    "a long description": {"description": "x" * 10_001},
    "a control character": {"description": "a\x00b"},
    "an unknown field": {"pose_file_id": UNKNOWN},
    "a text as realism": {"realism": "yes"},
    "two models": {"model": "a", "family": "sd15"},
    "model and template": {"model": "a", "template": "b"},
    "a seed out of range": {"seed": 2**64},
    "a width out of range": {"defaults": {"width": 63}},
    "a setting that is none": {"defaults": {"prompt": "x"}},
    "a file as a setting": {"defaults": {"pose_file_id": UNKNOWN}},
    "a scheduler that is a list": {"defaults": {"scheduler": []}},
    "settings that are a list": {"defaults": [1]},
    "too many references": {"references": [{"file_id": UNKNOWN}] * 17},
    "an unknown role": {"references": [{"file_id": UNKNOWN, "role": "hat"}]},
    "a strength of nothing": {"references": [{"file_id": UNKNOWN, "strength": 1.1}]},
    "an outfit twice": {"outfits": _TWICE},
    "an expression twice": {"expressions": _TWICE},
    "a built-in expression": {"expressions": [{"name": " Happy", "words": "x"}]},
    "an outfit without words": {"outfits": [{"name": "a", "words": " "}]},
    "an outfit without a name": {"outfits": [{"name": " ", "words": "x"}]},
    "an outfit of many words": {"outfits": [{"name": "a", "words": "x" * 1001}]},
    "65 outfits": {"outfits": [{"name": str(number), "words": "x"} for number in range(65)]},
    "10,000 outfits": {"outfits": [{"name": str(number), "words": "x"} for number in range(10_000)]},
    "too many LoRAs": {"loras": [{"name": "a"}] * 17},
}


async def test_what_no_character_has_is_refused(client: Client) -> None:
    path = f"/characters/{(await save(client, name='Before'))['character_id']}"
    for name, wrong in HOSTILE.items():
        bodies: list[tuple[str, str, dict[str, Any]]] = [
            ("POST", "/characters", {**MIRA, **wrong}),
            ("PATCH", path, wrong),
        ]
        for method, where, body in bodies:
            status, answer = await send(client, method, where, json=body)
            assert status == 422, (name, answer)
            assert answer["code"] in ("invalid_request", "invalid_json", "conflicting_fields")
    assert (await send(client, "GET", "/characters"))[1]["total"] == 1
    assert (await send(client, "GET", path))[1]["version"] == 1


async def test_the_place_of_what_is_wrong_is_named(client: Client) -> None:
    pose = await client.post(f"{PREFIX}/upload/pose_image", json=POSE_JSON)
    pose_id = (await pose.json())["file_id"]
    good = (await upload(client))["file_id"]
    cases: list[tuple[dict[str, Any], list[Any], str]] = [
        ({"outfits": _TWICE}, ["outfits", 1, "name"], "invalid_request"),
        ({"expressions": [{"name": "sad", "words": "x"}]}, ["expressions", 0, "name"], "invalid_request"),
        ({"references": [{"file_id": good}] * 2}, ["references", 1, "file_id"], "invalid_request"),
        ({"model": "a", "template": "b"}, ["template"], "conflicting_fields"),
        (
            {"references": [{"file_id": good}, {"file_id": pose_id}]},
            ["references", 1, "file_id"],
            "picture_required",
        ),
        (
            {"outfits": [{"name": "a", "words": "b", "file_id": pose_id}]},
            ["outfits", 0, "file_id"],
            "picture_required",
        ),
    ]
    for body, location, code in cases:
        _, answer = await send(client, "POST", "/characters", json={**MIRA, **body})
        assert (answer["detail"][0]["loc"], answer["code"]) == (["body", *location], code)


async def test_files_must_exist_and_are_used_by_the_character(client: Client, forge: Product) -> None:
    deleted = (await upload(client, picture(3)))["file_id"]
    await send(client, "DELETE", f"/files/{deleted}")
    for body in (
        {"references": [{"file_id": UNKNOWN}]},
        {"references": [{"file_id": deleted}]},
        {"outfits": [{"name": "a", "words": "b", "file_id": UNKNOWN}]},
    ):
        found = await refused(client, "POST", "/characters", json={**MIRA, **body})
        assert found[:2] == (404, "file_not_found")
    kept = (await upload(client, picture(4)))["file_id"]
    saved = await save(client, references=[{"file_id": kept}, {"file_id": kept, "role": "face"}])
    files = (await send(client, "GET", "/files"))[1]["files"]
    assert {file["file_id"]: file["references"] for file in files}[kept] == 1
    assert await forge.files.clean_up(0) == 0
    # Hidden while the character names it, and gone with the last version that does.
    assert (await send(client, "DELETE", f"/files/{kept}"))[1]["deleted"] == "soft"
    assert (await send(client, "GET", f"/characters/{saved['character_id']}"))[1]["thumbnail"] is None
    status, made = await send(
        client, "POST", "/generate/avatar", json={"character_id": saved["character_id"], "prompt": "x"}
    )
    assert status == 200, made
    await send(client, "DELETE", f"/characters/{saved['character_id']}")
    assert (await forge.verifier.run(repair=False)).clean
    assert (await send(client, "GET", "/health"))[1]["storage"]["files"] == 1
    await send(client, "DELETE", f"/generations/{made['generation_id']}")
    assert (await forge.verifier.run(repair=False)).clean
    assert (await send(client, "GET", "/health"))[1]["storage"]["files"] == 0


async def test_bodies_have_limits(client: Client) -> None:
    deep: Any = 1
    for _ in range(20):
        deep = [deep]
    found = await refused(client, "POST", "/characters", json={**MIRA, "defaults": deep})
    assert found[:2] == (422, "invalid_json")
    large = {**MIRA, "outfits": "x" * (2 * 1024 * 1024 + 1)}
    assert (await refused(client, "POST", "/characters", json=large))[:2] == (413, "body_too_large")
    # The longest character that there can be.
    words = "\U0001f9e5" * 1000
    saved = await save(
        client,
        description="\U0001f9e5" * 10_000,
        negative="\U0001f9e5" * 10_000,
        outfits=[
            {"name": f"{number:100}".replace(" ", "\U0001f9e5"), "words": words} for number in range(64)
        ],
        expressions=[{"name": f"{number:100}", "words": words} for number in range(64)],
    )
    assert len(saved["outfits"]) == 64


async def test_a_character_of_a_generation(client: Client, forge: Product) -> None:
    made = await generate(
        client,
        "/generate_all_poses",
        prompt="a knight",
        clothing="armour",
        style="ink",
        negative_prompt="hat",
        expression="happy",
        seed=7,
        width=64,
        height=96,
        views=["front", "back"],
    )
    path = f"/generations/{made['generation_id']}/character"
    found = await refused(client, "POST", path, json={"name": "Sir"})
    assert found[:2] == (409, "generation_not_completed")
    forge.host.succeed(made["comfyui_prompt_id"])
    await forge.until(made["generation_id"], "completed")
    status, saved = await send(client, "POST", path, json={"name": "Sir", "style": None})
    assert status == 200, saved
    assert {
        name: saved[name] for name in ("name", "description", "clothing", "style", "negative", "seed")
    } == {
        "name": "Sir",
        "description": "a knight",
        "clothing": "armour",
        "style": None,
        "negative": "hat",
        "seed": 7,
    }
    assert (saved["model"], saved["realism"], saved["loras"]) == (made["parameters"]["model"], False, [])
    views = [(item["role"], item["view"]) for item in saved["references"]]
    pictures = {item["content_hash"]: item for item in (await send(client, "GET", "/files"))[1]["files"]}
    assert len(pictures) == len(views)
    record = await forge.generations.get(made["generation_id"])
    assert pictures.keys() == {output.content_hash for output in record.outputs}
    assert views[0] == ("identity", "front")
    # Nothing is left of a request that is refused.
    assert (await refused(client, "POST", path, json={"name": "SIR"}))[:2] == (409, "character_exists")
    await send(client, "DELETE", f"/characters/{saved['character_id']}")
    assert await forge.files.clean_up(0) == len(pictures)
    assert (await refused(client, "POST", path, json={"name": "x", "seed": -1}))[0] == 422
    found = await refused(client, "POST", path, json={"name": "x", "references": [{"file_id": UNKNOWN}]})
    assert found[:2] == (404, "file_not_found")
    assert (await send(client, "GET", "/files"))[1]["total"] == 0
    forge.outputs.remove(made["generation_id"])
    assert (await refused(client, "POST", path, json={"name": "x"}))[:2] == (404, "file_lost")
    status, bare = await send(client, "POST", path, json={"name": "x", "references": []})
    assert (status, bare["references"]) == (200, [])
