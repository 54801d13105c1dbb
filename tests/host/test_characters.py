"""A character on a real ComfyUI: each of its versions repeats its own pictures, and nothing is left of it."""

from __future__ import annotations

import secrets
from typing import Any

from generating import pixels

from lab.api import Api

#: With all passes: a sketch alone has no colours.
SETTINGS = {"width": 96, "height": 128, "steps": 4}


def done(api: Api, **body: Any) -> dict[str, Any]:
    """A finished generation of exactly this body."""
    response = api.post("/generate/avatar", json=body)
    assert response.status_code == 200, response.text
    generation = api.wait(response.json()["generation_id"])
    assert generation["status"] == "completed", generation["error"]
    return generation


def test_versions_of_a_character_repeat_their_pictures_and_nothing_is_left_of_it(api: Api) -> None:
    first = done(api, prompt="a young woman, red hair, a green dress", family="doll", seed=5, **SETTINGS)
    name = f"Mira {secrets.token_hex(4)}"
    response = api.post(
        f"/generations/{first['generation_id']}/character", json={"name": name, "defaults": SETTINGS}
    )
    assert response.status_code == 200, response.text
    mira = response.json()
    path = f"/characters/{mira['character_id']}"
    (reference,) = mira["references"]
    # Pictures count as they are, not only as bytes.
    assert (
        api.root(f"/files/{reference['file_id']}").content
        == api.root(first["output_files"][0]["url"]).content
    )

    shown = {"character_id": mira["character_id"]}
    old, again = done(api, **shown), done(api, **shown)
    assert pixels(api, old) == pixels(api, again)
    assert [line["file_id"] for line in old["inputs"] if line["role"] == "reference"] == [
        reference["file_id"]
    ]
    assert pixels(api, done(api, **old["parameters"])) == pixels(api, old)

    changes = {
        "description": "a young woman, black hair, a blue dress",
        "references": [],
        "outfits": [{"name": "Armour", "words": "steel plate armour"}],
    }
    changed = api.request("PATCH", path, json=changes).json()
    assert changed["version"] == 2
    new, armoured = done(api, **shown), done(api, **shown, outfit="armour", expression="angry")
    assert len({*pixels(api, old), *pixels(api, new), *pixels(api, armoured)}) == 3
    assert pixels(api, done(api, **shown, character_version=1)) == pixels(api, old)
    listed = api.get(f"/generations?character_id={mira['character_id']}").json()
    assert listed["total"] == 6

    assert api.request("DELETE", path).status_code == 200
    status = api.get(f"/files/{reference['file_id']}").status_code
    assert status == 200  # generations and their version still use it
    rerolled = api.post(f"/generations/{old['generation_id']}/reroll?pose=front&seed=6")
    assert api.wait(rerolled.json()["generation_id"])["status"] == "completed"
    for generation in (first, *listed["generations"]):
        assert api.request("DELETE", f"/generations/{generation['generation_id']}").status_code == 200
    assert api.get(f"/generations?character_id={mira['character_id']}").json()["total"] == 0
    assert api.request("DELETE", f"/files/{reference['file_id']}").json()["deleted"] == "hard"
    report = api.post("/maintenance/verify").json()
    assert report["clean"], report["problems"]


def test_a_character_that_comes_back_from_a_file_has_the_same_ids_and_pictures(api: Api) -> None:
    first = done(api, prompt="a young woman, red hair, a green dress", family="doll", seed=5, **SETTINGS)
    name = f"Mira {secrets.token_hex(4)}"
    mira = api.post(
        f"/generations/{first['generation_id']}/character",
        json={"name": name, "defaults": SETTINGS, "outfits": [{"name": "Armour", "words": "steel armour"}]},
    ).json()
    path = f"/characters/{mira['character_id']}"
    shown = {"character_id": mira["character_id"], "outfit": "armour"}
    before = done(api, **shown)
    exported = api.get(f"{path}/export")
    assert exported.status_code == 200, exported.text
    expected = pixels(api, before)

    (reference,) = mira["references"]
    for generation in (first, before):
        assert api.request("DELETE", f"/generations/{generation['generation_id']}").status_code == 200
    assert api.request("DELETE", path).status_code == 200
    assert api.request("DELETE", f"/files/{reference['file_id']}").json()["deleted"] == "hard"

    headers = {"Content-Type": "application/zip"}
    imported = api.post("/characters/import", data=exported.content, headers=headers).json()
    assert (imported["outcome"], imported["files_added"]) == ("created", 1), imported
    assert imported["references"] == [reference]
    after = done(api, **shown)
    assert pixels(api, after) == expected
    assert api.get(f"{path}/export").content == exported.content

    assert api.request("DELETE", f"/generations/{after['generation_id']}").status_code == 200
    assert api.request("DELETE", path).status_code == 200
    assert api.request("DELETE", f"/files/{reference['file_id']}").json()["deleted"] == "hard"
    report = api.post("/maintenance/verify").json()
    assert report["clean"], report["problems"]
