"""Redrawn expressions on a real ComfyUI: outside of the face no pixel changes, inside each is another."""

from __future__ import annotations

import io
import json
import secrets
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lab.api import Api

#: The paper doll needs some pixels for a face; a latent has one cell for 8 x 8.
DOLL = {"family": "doll", "width": 96, "height": 128, "steps": 1}
SAMPLED = {"width": 64, "height": 64, "steps": 1, "style": "pencil"}
NAMES = ["happy", "angry", "gloomy"]

Pixels = NDArray[np.uint8]


def pictures(api: Api, generation: dict[str, Any]) -> list[Pixels]:
    return [
        np.asarray(Image.open(io.BytesIO(api.root(output["url"]).content)).convert("RGB"))
        for output in generation["output_files"]
    ]


def done(api: Api, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    response = api.post(path, json=body)
    assert response.status_code == 200, response.text
    generation = api.wait(response.json()["generation_id"])
    assert generation["status"] == "completed", generation["error"]
    return generation


@pytest.fixture(scope="module")
def mira(api: Api) -> str:
    body = {
        "name": f"Mira {secrets.token_hex(4)}",
        "description": "a young woman, red hair",
        "expressions": [{"name": "gloomy", "words": "sad"}],
    }
    character_id: str = api.post("/characters", json=body).json()["character_id"]
    return character_id


def head_of(shape: tuple[int, ...], margin: float) -> NDArray[np.bool_]:
    """A box around the head of the built-in front view, with the margin on all sides: nothing outside of it
    may change."""
    height, width = shape[:2]
    stature = height / 1.13
    middle, reach = height - (0.05 + 0.926) * stature, 0.08 * stature * (1 + margin)
    rows, columns = np.mgrid[0:height, 0:width]
    inside: NDArray[np.bool_] = (np.abs(rows - middle) <= reach) & (np.abs(columns - width / 2) <= reach)
    return inside


@pytest.mark.parametrize(("settings", "margin"), [(DOLL, 0.25), (SAMPLED, 1.0)], ids=["doll", "sd15"])
def test_only_the_face_changes(api: Api, mira: str, settings: dict[str, Any], margin: float) -> None:
    source = done(api, "/generate_pose?pose=front", {"character_id": mira, "seed": 3, **settings})
    (original,) = pictures(api, source)
    body = {"generation_id": source["generation_id"], "expressions": NAMES, "margin": margin}
    with_a_model = {} if settings is DOLL else {"denoise": 1.0, "seed": 3}
    redrawn = done(api, f"/characters/{mira}/expressions", {**body, **with_a_model})
    assert [output["expression"] for output in redrawn["output_files"]] == NAMES
    assert redrawn["warnings"] == []
    found = pictures(api, redrawn)
    head = head_of(original.shape, margin)
    for picture in found:
        assert picture.shape == original.shape
        assert (picture[~head] == original[~head]).all()
        assert (picture[head] != original[head]).any()
    assert len({picture.tobytes() for picture in found}) == len(NAMES)

    # It needs the source no more.
    assert api.delete(f"/generations/{source['generation_id']}").status_code == 200
    path = f"/generations/{redrawn['generation_id']}/reroll?position=2&seed=4"
    if settings is DOLL:
        refused = api.post(path)
        assert (refused.status_code, refused.json()["code"]) == (422, "field_not_applicable")
        return
    again = done(api, path)
    after = pictures(api, again)
    assert [(new == old).all() for new, old in zip(after, found, strict=True)] == [True, False, True]
    assert (after[1][~head] == original[~head]).all()
    assert [output["seed"] for output in again["output_files"]] == [3, 4, 3]


def test_a_pose_that_shows_no_face_fails_in_words(api: Api, mira: str) -> None:
    """The keypoints are read when the graph runs."""
    points = [0.0, 0.0, 0.0] + [48.0, 30.0, 1.0, 40.0, 30.0, 1.0] + [0.0] * 45
    pose = json.dumps(
        {"canvas_width": 96, "canvas_height": 128, "people": [{"pose_keypoints_2d": points}]}
    ).encode()
    file_id = api.upload(pose, "pose", "pose.json")["file_id"]
    source = done(api, "/generate/avatar", {"character_id": mira, "pose_file_id": file_id, **DOLL})
    body = {"generation_id": source["generation_id"], "expressions": ["happy"]}
    answer = api.post(f"/characters/{mira}/expressions", json=body).json()
    failed = api.wait(answer["generation_id"])
    assert (failed["status"], failed["error_code"]) == ("failed", "comfyui_error")
    assert "show no face" in failed["error"]
