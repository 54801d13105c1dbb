"""Judged pictures and tries on a real ComfyUI, with a stand-in estimator that fails as often as a test says.

The pictures are paper dolls: what is tested is the way from the estimator to the answer, through a kill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.api import Api
from lab.server import ComfyServer

STAND_IN = Path(__file__).parents[1] / "stand_ins" / "estimator.py"
WRONG, BREAKS, HOLDS, WAITS = "estimator-wrong", "estimator-breaks", "estimator-holds", "estimator-waits"
DOLL = {"family": "doll", "width": 96, "height": 128, "steps": 1}


@pytest.fixture(scope="module")
def comfy(module_factory: Callable[..., ComfyServer]) -> Iterator[ComfyServer]:
    """Shadows the shared one: a ComfyUI without models, with an estimator."""
    yield module_factory(models=(), nodes=[STAND_IN])


@pytest.fixture
def base(comfy: ComfyServer) -> Iterator[Path]:
    """ComfyUI's base folder, where the stand-in looks for what it shall do."""
    yield comfy.base
    for name in (WRONG, BREAKS, HOLDS, WAITS):
        comfy.base.joinpath(name).unlink(missing_ok=True)


def done(api: Api, path: str, **body: Any) -> dict[str, Any]:
    answer = api.post(path, json=body)
    assert answer.status_code == 200, answer.text
    generation = api.wait(answer.json()["generation_id"])
    assert generation["status"] == "completed", generation["error"]
    return generation


def test_a_sheet_is_judged_and_judged_again_later(comfy: ComfyServer, base: Path) -> None:
    api = Api(comfy.url)
    sheet = done(api, "/generate_all_poses", prompt="a knight", views=["front", "back"], **DOLL)
    assert sheet["parameters"]["judge"] is True
    front, back = (file["scores"] for file in sheet["output_files"])
    # The stand-in sees every figure from the front.
    assert (front["view"], back["view"]) == ("right", "wrong")
    assert front["pose"] is not None
    assert [item["view"]["model"] for item in sheet["judgements"]] == ["dwpose", "dwpose"]
    assert sheet["warnings"] == []
    base.joinpath(WRONG).write_text("1", encoding="utf-8")
    path = f"/generations/{sheet['generation_id']}/judge"
    again = done(api, path, views=["back"])
    assert [file["scores"]["view"] for file in again["output_files"]] == ["right", "right"]
    assert [file["url"] for file in again["output_files"]] == [file["url"] for file in sheet["output_files"]]
    assert again["completed_at"] == sheet["completed_at"]


def test_an_estimator_that_breaks_loses_no_picture(comfy: ComfyServer, base: Path) -> None:
    api = Api(comfy.url)
    base.joinpath(BREAKS).touch()
    views = ["front", "back", "side"]
    sheet = done(api, "/generate_all_poses", prompt="a mage", views=views, turnaround="sequential", **DOLL)
    assert [file["pose_type"] for file in sheet["output_files"]] == views
    assert [warning["code"] for warning in sheet["warning_details"]] == ["judge_failed"]
    assert "the estimator is broken" in sheet["judgements"][0]["view"]["reason"]
    assert {file["scores"]["view"] for file in sheet["output_files"]} == {None}


@pytest.mark.skipif(__import__("os").name == "nt", reason="a process is killed as POSIX does it")
def test_pictures_are_made_until_one_is_good_enough_through_a_kill(comfy: ComfyServer, base: Path) -> None:
    """Two takes are wrong; ComfyUI is killed while the second one is judged."""
    api = Api(comfy.url)
    base.joinpath(WRONG).write_text("2", encoding="utf-8")
    base.joinpath(HOLDS).write_text("1", encoding="utf-8")
    until = {"view": "right", "tries": 5}
    answer = api.post("/generate_pose?pose=front", json={"prompt": "a thief", "until": until, **DOLL}).json()
    path = f"/generations/{answer['generation_id']}"
    (tried,) = api.until(answer["generation_id"], lambda _: base.joinpath(WAITS).exists())["tries"]
    assert (tried["tries"], tried["passed"]) == (2, False)
    comfy.kill()
    base.joinpath(HOLDS).unlink()
    comfy.restart()
    api = Api(comfy.url)
    ended = api.wait(answer["generation_id"])
    assert (ended["status"], ended["warnings"]) == ("completed", [])
    (tried,) = ended["tries"]
    assert (tried["passed"], tried["tries"], tried["take"]) == (True, 3, 3)
    takes = api.get(f"{path}/views/front/takes").json()["takes"]
    assert [take["scores"]["view"] for take in takes] == ["wrong", "wrong", "right"]
    assert [take["current"] for take in takes] == [False, False, True]
    assert len({take["seed"] for take in takes}) == 3
