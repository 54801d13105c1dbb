"""The nodes that judge the pictures of a prompt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from specs import BUILT_IN, KEYPOINTS, REFERENCE, SKELETON, spec

from avatarforge.forge.graphs.compile import compile_prompt, compile_reroll
from avatarforge.forge.graphs.judging import (
    choose_judge,
    compile_judging,
    conditions_of,
    obstacles,
    with_judges,
)
from avatarforge.forge.graphs.links import upstream
from avatarforge.forge.live.plan import plan
from avatarforge.forge.ports import InstalledModels, Prompt
from avatarforge.forge.spec.avatar import AvatarSpec
from avatarforge.forge.spec.reference import ReferenceUse
from avatarforge.forge.spec.until import JudgeUse, Until

NOTHING = InstalledModels((), (), (), ())
DWPOSE = JudgeUse("dwpose", None, "dinov2.safetensors")
SDPOSE = JudgeUse("sdpose", "sdpose.safetensors", None)
POSED = replace(spec(), controlnet="pose.safetensors", judge=DWPOSE)
SHEET = replace(POSED, views=("front", "back", "side"))


def of_type(prompt: Prompt, class_type: str) -> dict[str, dict[str, Any]]:
    return {key: node["inputs"] for key, node in prompt.items() if node["class_type"] == class_type}


def judged(item: AvatarSpec) -> Prompt:
    return with_judges(compile_prompt(item, "made").prompt, item, "made")


def judges(prompt: Prompt) -> list[dict[str, Any]]:
    return list(of_type(prompt, "AvatarForgeJudgePicture").values())


def test_a_prompt_without_a_judge_stays_as_it_is() -> None:
    item = replace(SHEET, judge=None)
    prompt = compile_prompt(item, "made").prompt
    assert with_judges(prompt, item, "made") is prompt


@pytest.mark.parametrize("turnaround", ["batch", "sequential"])
def test_nothing_is_judged_before_all_pictures_are_saved(turnaround: Any) -> None:
    item = replace(SHEET, turnaround=turnaround)
    before = compile_prompt(item, "made").prompt
    prompt = judged(item)
    saves = list(of_type(prompt, "AvatarForgeSave"))
    assert len(saves) == 3
    # What a judge needs at once leads over every save; the rest it asks for later.
    for inputs in judges(prompt):
        needed = [link[0] for link in (inputs["picture"], inputs.get("after")) if link]
        assert set(saves) <= set(upstream(prompt, needed))
    # The nodes that make the pictures are the same, but that the saves follow one another.
    for key, node in before.items():
        inputs = {name: value for name, value in prompt[key]["inputs"].items() if name != "after"}
        assert inputs == node["inputs"]


def test_each_picture_has_a_judge_with_what_it_is_about() -> None:
    front, back, side = judges(judged(SHEET))
    assert [inputs["view"] for inputs in (front, back, side)] == ["front", "back", "side"]
    assert [inputs["position"] for inputs in (front, back, side)] == [1, 2, 3]
    assert {inputs["generation_id"] for inputs in (front, back, side)} == {"made"}
    assert "front" not in front
    assert back["front"] == side["front"] == front["picture"]
    assert {inputs["frame_width"] for inputs in (front, back, side)} == {512}
    assert front["target"] != back["target"]
    assert back["front_target"] == front["target"]
    assert (front["estimator"], front["embedding_model"]) == ("dwpose", "dinov2.safetensors")


def test_the_estimator_looks_at_each_saved_picture() -> None:
    prompt = judged(SHEET)
    looked_at = [inputs["image"] for inputs in of_type(prompt, "DWPreprocessor").values()]
    assert looked_at == [inputs["picture"] for inputs in judges(prompt)]
    assert [inputs["found"][1] for inputs in judges(prompt)] == [1, 1, 1]
    prompt = judged(replace(SHEET, judge=SDPOSE))
    assert [inputs["found"][1] for inputs in judges(prompt)] == [0, 0, 0]
    (loader,) = (
        key
        for key, inputs in of_type(prompt, "CheckpointLoaderSimple").items()
        if inputs["ckpt_name"] == "sdpose.safetensors"
    )
    extractors = of_type(prompt, "SDPoseKeypointExtractor").values()
    assert {inputs["model"][0] for inputs in extractors} == {loader}
    assert "clip_vision" not in judges(prompt)[0]


def test_references_of_the_whole_person_come_first_that_show_the_view_best() -> None:
    def use(name: str, view: str | None, **more: Any) -> ReferenceUse:
        return ReferenceUse(name, "hash", 0.5, "picture", view=view, **more)

    item = replace(
        SHEET,
        reference=use("any", None),
        more_references=(use("back", "back"), use("outfit", None, role="outfit"), use("off", None)),
    )
    item = replace(
        item, more_references=(*item.more_references[:2], replace(item.more_references[2], strength=0))
    )
    prompt = with_judges({}, item, "made")
    assert prompt == {}
    prompt = compile_judging(item, DWPOSE, "made", [(1, 4)])
    (back,) = judges(prompt)
    loaded = [prompt[back[name][0]]["inputs"]["file_id"] for name in ("reference", "reference_2")]
    assert loaded == ["back", "any"]
    assert "reference_3" not in back


def test_a_reroll_is_judged_beside_the_saved_front() -> None:
    prompt = with_judges(compile_reroll(SHEET, "made", 1).prompt, SHEET, "made")
    (back,) = judges(prompt)
    assert "after" not in back
    assert prompt[back["front"][0]]["inputs"] == {"generation_id": "made", "position": 1}


def test_judging_later_loads_the_takes() -> None:
    prompt = compile_judging(SHEET, DWPOSE, "made", [(0, 2), (2, 1)])
    loaded = {key: inputs for key, inputs in of_type(prompt, "AvatarForgeLoadView").items()}
    front, side = judges(prompt)
    assert loaded[front["picture"][0]] == {"generation_id": "made", "position": 1, "take": 2}
    assert loaded[side["picture"][0]] == {"generation_id": "made", "position": 3, "take": 1}
    assert side["front"] == front["picture"]
    assert of_type(prompt, "AvatarForgeSave") == {}
    # The progress of such a prompt is that of its judges.
    planned = plan(prompt, SHEET)
    assert sum(node.weight for node in planned.nodes.values()) == pytest.approx(1)
    assert planned.view_of(front["found"][0]) == "front"


def test_the_view_of_every_other_node_is_that_of_its_picture() -> None:
    item = replace(SHEET, turnaround="sequential")
    before, after = (plan(prompt, item) for prompt in (compile_prompt(item, "made").prompt, judged(item)))
    samplers = [key for key, node in before.nodes.items() if node.samples]
    assert [before.view_of(key) for key in samplers] == [after.view_of(key) for key in samplers]
    assert [before.nodes[key].positions for key in samplers] == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    ("changes", "blocked"),
    [
        ({}, {"palette", "identity"}),
        ({"reference": REFERENCE}, set()),
        ({"reference": REFERENCE, "judge": SDPOSE}, {"identity"}),
        ({"reference": REFERENCE, "judge": JudgeUse()}, {"pose", "view", "identity"}),
        ({"reference": REFERENCE, "controlnet": None}, {"pose"}),
        ({"reference": REFERENCE, "views": (None,)}, {"pose", "view"}),
        ({"reference": REFERENCE, "views": (None,), "pose": SKELETON}, {"view"}),
        ({"reference": replace(REFERENCE, role="style")}, {"palette", "identity"}),
        ({"reference": replace(REFERENCE, strength=0)}, {"palette", "identity"}),
    ],
)
def test_what_cannot_be_measured(changes: dict[str, Any], blocked: set[str]) -> None:
    item = replace(POSED, **changes)
    assert item.judge is not None
    assert set(obstacles(item, 0, item.judge)) == blocked
    until = Until(pose=0.5, view="right", palette=50, identity=50)
    applies = conditions_of(replace(item, until=until), 0)
    assert set(applies) == {"pose", "view", "palette", "identity"} - blocked


@pytest.mark.parametrize(
    ("pose", "loader"),
    [(SKELETON, "LoadKeypoints"), (KEYPOINTS, "LoadKeypoints"), (BUILT_IN, "LibraryPose")],
)
def test_the_target_is_the_given_pose(pose: Any, loader: str) -> None:
    item = replace(POSED, views=("front",), pose=pose)
    prompt = judged(item)
    (inputs,) = judges(prompt)
    assert prompt[inputs["target"][0]]["class_type"] == f"AvatarForge{loader}"


def test_the_best_of_what_is_installed() -> None:
    assert choose_judge(NOTHING) == JudgeUse()
    nodes = frozenset({"DWPreprocessor", "SDPoseKeypointExtractor"})
    installed = replace(
        NOTHING, nodes=nodes, sdpose=("a.safetensors",), clip_visions=("Clip-G", "b/DINOv2-L")
    )
    assert choose_judge(installed) == JudgeUse("dwpose", None, "b/DINOv2-L")
    assert (
        choose_judge(replace(installed, nodes=nodes - {"DWPreprocessor"})).estimator_model == "a.safetensors"
    )
