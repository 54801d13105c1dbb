"""A matrix of the paper doll, and several pictures of one generation, on a real ComfyUI."""

from __future__ import annotations

import io
import secrets
from typing import Any

import numpy as np
import pytest
from generating import fresh, pixels, run
from PIL import Image

from lab.api import Api

SMALL: dict[str, Any] = {"width": 64, "height": 64}
KNIGHT: dict[str, Any] = {"prompt": "a knight", "steps": 3, "cfg": 4.0, "seed": 7, **SMALL}
DOLL: dict[str, Any] = {"prompt": "a knight", "family": "doll", "seed": 7, "steps": 4, **SMALL}


def until_ended(api: Api, batch_id: str) -> dict[str, Any]:
    while (batch := api.get(f"/batch/{batch_id}?wait=30").json())["status"] not in ("completed", "failed"):
        pass  # each answer comes when the batch has ended or after half a minute; pytest bounds this
    return dict(batch)


def ran(api: Api, generation: dict[str, Any]) -> list[str]:
    """The classes of the nodes that ran."""
    prompt_id = generation["comfyui_prompt_id"]
    prompt = api.root(f"/history/{prompt_id}").json()[prompt_id]["prompt"][2]
    return [node["class_type"] for node in prompt.values()]


def levels(api: Api, generation: dict[str, Any]) -> list[np.ndarray[Any, np.dtype[np.int16]]]:
    """The colours of each picture, (height, width, 3) in 0..255."""
    found = []
    for output in generation["output_files"]:
        with Image.open(io.BytesIO(api.root(output["url"]).content)) as image:
            found.append(np.asarray(image.convert("RGB"), np.int16))
    return found


def test_a_matrix_of_the_doll_draws_every_combination(api: Api) -> None:
    body = {
        "name": f"Mira {secrets.token_hex(4)}",
        "description": "a young woman, red hair",
        "family": "doll",
        "outfits": [{"name": "coat", "words": "blue coat"}, {"name": "dress", "words": "green dress"}],
        "defaults": {"width": 96, "height": 128},
    }
    mira = api.post("/characters", json=body).json()
    path = f"/characters/{mira['character_id']}/matrix"
    matrix = {
        "outfits": ["coat", "dress"],
        "expressions": ["happy", "angry"],
        "views": ["front", "left"],
        "base": {"seed": 5},
    }
    answer = api.post(path, json=matrix)
    assert answer.status_code == 200, answer.text
    ended = until_ended(api, answer.json()["batch_id"])
    assert (ended["status"], ended["completed"]) == ("completed", 8)
    shown = {}
    for item in ended["generations"]:
        generation = api.get(f"/generations/{item['generation_id']}").json()
        (shown[item["outfit"], item["expression"], item["view"]],) = pixels(api, generation)
    assert len(shown) == 8
    for expression in ("happy", "angry"):
        for view in ("front", "left"):
            assert shown["coat", expression, view] != shown["dress", expression, view]
        assert shown["coat", expression, "front"] != shown["coat", expression, "left"]
    # Each is what a single request makes.
    single = {"character_id": mira["character_id"], "outfit": "dress", "expression": "angry", "seed": 5}
    made = api.post("/generate_pose?pose=left", json=single).json()
    done = api.wait(made["generation_id"])
    assert pixels(api, done) == [shown["dress", "angry", "left"]]


def test_rows_of_a_batch_are_the_pictures_of_single_requests(api: Api) -> None:
    looking = {
        **KNIGHT,
        "sampler": "euler",
        "scheduler": "normal",
        "reference_file_id": api.upload(fresh(), "reference")["file_id"],
        "reference_strength": 0.5,
    }
    several = run(api, **looking, count=3)
    assert ran(api, several).count("KSampler") == ran(api, several).count("AvatarForgeRowSeeds") == 1
    assert [file["seed"] for file in several["output_files"]] == [7, 8, 9]
    rows = levels(api, several)
    for number, row in enumerate(rows):
        alone = run(api, **{**looking, "seed": 7 + number})
        (picture,) = levels(api, alone)
        assert np.abs(row - picture).max() <= 1  # rounding
    assert np.abs(rows[0] - rows[1]).max() > 8
    shown = {line["picture"] for line in several["inputs"] if line["role"] == "reference"}
    assert shown == {1, 2, 3}


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/generate/avatar", {**KNIGHT, "sampler": "euler_ancestral"}),
        ("/generate_all_poses", {**KNIGHT, "views": ["front", "side"], "consistency": 0.5}),
        ("/generate_all_poses", {**DOLL, "views": ["front", "side"]}),
    ],
    ids=["a sampler that adds noise", "sheets", "sheets of the doll"],
)
def test_pictures_one_after_another_are_those_of_single_requests(
    api: Api, route: str, body: dict[str, Any]
) -> None:
    several = run(api, route, **body, count=2)
    alone = [run(api, route, **{**body, "seed": seed}) for seed in (7, 8)]
    assert pixels(api, several) == [hashed for each in alone for hashed in pixels(api, each)]
    assert len(set(pixels(api, several))) == len(several["output_files"])


def test_one_of_several_is_made_again(api: Api) -> None:
    body = {**KNIGHT, "views": ["front", "side"], "count": 2}
    several = run(api, "/generate_all_poses", **body)
    before = pixels(api, several)
    path = f"/generations/{several['generation_id']}/reroll"
    assert api.post(f"{path}?pose=side").status_code == 422
    answer = api.post(f"{path}?position=4&seed=99")
    assert answer.status_code == 200, answer.text
    rolled = api.wait(several["generation_id"])
    assert [file["seed"] for file in rolled["output_files"]] == [7, 7, 8, 99]
    after = pixels(api, rolled)
    assert (after[:3], after[3] != before[3]) == (before[:3], True)
