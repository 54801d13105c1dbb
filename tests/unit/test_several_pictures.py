"""`count`: each picture of a generation is that of a single request with its seed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from graph_checks import check_fits_the_host
from graphs import custom_sampler
from specs import KEYPOINTS, REFERENCE, spec

from avatarforge.forge.errors import UnprocessableError
from avatarforge.forge.families.doll import DOLL
from avatarforge.forge.generations.applicability import chosen_views, position_of
from avatarforge.forge.generations.compiling import choose_turnaround
from avatarforge.forge.graphs.compile import CompiledPrompt, compile_prompt, compile_reroll
from avatarforge.forge.live.plan import OTHER_SHARE, plan
from avatarforge.forge.ports import NodeState, Prompt
from avatarforge.forge.spec.avatar import AvatarSpec
from avatarforge.forge.spec.outputs import output_names
from avatarforge.forge.spec.receipt import AppliedInput, Receipt
from avatarforge.forge.spec.request import AvatarRequest, parameters
from avatarforge.forge.spec.reroll import Reroll
from avatarforge.forge.spec.settings import SEEDS
from avatarforge.forge.spec.template import TemplateUse
from avatarforge.forge.spec.views import SHEET_VIEWS, VIEW_NAMES
from avatarforge.forge.templates.fill import compile_template
from avatarforge.forge.templates.find import find_slots
from avatarforge.forge.templates.template import KIND, Template

ID = "11111111-1111-4111-8111-111111111111"
VIEWS = ("front", "side", "back")
GRAPH = custom_sampler()
TEMPLATE = Template("t", "mine", 1, GRAPH, find_slots(GRAPH).slots)
DRAWN: dict[str, Any] = {
    "family": DOLL.name,
    "model_folder": "",
    "checkpoint": "Paper doll",
    "pose_method": "keypoints",
    "controlnet": None,
    "steps": 4,
}
LOOKING = replace(spec(), pose=KEYPOINTS, reference=REFERENCE, controlnet="pose.safetensors")
SHEETS: dict[str, AvatarSpec] = {
    "batch": replace(LOOKING, views=VIEWS, turnaround="batch"),
    "one after another": replace(LOOKING, views=VIEWS, turnaround="sequential"),
    "large pixels": replace(spec(), views=VIEWS, pixel_height=96, pixel_colors=16),
    "doll": replace(spec(), views=VIEWS, **DRAWN),
    "one picture of the doll": replace(spec(), **DRAWN),
    "a sampler that adds noise": replace(LOOKING, sampler="euler_ancestral"),
    "little memory": replace(LOOKING, turnaround="sequential"),
    "template": replace(spec(), views=VIEWS, template=TEMPLATE.use(), family=KIND, pixel_height=96),
}


def compile_any(wanted: AvatarSpec) -> CompiledPrompt:
    if wanted.template is not None:
        return compile_template(TEMPLATE, wanted, ID)
    return compile_prompt(wanted, ID)


def of_type(prompt: Prompt, class_type: str) -> list[dict[str, Any]]:
    return [node["inputs"] for node in prompt.values() if node["class_type"] == class_type]


def made_of(prompt: Prompt, node_id: str) -> Any:
    """Everything that decides what a node gives, without ids."""
    node = prompt[node_id]
    inputs = {
        name: [made_of(prompt, value[0]), value[1]] if isinstance(value, list) else value
        for name, value in node["inputs"].items()
        if name not in ("generation_id", "position")
    }
    return [node["class_type"], inputs]


def pictures(prompt: Prompt) -> dict[int, Any]:
    """What each picture is made of, by its position from 1."""
    return {
        node["inputs"]["position"]: made_of(prompt, key)
        for key, node in prompt.items()
        if node["class_type"] == "AvatarForgeSave"
    }


@pytest.mark.parametrize("name", SHEETS)
def test_each_sheet_is_that_of_a_request_with_its_seed(name: str) -> None:
    sheet = replace(SHEETS[name], count=3, seed=SEEDS - 2)
    compiled = compile_any(sheet)
    found = pictures(compiled.prompt)
    each = len(sheet.views)
    assert sorted(found) == list(range(1, 3 * each + 1))
    for number, seed in enumerate((SEEDS - 2, SEEDS - 1, 0)):
        alone = pictures(compile_any(replace(sheet, count=1, seed=seed)).prompt)
        assert [found[number * each + place] for place in range(1, each + 1)] == list(alone.values())
    assert len({json.dumps(picture) for picture in found.values()}) == 3 * each


@pytest.mark.parametrize("name", [name for name in SHEETS if name != "template"])
def test_what_does_not_depend_on_the_seed_is_there_once(name: str) -> None:
    sheet = SHEETS[name]
    one, three = (compile_prompt(replace(sheet, count=count), ID).prompt for count in (1, 3))
    for kind in ("AvatarForgePrompt", "AvatarForgeViewsLatent", "AvatarForgeApplyPose", "ControlNetLoader"):
        assert len(of_type(three, kind)) == len(of_type(one, kind))
    assert len(of_type(three, "CheckpointLoaderSimple")) == (0 if sheet.is_drawn else 1)
    check_fits_the_host(compile_prompt(replace(sheet, count=3), ID))


def test_several_pictures_of_one_view_are_rows_with_seeds_of_their_own() -> None:
    wanted = replace(LOOKING, views=("side",), count=3, seed=SEEDS - 1)
    compiled = compile_prompt(wanted, ID)
    prompt = compiled.prompt
    check_fits_the_host(compiled)
    (sampler,) = of_type(prompt, "KSampler")
    (seeds,) = of_type(prompt, "AvatarForgeRowSeeds")
    assert (sampler["seed"], seeds["seeds"]) == (SEEDS - 1, f"{SEEDS - 1}, 0, 1")
    (canvas,) = of_type(prompt, "AvatarForgeViewsLatent")
    assert canvas["views"] == 3
    assert [row["view"] for row in of_type(prompt, "AvatarForgeTakeView")] == [0, 1, 2]
    (words,) = of_type(prompt, "AvatarForgePrompt")
    assert (words["view"], words["views"]) == ("side", "")
    # Beside the seeds and the number of rows, the sampler has what it has for one picture.
    single = compile_prompt(replace(wanted, count=1), ID).prompt
    (alone,) = (key for key, node in single.items() if node["class_type"] == "KSampler")
    sampled = dict(sampler, model=seeds["model"])
    latent = {**canvas, "views": 1}
    inputs = {
        name: [made_of(prompt, value[0]), value[1]] if isinstance(value, list) else value
        for name, value in sampled.items()
    }
    inputs["latent_image"] = [["AvatarForgeViewsLatent", latent], 0]
    assert ["KSampler", inputs] == made_of(single, alone)


def test_every_picture_has_its_lines_in_the_receipt() -> None:
    for wanted in (replace(LOOKING, count=3), replace(SHEETS["one after another"], count=2)):
        lines = compile_prompt(wanted, ID).inputs
        for number, view in enumerate(wanted.pictures, 1):
            mine = [line for line in lines if line.picture == number]
            assert {line.view for line in mine} == {view}
            assert "reference" in {line.role for line in mine}
        assert {line.picture for line in lines} == set(range(1, len(wanted.pictures) + 1))
    assert {line.picture for line in compile_prompt(LOOKING, ID).inputs} == {None}


@pytest.mark.parametrize("name", ["batch", "doll", "large pixels"])
def test_a_reroll_looks_at_the_front_of_its_sheet(name: str) -> None:
    sheet = replace(SHEETS[name], count=3).with_seed_at(5, 7)
    prompt = compile_reroll(sheet, ID, 5).prompt  # the back of the second sheet
    assert list(pictures(prompt)) == [6]
    assert {item["position"] for item in of_type(prompt, "AvatarForgeLoadView")} <= {4}
    if name == "doll":
        (doll,) = of_type(prompt, "AvatarForgePaperDoll")
        assert (doll["seed"], doll["view_seed"]) == (43, 7)
    else:
        assert of_type(prompt, "AvatarForgeLoadView")
        assert [item["seed"] for item in of_type(prompt, "KSampler")] == [7]
    assert {line.picture for line in compile_reroll(sheet, ID, 5).inputs} == {6}


def test_the_seeds_of_pictures_and_rerolls() -> None:
    sheet = replace(spec(), views=("front", "back"), count=2, seed=10)
    assert sheet.pictures == ("front", "back", "front", "back")
    assert [sheet.seed_at(position) for position in range(4)] == [10, 10, 11, 11]
    rolled = sheet.with_seed_at(3, 99)
    assert [rolled.seed_at(position) for position in range(4)] == [10, 10, 11, 99]
    assert AvatarSpec.from_json(rolled.to_json()) == rolled
    assert list(output_names(sheet).values()) == [0, 1, 2, 3]
    # One sheet stores its re-rolls by view, as earlier releases read them.
    assert replace(sheet, count=1).with_seed_at(1, 5).reseeded == {"back": 5}
    old = json.loads(spec().to_json())
    del old["count"]
    assert AvatarSpec.from_json(json.dumps(old)).count == 1


def test_a_reroll_replaces_the_lines_of_its_picture_only() -> None:
    sheet = replace(SHEETS["batch"], count=2)
    before = Receipt(compile_prompt(sheet, ID).inputs)
    again = compile_reroll(sheet.with_seed_at(4, 5), ID, 4).inputs
    after_spec, after = Reroll(4, "side", 5, again).apply(sheet, before)
    assert after_spec.seed_at(4) == 5

    def of(receipt: Receipt, number: int) -> list[AppliedInput]:
        return [line for line in receipt.inputs if line.picture == number]

    assert of(after, 5) == list(again)
    for number in (1, 2, 3, 4, 6):
        assert of(after, number) == of(before, number)
    assert Receipt.from_json(after.to_json()) == after


def test_a_failed_reroll_says_which_picture_it_was() -> None:
    sheet = replace(spec(), views=("front", "back"), count=2)
    free = replace(spec(), views=(None,))
    for wanted, position, shown in (
        (replace(sheet, count=1), 1, "back"),
        (sheet, 3, "picture 4 (back)"),
        (free, 0, "the picture"),
        (replace(free, count=2), 1, "picture 2"),
    ):
        again = Reroll(position, wanted.pictures[position], 5, ())
        (warning,) = again.fail(wanted, Receipt(), "no memory").warnings
        assert warning.detail == f"The re-roll of {shown} failed: no memory"


def test_progress_counts_every_picture() -> None:
    wanted = replace(spec(), count=4)
    prompt = compile_prompt(wanted, ID).prompt
    planned = plan(prompt, wanted)
    (sampler,) = (key for key, node in prompt.items() if node["class_type"] == "KSampler")
    assert [planned.position_of(sampler, row) for row in range(5)] == [0, 1, 2, 3, None]
    wanted = replace(spec(), views=VIEWS, count=2, turnaround="sequential")
    prompt = compile_prompt(wanted, ID).prompt
    planned = plan(prompt, wanted)
    samplers = [key for key, node in prompt.items() if node["class_type"] == "KSampler"]
    assert [planned.nodes[key].positions for key in samplers] == [(0,), (1,), (2,), (3,), (4,), (5,)]
    done = planned.done({key: NodeState(False, 20, 20) for key in samplers[:3]})
    assert abs(done - (1 - OTHER_SHARE) / 2) < 1e-9


async def test_the_batch_of_a_view_has_to_fit_as_that_of_a_sheet() -> None:
    asked: list[int] = []

    async def fits(_folder: str, _name: str, _width: int, _height: int, rows: int) -> bool:
        asked.append(rows)
        return False

    wanted = replace(spec(), count=5)
    assert (await choose_turnaround(fits, wanted, None)).turnaround == "sequential"
    for other in (spec(), replace(wanted, sampler="lcm"), replace(wanted, **DRAWN)):
        assert await choose_turnaround(fits, other, None) == other
    sheet = replace(wanted, views=SHEET_VIEWS)
    assert (await choose_turnaround(fits, sheet, None)).turnaround == "sequential"
    assert asked == [5, 4]


def test_a_generation_has_64_pictures_at_most() -> None:
    wanted = AvatarRequest("a knight", count=16)
    assert chosen_views(wanted, "all_poses", SHEET_VIEWS) == SHEET_VIEWS
    assert chosen_views(wanted, "avatar", None) is None
    with pytest.raises(UnprocessableError, match="16 sheets of 10 views are 160 pictures") as refused:
        chosen_views(replace(wanted, views=VIEW_NAMES), "all_poses", SHEET_VIEWS)
    assert refused.value.location == ("body", "count")
    with pytest.raises(UnprocessableError, match="the limit of a generation is 64"):
        chosen_views(wanted, "all_poses", VIEW_NAMES[:5])


def test_a_picture_is_found_by_its_view_its_number_or_both() -> None:
    sheet = replace(spec(), views=("front", "back"), count=2)
    assert position_of(replace(sheet, count=1), "back", None) == 1
    assert [position_of(sheet, None, number) for number in (1, 4)] == [0, 3]
    assert position_of(sheet, "front", 3) == 2
    assert position_of(replace(spec(), views=(None,)), None, 1) == 0


@pytest.mark.parametrize(
    ("view", "number", "told"),
    [
        ("side", None, "no side view"),
        ("front", None, "one of 1, 3"),
        ("front", 2, "shows back, not front"),
        (None, 5, "no picture 5: it has 4"),
        (None, None, "Say which picture"),
    ],
)
def test_what_names_no_picture_is_refused(view: str | None, number: int | None, told: str) -> None:
    sheet = replace(spec(), views=("front", "back"), count=2)
    with pytest.raises(UnprocessableError, match=told) as refused:
        position_of(sheet, view, number)
    assert refused.value.location[0] == "query"


def test_parameters_repeat_the_number() -> None:
    assert parameters(replace(spec(), count=4), "avatar")["count"] == 4
    with_template = replace(spec(), template=TemplateUse("t", "i", 1, ("seed",)), count=2)
    assert parameters(with_template, "avatar")["count"] == 2
