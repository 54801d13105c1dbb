"""Poses of the library on a real ComfyUI that has no model at all: the paper doll takes them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageChops
from pose_formats import FRAME

from lab.api import Api
from lab.server import ComfyServer

#: Small, in two passes: the pose shows in both.
SMALL = {"prompt": "a knight", "family": "doll", "width": 128, "height": 192, "seed": 11, "steps": 2}
SHEET = "/generate_all_poses"
VIEWS = ["front", "left"]


@pytest.fixture(scope="module")
def doll(modelless: ComfyServer) -> Api:
    return Api(modelless.url)


def run(api: Api, route: str, **body: Any) -> dict[str, Any]:
    done = api.wait(api.generate(route, **{**SMALL, **body})["generation_id"])
    assert done["status"] == "completed", done["error"]
    return done


def shown(api: Api, generation: dict[str, Any]) -> list[Image.Image]:
    files = generation["output_files"]
    return [Image.open(io.BytesIO(api.root(item["url"]).content)).convert("RGB") for item in files]


def differ(first: Image.Image, second: Image.Image) -> bool:
    return ImageChops.difference(first, second).getbbox() is not None


def test_a_pose_decides_every_view_and_outlives_its_entry(doll: Api) -> None:
    plain = shown(doll, run(doll, SHEET, views=VIEWS))
    sitting = shown(doll, run(doll, SHEET, views=VIEWS, pose_id="sitting"))
    assert [differ(*pair) for pair in zip(plain, sitting, strict=True)] == [True, True]
    # Alone and as one of several, a view is the same; mirrored, it is not.
    sequential = run(doll, SHEET, views=VIEWS, pose_id="sitting", turnaround="sequential")
    assert [differ(*pair) for pair in zip(sitting, shown(doll, sequential), strict=True)] == [False, False]
    waving, mirrored = (
        shown(doll, run(doll, "/generate_pose?pose=front", pose_id="waving", pose_mirrored=flag))[0]
        for flag in (False, True)
    )
    assert differ(waving, mirrored)

    answer = doll.post("/poses/library", json={"name": "Mine", "pose": FRAME})
    assert answer.status_code == 200, answer.text
    saved = answer.json()
    made = run(doll, SHEET, views=VIEWS, pose_id="mine")
    before = shown(doll, made)
    assert all(differ(*pair) for pair in zip(before, plain, strict=True))
    assert doll.delete(f"/poses/library/{saved['pose_id']}").status_code == 200
    again = doll.post(f"/generations/{made['generation_id']}/reroll?pose=left&seed={SMALL['seed']}")
    assert again.status_code == 200, again.text
    done = doll.wait(made["generation_id"])
    assert (done["status"], done["warnings"]) == ("completed", made["warnings"])
    # With the seed of before, the new picture is that of before: the pose is still there.
    assert [differ(*pair) for pair in zip(before, shown(doll, done), strict=True)] == [False, False]
