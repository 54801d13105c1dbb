"""The paper doll on a real ComfyUI that has no model at all: requests, inputs, seeds, and what is refused."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from generating import pixels
from pictures import picture
from PIL import Image

from avatarforge.forge.pictures.doll.character.parts_text import parts_from_text
from avatarforge.forge.pictures.doll.parts import PARTS
from avatarforge.forge.store.picture_parts import PARTS_KEY
from lab.api import Api
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]
SHEET = "/generate_all_poses"
VIEWS = ["front", "back", "side", "quarter"]
ROUTES = ["/generate/avatar", *(f"/generate_pose?pose={view}" for view in VIEWS), SHEET]
#: Large enough for the smallest skeleton picture that can be read.
SMALL = {"prompt": "a knight", "family": "doll", "width": 128, "height": 192, "seed": 11, "steps": 4}
SKELETON = Path(__file__).parents[2] / "docs" / "images" / "pose.png"
#: (x, y) of OpenPose's 18 keypoints in 512x768: one arm up, one leg out.
RAISED_ARM = [
    (256, 150), (256, 210), (210, 212), (180, 150), (170, 80), (302, 212), (330, 280), (335, 350),
    (230, 380), (190, 500), (150, 620), (282, 380), (285, 510), (290, 640),
    (246, 138), (266, 138), (234, 146), (278, 146),
]  # fmt: skip
NOTHING: dict[str, Any] = {"models": ()}


@pytest.fixture(scope="module")
def doll(modelless: ComfyServer) -> Api:
    return Api(modelless.url)


def run(api: Api, route: str = "/generate/avatar", **body: Any) -> dict[str, Any]:
    done = api.wait(api.generate(route, **{**SMALL, **body})["generation_id"])
    assert done["status"] == "completed", done["error"]
    return done


def contents(api: Api, generation: dict[str, Any]) -> list[bytes]:
    return [api.root(output["url"]).content for output in generation["output_files"]]


def without_texts(png: bytes) -> bytes:
    """The same pixels as any other program would save them."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        Image.frombytes("RGB", image.size, image.convert("RGB").tobytes()).save(file, "PNG")
    return file.getvalue()


def pose_json() -> bytes:
    numbers = [number for x, y in RAISED_ARM for number in (x, y, 1)]
    people = [{"pose_keypoints_2d": numbers}]
    return json.dumps({"canvas_width": 512, "canvas_height": 768, "people": people}).encode()


def receipt_lines(generation: dict[str, Any], role: str) -> list[tuple[Any, ...]]:
    return [
        (line["pose_type"], line["kind"], line["strength"], line["node_type"], line["model"])
        for line in generation["inputs"]
        if line["role"] == role
    ]


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_draws_the_same_bytes_for_the_same_seed(doll: Api, route: str) -> None:
    first = run(doll, route)
    assert first["warnings"] == []
    expected = VIEWS if route == SHEET else [route.rpartition("=")[2] if "=" in route else "front"]
    assert [output["pose_type"] for output in first["output_files"]] == expected
    for output in first["output_files"]:
        narrow = output["pose_type"] == "side"
        assert output["dimensions"] == {"width": 120 if narrow else 128, "height": 192}
    again = run(doll, route, **first["parameters"])
    assert again["parameters"] == first["parameters"]
    assert pixels(doll, again) == pixels(doll, first)
    assert pixels(doll, run(doll, route, seed=12)) != pixels(doll, first)
    parameters = first["parameters"]
    assert [parameters[name] for name in ("model", "cfg", "sampler")] == ["Paper doll", None, None]
    (line, *_) = receipt_lines(first, "view")
    assert line[1:] == ("built-in skeleton", 1, "AvatarForgePaperDoll", "Paper doll")


@pytest.mark.parametrize(
    ("inputs", "consistency"),
    [
        ((), 0),
        ((), 0.5),
        ((), 1),
        (("pose",), 0.5),
        (("reference",), 0.5),
        (("pose", "reference"), 0),
        (("pose", "reference"), 1),
    ],
)
def test_a_sheet_in_one_batch_is_that_of_single_views(
    doll: Api, inputs: tuple[str, ...], consistency: float
) -> None:
    files = {
        "pose": doll.upload(pose_json(), filename="pose.json")["file_id"],
        "reference": doll.upload(picture(4), "reference")["file_id"],
    }
    body: dict[str, Any] = {f"{name}_file_id": files[name] for name in inputs}
    batch, single = (
        run(doll, SHEET, consistency=consistency, turnaround=turnaround, **body)
        for turnaround in ("batch", "sequential")
    )
    assert pixels(doll, batch) == pixels(doll, single)
    for role in ("pose", "view", "reference", "anchor"):
        assert receipt_lines(batch, role) == receipt_lines(single, role)
    if not inputs:
        alone = [pixels(doll, run(doll, f"/generate_pose?pose={view}"))[0] for view in VIEWS]
        assert (alone == pixels(doll, batch)) is (consistency == 1)


def test_every_source_of_a_pose_decides_the_picture(doll: Api) -> None:
    built_in = pixels(doll, run(doll))
    as_json = doll.upload(pose_json(), filename="pose.json")["file_id"]
    as_picture = doll.upload(SKELETON.read_bytes())["file_id"]
    seen = [built_in]
    for file_id, kind in ((as_json, "json"), (as_picture, "skeleton")):
        done = run(doll, pose_file_id=file_id)
        assert done["output_files"][0]["pose_type"] is None
        assert receipt_lines(done, "pose") == [(None, kind, 1, "AvatarForgePaperDoll", "Paper doll")]
        assert pixels(doll, done) not in seen
        seen.append(pixels(doll, done))
        assert pixels(doll, run(doll, pose_file_id=file_id, pose_strength=0)) == built_in
        sheet, plain = run(doll, SHEET, pose_file_id=file_id), run(doll, SHEET)
        changed = [a != b for a, b in zip(pixels(doll, sheet), pixels(doll, plain), strict=True)]
        assert changed == [True, True, False, False]
        (warning,) = sheet["warning_details"]
        assert (warning["code"], warning["parameters"]["views"]) == ("pose_on_some_views", ["front", "back"])
    half = run(doll, pose_file_id=as_json, pose_strength=0.5)
    assert [warning["code"] for warning in half["warning_details"]] == ["strength_counts_as_one"]
    assert pixels(doll, half) == seen[1]


def test_what_is_no_skeleton_fails_with_a_sentence(doll: Api) -> None:
    photo = doll.upload(picture(9))["file_id"]
    started = doll.generate(**{**SMALL, "pose_file_id": photo, "pose_mode": "skeleton"})
    failed = doll.wait(started["generation_id"])
    assert failed["status"] == "failed"
    assert "cannot be read" in failed["error"]
    for mode, status, code in (
        ("auto", 503, "pose_extractor_missing"),
        ("photo", 503, "pose_extractor_missing"),
        ("raw", 422, "not_supported_by_family"),
    ):
        answer = doll.post("/generate/avatar", json={**SMALL, "pose_file_id": photo, "pose_mode": mode})
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_reference_gives_its_colours(doll: Api) -> None:
    # No word names a colour, so that of the hair is seen from everywhere.
    person = {"prompt": "a woman with long hair", "route": SHEET}
    without = pixels(doll, run(doll, **person))
    other = contents(doll, run(doll, prompt="green hair, purple dress"))[0]
    drawn = doll.upload(other, "reference")
    foreign = doll.upload(without_texts(other), "reference")
    seen = [without]
    for file in (drawn, foreign):
        done = run(doll, **person, reference_file_id=file["file_id"], reference_strength=1)
        assert {line[0] for line in receipt_lines(done, "reference")} == set(VIEWS)
        assert done["parameters"]["reference_method"] == "palette"
        assert pixels(doll, done) not in seen
        seen.append(pixels(doll, done))
        none = run(doll, **person, reference_file_id=file["file_id"], reference_strength=0)
        assert pixels(doll, none) == without
        assert receipt_lines(none, "reference") == []
    assert not set(seen[1]) & set(without)


def test_a_drawn_picture_has_its_parts_with_it(doll: Api) -> None:
    for content in contents(doll, run(doll, SHEET)):
        with Image.open(io.BytesIO(content)) as image:
            parts = parts_from_text(image.info[PARTS_KEY], image.size)
            assert json.loads(image.info["prompt"])
        assert parts is not None
        assert max(parts.tobytes()) < len(PARTS)


def test_a_re_roll_keeps_the_others_and_the_character(doll: Api) -> None:
    sheet = run(doll, SHEET, consistency=0)
    before = contents(doll, sheet)
    path = f"/generations/{sheet['generation_id']}/reroll"
    seen = []
    for seed in (5, 6, 5):
        assert doll.post(path, params={"pose": "back", "seed": seed}).status_code == 200
        after = doll.wait(sheet["generation_id"])
        assert (after["status"], after["warnings"]) == ("completed", [])
        now = contents(doll, after)
        assert [a == b for a, b in zip(before, now, strict=True)] == [True, False, True, True]
        seen.append(hashlib.sha256(now[1]).hexdigest())
    assert seen[1] not in (seen[0], seen[2])
    single = run(doll, "/generate_pose?pose=front")
    doll.post(f"/generations/{single['generation_id']}/reroll", params={"pose": "front", "seed": 5})
    assert pixels(doll, doll.wait(single["generation_id"])) == pixels(
        doll, run(doll, "/generate_pose?pose=front", seed=5)
    )


def test_a_request_that_does_not_name_it_is_refused_and_told_of_it(doll: Api) -> None:
    answer = doll.post("/generate/avatar", json={"prompt": "a knight"})
    assert (answer.status_code, answer.json()["code"]) == (503, "checkpoint_missing")
    assert '"family": "doll"' in answer.json()["detail"]
    health = doll.get("/health").json()
    assert (health["api_status"], health["capabilities"]["families"]) == ("degraded", {})
    refused = doll.post("/generate/avatar", json={**SMALL, "cfg": 7})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_supported_by_family")


def test_its_graph_becomes_a_template(doll: Api) -> None:
    document = doll.get("/templates/builtin/doll").json()
    saved = doll.post("/templates/import", json={**document, "name": "drawn"})
    assert saved.status_code == 200, saved.text
    template = {"prompt": "a witch", "template": "drawn", "seed": 3, "width": 128, "height": 192, "steps": 2}
    answer = doll.post(SHEET, json=template)
    assert answer.status_code == 200, answer.text
    done = doll.wait(answer.json()["generation_id"])
    assert done["status"] == "completed", done["error"]
    assert len(set(pixels(doll, done))) == 4


def test_a_setting_selects_it_and_a_restart_changes_nothing(comfy_factory: Factory, tmp_path: Path) -> None:
    settings = {"AVATARFORGE_DEFAULT_FAMILY": "doll", "AVATARFORGE_DEFAULT_STEPS": "20"}
    server = comfy_factory(**NOTHING, env=settings, base=tmp_path / "base", args=("--disable-metadata",))
    api = Api(server.url)
    assert api.get("/health").json()["api_status"] == "healthy"
    body = {"prompt": "a knight", "width": 128, "height": 192, "seed": 11}
    done = api.wait(api.post(SHEET, json=body).json()["generation_id"])
    assert (done["parameters"]["model"], done["parameters"]["steps"]) == ("Paper doll", 4)
    with Image.open(io.BytesIO(contents(api, done)[0])) as image:
        assert not {PARTS_KEY, "prompt"} & image.info.keys()
    server.stop()
    again = Api(comfy_factory(**NOTHING, base=tmp_path / "base").url)
    path = f"/generations/{done['generation_id']}/reroll"
    assert again.post(path, params={"pose": "side", "seed": 5}).status_code == 200
    rolled = again.wait(done["generation_id"])
    assert (rolled["status"], rolled["warnings"]) == ("completed", [])
    assert rolled["output_files"][2]["seed"] == 5
