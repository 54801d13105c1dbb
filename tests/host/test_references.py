"""References by role on a real ComfyUI: each changes the pixels, and the receipt names it with its role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from generating import pixels as hashes
from pictures import picture

from lab import family_models
from lab.api import Api

AVATAR, SHEET = "/generate/avatar", "/generate_all_poses"
#: Words that leave colours open, which the references decide.
DOLL: dict[str, Any] = {
    "family": "doll",
    "prompt": "a man in a t-shirt, trousers and boots",
    "width": 64,
    "height": 96,
    "steps": 4,
}
PERSON = "a woman with red hair and green eyes in a yellow t-shirt, purple trousers and blue boots"
OTHER = "a man with blond hair and blue eyes in a green t-shirt, white trousers and red boots"
pytestmark = pytest.mark.timeout(600)  # the first run makes the models


@dataclass(frozen=True)
class Host:
    api: Api
    model: dict[str, Any]

    def run(self, route: str = AVATAR, **body: Any) -> dict[str, Any]:
        accepted = self.api.generate(route, **{"seed": 5, **body})
        done = self.api.wait(accepted["generation_id"], 300.0)
        assert done["status"] == "completed", done["error"]
        return done

    def drawn(self, prompt: str) -> str:
        """The file id of a doll, uploaded as a reference."""
        done = self.run(**{**DOLL, "prompt": prompt, "width": 128, "height": 192, "seed": 9})
        content = self.api.root(done["output_files"][0]["url"]).content
        file_id: str = self.api.upload(content, "reference")["file_id"]
        return file_id

    def each_counts(self, references: list[dict[str, Any]], **body: Any) -> dict[str, Any]:
        """Check that leaving one out changes pixels and receipt, and that strength 0 leaves it out."""
        whole = self.run(**body, references=references)
        assert roles(whole) == [(item["file_id"], item["role"]) for item in references]
        seen = [pixels(self.api, whole)]
        for item in references:
            others = [each for each in references if each is not item]
            fewer = self.run(**body, references=others)
            assert roles(fewer) == [(each["file_id"], each["role"]) for each in others]
            seen.append(pixels(self.api, fewer))
        assert len(set(seen)) == len(seen)
        *rest, last = references
        off = self.run(**body, references=[*rest, {**last, "strength": 0.0}])
        assert pixels(self.api, off) == seen[-1]
        return whole


def pixels(api: Api, generation: dict[str, Any]) -> tuple[str, ...]:
    return tuple(hashes(api, generation))


def roles(generation: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (line["file_id"], line["reference_role"])
        for line in generation["inputs"]
        if line["role"] == "reference"
    ]


@pytest.fixture(scope="module")
def host(module_factory: Any) -> Iterator[Host]:
    needed = family_models.of("flux2")
    server = module_factory(models=needed.kinds, nodes=needed.nodes)
    model = family_models.file_name(family_models.FAMILIES["flux2"].models[0])
    yield Host(Api(server.url), {"model": model, "width": 64, "height": 64, "pose_strength": 0.0})


@pytest.fixture(scope="module")
def files(host: Host) -> list[str]:
    return [host.api.upload(picture(number), "reference")["file_id"] for number in (3, 4)]


def test_numbered_pictures_count_by_role(host: Host, files: list[str]) -> None:
    given = [
        {"file_id": file_id, "role": role} for file_id, role in zip(files, ("identity", "style"), strict=True)
    ]
    done = host.each_counts(given, **host.model, steps=1)
    prompt = host.api.get(f"/generations/{done['generation_id']}/prompt").json()["prompt"]
    (words,) = [node for node in prompt.values() if node["class_type"] == "AvatarForgePrompt"]
    assert [f"image {number}" in words["inputs"]["pictures"] for number in (1, 2)] == [True] * 2
    other = [{**item, "role": "outfit" if item["role"] == "style" else item["role"]} for item in given]
    # The stand-in for the text encoder tells other sentences apart.
    again = host.run(**host.model, steps=1, references=other)
    assert pixels(host.api, again) != pixels(host.api, done)


def test_references_in_attention_count_together(host: Host, files: list[str]) -> None:
    given = [{"file_id": file_id, "role": "identity"} for file_id in files]
    # The first step of a flow model is pure noise, which shows nothing of a reference.
    host.each_counts(given, **host.model, steps=2, reference_method="attention")


def test_the_doll_takes_colours_by_role_and_each_view_the_side_that_shows_it(host: Host) -> None:
    person, other = host.drawn(PERSON), host.drawn(OTHER)
    host.each_counts([{"file_id": person, "role": "identity"}, {"file_id": other, "role": "outfit"}], **DOLL)
    face = host.run(**DOLL, references=[{"file_id": person, "role": "face"}])
    outfit = host.run(**DOLL, references=[{"file_id": person, "role": "outfit"}])
    whole = host.run(**DOLL, references=[{"file_id": person, "role": "identity"}])
    both = host.run(**DOLL, references=[{"file_id": person, "role": role} for role in ("face", "outfit")])
    assert len({pixels(host.api, done) for done in (face, outfit, whole)}) == 3
    assert pixels(host.api, both) == pixels(host.api, whole)

    sides = [{"file_id": person, "view": "front"}, {"file_id": other, "view": "back"}]
    chosen = {"views": ["front", "back"], "turnaround": "sequential"}
    sheet = host.run(SHEET, **DOLL, **chosen, references=sides)
    assert [
        (line["pose_type"], line["file_id"]) for line in sheet["inputs"] if line["role"] == "reference"
    ] == [
        ("front", person),
        ("back", other),
    ]
    rerolled = host.api.post(f"/generations/{sheet['generation_id']}/reroll?pose=back&seed=5")
    assert rerolled.status_code == 200, rerolled.text
    again = host.api.wait(sheet["generation_id"])
    assert (again["status"], sorted(roles(again))) == ("completed", sorted(roles(sheet)))
    assert pixels(host.api, again) == pixels(host.api, sheet)

    style = [{"file_id": person, "role": "style"}]
    refused = host.api.post(AVATAR, json={**DOLL, "references": style})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_supported_by_family")
