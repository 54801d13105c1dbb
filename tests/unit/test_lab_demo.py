"""What the demo asks for: a drawn character, or the model that the command line names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avatarforge.forge.families import FAMILIES
from lab.demo import DRAWN_FAMILY, KNIGHT_SEED, Artist, DemoOptions, artist_for, request_body, usable_models
from lab.progress import LabError

DOLL: dict[str, Any] = {
    "name": "Paper doll",
    "supported": True,
    "problem": None,
    "missing": [],
    "pose": [{"works": True}],
    "drawn": True,
}


def model(name: str, *, pose: bool = False, **fields: Any) -> dict[str, Any]:
    return {**DOLL, "name": name, "drawn": False, "pose": [{"works": pose}], **fields}


def options(**fields: Any) -> DemoOptions:
    return DemoOptions(prompt="knight", out=Path("out"), **fields)


def test_without_a_model_the_same_character_is_always_drawn_in_its_own_size_and_pose() -> None:
    assert FAMILIES[DRAWN_FAMILY].drawn
    body = request_body(options(), Artist(drawn=True, pose=False), None)
    assert body == {"prompt": "knight", "family": "doll", "seed": KNIGHT_SEED}


def test_a_named_model_is_requested_with_the_pose_and_the_options() -> None:
    artist = artist_for({"models": [model("a"), model("b", pose=True), DOLL]}, "b")
    assert artist == Artist(drawn=False, pose=True, model="b")
    body = request_body(options(steps=2, size=256), artist, "id")
    assert body == {
        "prompt": "knight",
        "model": "b",
        "pose_file_id": "id",
        "width": 256,
        "height": 256,
        "steps": 2,
    }


def test_files_that_complete_an_installed_model_leave_the_choice_to_the_pack() -> None:
    found = {"models": [model("a", pose=True), DOLL]}
    assert artist_for(found, None) == Artist(drawn=False, pose=True)


def test_the_doll_never_stands_in_for_a_model_that_was_asked_for() -> None:
    with pytest.raises(LabError, match="none is installed"):
        artist_for({"models": [DOLL]}, None)
    incomplete = model("a", missing=[{"name": "ae.safetensors", "kind": "vae"}])
    with pytest.raises(LabError, match=r"also needs ae\.safetensors"):
        artist_for({"models": [incomplete, DOLL]}, "a")


def test_a_drawn_entry_and_a_model_with_a_problem_are_no_usable_models() -> None:
    models = [model("a", problem="is empty"), model("b", supported=False), model("c"), DOLL]
    assert [each["name"] for each in usable_models({"models": models})] == ["c"]
