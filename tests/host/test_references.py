"""References by role on a real ComfyUI, on SD1.5 and the doll; test_families has the other families."""

from __future__ import annotations

from functools import partial
from typing import Any

from generating import pixels, run, send
from pictures import picture
from referring import roles, versions_repeat

from lab.api import Api
from lab.synthetic import file_name

AVATAR, SHEET = "/generate/avatar", "/generate_all_poses"
#: Words that leave colours open, which the references decide.
DOLL: dict[str, Any] = {
    "family": "doll",
    "prompt": "a man in a t-shirt, trousers and boots",
    "width": 64,
    "height": 96,
    "steps": 4,
    "seed": 5,
}
PERSON = "a woman with red hair and green eyes in a yellow t-shirt, purple trousers and blue boots"
OTHER = "a man with blond hair and blue eyes in a green t-shirt, white trousers and red boots"


def drawn(api: Api, prompt: str) -> str:
    """The file id of a doll, uploaded as a reference."""
    done = run(api, **{**DOLL, "prompt": prompt, "width": 128, "height": 192, "seed": 9})
    content = api.root(done["output_files"][0]["url"]).content
    file_id: str = api.upload(content, "reference")["file_id"]
    return file_id


def test_on_sd15_each_reference_counts_and_each_version_of_a_character(api: Api) -> None:
    given = [
        {"file_id": api.upload(picture(number), "reference")["file_id"], "role": "identity"}
        for number in (3, 4)
    ]
    body = {"prompt": "a knight", "seed": 5, "width": 64, "height": 64, "steps": 2}
    versions_repeat(api, partial(send, api), given, **body, model=file_name("sd15"))


def test_the_doll_takes_colours_by_role_and_each_view_the_side_that_shows_it(api: Api) -> None:
    person, other = drawn(api, PERSON), drawn(api, OTHER)
    whose = [{"file_id": person, "role": "identity"}, {"file_id": other, "role": "outfit"}]
    whole = versions_repeat(api, partial(send, api), whose, **DOLL)["without the second"]
    face = run(api, **DOLL, references=[{"file_id": person, "role": "face"}])
    outfit = run(api, **DOLL, references=[{"file_id": person, "role": "outfit"}])
    both = run(api, **DOLL, references=[{"file_id": person, "role": role} for role in ("face", "outfit")])
    assert len({whole, *(tuple(pixels(api, done)) for done in (face, outfit))}) == 3
    assert tuple(pixels(api, both)) == whole

    sides = [{"file_id": person, "view": "front"}, {"file_id": other, "view": "back"}]
    chosen = {"views": ["front", "back"], "turnaround": "sequential"}
    sheet = run(api, SHEET, **DOLL, **chosen, references=sides)
    assert [
        (line["pose_type"], line["file_id"]) for line in sheet["inputs"] if line["role"] == "reference"
    ] == [
        ("front", person),
        ("back", other),
    ]
    rerolled = api.post(f"/generations/{sheet['generation_id']}/reroll?pose=back&seed=5")
    assert rerolled.status_code == 200, rerolled.text
    again = api.wait(sheet["generation_id"])
    assert (again["status"], sorted(roles(again))) == ("completed", sorted(roles(sheet)))
    assert pixels(api, again) == pixels(api, sheet)

    style = [{"file_id": person, "role": "style"}]
    refused = api.post(AVATAR, json={**DOLL, "references": style})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_supported_by_family")
