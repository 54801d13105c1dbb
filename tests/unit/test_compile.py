"""`compile_prompt`, by value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from graph_checks import check_fits_the_host
from specs import KEYPOINTS, REFERENCE, SKELETON, spec

from avatarforge.forge.errors import UnprocessableError
from avatarforge.forge.graphs.compile import compile_prompt, compile_reroll, view_size
from avatarforge.forge.ports import Prompt
from avatarforge.forge.spec.avatar import AvatarSpec
from avatarforge.forge.spec.outputs import output_names
from avatarforge.forge.spec.views import SHEET_VIEWS

GENERATION = "11111111-1111-4111-8111-111111111111"
CONTROLNET = "openpose.safetensors"


def nodes(prompt: Prompt, class_type: str) -> list[dict[str, Any]]:
    return [node["inputs"] for node in prompt.values() if node["class_type"] == class_type]


def one(prompt: Prompt, class_type: str) -> dict[str, Any]:
    (found,) = nodes(prompt, class_type)
    return found


def source(prompt: Prompt, link: list[Any]) -> dict[str, Any]:
    return prompt[link[0]]


def posed() -> AvatarSpec:
    return replace(spec(), controlnet=CONTROLNET)


def variants() -> list[AvatarSpec]:
    return [
        replace(
            posed(),
            views=views,
            pose=pose,
            reference=reference,
            turnaround=turnaround,
            controlnet_is_union=turnaround == "sequential",
        )
        for views in (("front",), ("back",), SHEET_VIEWS)
        for pose in (None, SKELETON, KEYPOINTS)
        for reference in (None, REFERENCE)
        for turnaround in ("batch", "sequential")
    ] + [replace(posed(), views=(None,), pose=SKELETON)]


@pytest.mark.parametrize("wanted", variants(), ids=lambda wanted: f"{wanted.views}-{wanted.turnaround}")
def test_every_node_and_link_fits_the_recorded_host(wanted: AvatarSpec) -> None:
    check_fits_the_host(compile_prompt(wanted, GENERATION))
    for position in range(len(wanted.views)):
        check_fits_the_host(compile_reroll(wanted, GENERATION, position))


def test_a_plain_request_compiles_to_exactly_this() -> None:
    compiled = compile_prompt(spec(), GENERATION)
    assert [node["class_type"] for node in compiled.prompt.values()] == [
        "CheckpointLoaderSimple",
        "AvatarForgePrompt",
        "AvatarForgeViewsLatent",
        "KSampler",
        "VAEDecode",
        "AvatarForgeSave",
    ]
    assert compiled.prompt["1"]["inputs"] == {"ckpt_name": "anime.safetensors"}
    assert compiled.prompt["2"]["inputs"] == {
        "clip": ["1", 1],
        "prompt": "a knight",
        "clothing": "",
        "style": "",
        "realism": False,
        "negative_prompt": "",
        "view": "front",
        "family": "sd15",
        "pictures": "",
        "character": "",
        "expression": "",
        "elevation": "level",
        "views": "",
    }
    assert compiled.prompt["3"]["inputs"] == {
        "width": 512,
        "height": 768,
        "views": 1,
        "shared_noise": True,
        "family": "sd15",
    }
    assert compiled.prompt["4"]["inputs"] == {
        "model": ["1", 0],
        "positive": ["2", 0],
        "negative": ["2", 1],
        "latent_image": ["3", 0],
        "seed": 42,
        "steps": 20,
        "cfg": 7.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
    }
    assert compiled.prompt["6"]["inputs"] == {
        "images": ["5", 0],
        "generation_id": GENERATION,
        "position": 1,
    }
    assert compiled.inputs == ()
    assert compiled.warnings == ()


def test_a_view_follows_its_built_in_skeleton() -> None:
    compiled = compile_prompt(replace(posed(), views=("back",)), GENERATION)
    assert one(compiled.prompt, "AvatarForgePoseSkeleton") == {
        "view": "back",
        "views": "",
        "width": 512,
        "height": 768,
        "bones": "standard",
    }
    (line,) = compiled.inputs
    assert (line.role, line.view, line.kind, line.file_id) == ("view", "back", "built-in skeleton", None)
    assert (line.model, line.strength, line.first_step, line.last_step) == (CONTROLNET, 1.0, 1, 20)
    sampler = one(compiled.prompt, "KSampler")
    assert (sampler["positive"], sampler["negative"]) == ([line.node, 0], [line.node, 1])


def test_built_in_skeletons_of_strength_zero_are_left_out() -> None:
    wanted = replace(posed(), views=("back",), skeleton_strength=0.0)
    assert compile_prompt(wanted, GENERATION) == compile_prompt(replace(wanted, controlnet=None), GENERATION)


def test_a_given_pose_takes_the_place_of_the_built_in_one() -> None:
    for view in (None, "front", "back"):
        wanted = replace(posed(), views=(view,), pose=replace(SKELETON, strength=0.8))
        compiled = compile_prompt(wanted, GENERATION)
        assert one(compiled.prompt, "AvatarForgeLoadPose")["file_id"] == SKELETON.file.file_id
        assert not nodes(compiled.prompt, "AvatarForgePoseSkeleton")
        (line,) = compiled.inputs
        assert (line.role, line.view, line.kind) == ("pose", view, "skeleton")
        assert (line.file_id, line.content_hash) == (SKELETON.file.file_id, SKELETON.file.content_hash)
        assert compiled.prompt[line.node]["inputs"]["strength"] == line.strength == 0.8


def test_a_union_controlnet_is_told_that_it_is_a_pose() -> None:
    compiled = compile_prompt(replace(posed(), views=("front",), controlnet_is_union=True), GENERATION)
    net = source(compiled.prompt, one(compiled.prompt, "AvatarForgeApplyPose")["control_net"])
    assert (net["class_type"], net["inputs"]["type"]) == ("SetUnionControlNetType", "openpose")


def test_the_reference_is_looked_at_by_the_model() -> None:
    compiled = compile_prompt(replace(spec(), reference=REFERENCE), GENERATION)
    (line,) = compiled.inputs
    sampler = one(compiled.prompt, "KSampler")
    assert sampler["model"] == [line.node, 0]
    assert sampler["denoise"] == 1.0
    applied = compiled.prompt[line.node]["inputs"]
    assert (applied["strength"], applied["start_percent"], applied["end_percent"]) == (0.5, 0.0, 1.0)
    assert one(compiled.prompt, "AvatarForgeLoadReference") == {"file_id": REFERENCE.file_id}
    assert (line.role, line.view, line.kind, line.strength) == ("reference", "front", "picture", 0.5)
    assert (line.model, line.node_type) == ("anime.safetensors", "AvatarForgeApplyReference")


def test_an_ipadapter_applies_the_reference_where_it_is_installed() -> None:
    use = replace(
        REFERENCE, method="ipadapter", preset="PLUS (high strength)", model="ip-adapter-plus_sd15.safetensors"
    )
    compiled = compile_prompt(replace(spec(), reference=use), GENERATION)
    (line,) = compiled.inputs
    assert (line.node_type, line.model) == ("IPAdapterAdvanced", "ip-adapter-plus_sd15.safetensors")
    assert one(compiled.prompt, "IPAdapterUnifiedLoader")["preset"] == "PLUS (high strength)"
    assert compiled.prompt[line.node]["inputs"]["weight"] == 0.5
    assert one(compiled.prompt, "KSampler")["model"] == [line.node, 0]


def test_strength_zero_compiles_to_the_same_as_absence() -> None:
    unsteered = replace(
        spec(), pose=replace(SKELETON, strength=0.0), reference=replace(REFERENCE, strength=0.0)
    )
    assert compile_prompt(unsteered, GENERATION) == compile_prompt(spec(), GENERATION)


def test_all_views_run_in_one_sampler() -> None:
    compiled = compile_prompt(replace(posed(), views=SHEET_VIEWS, reference=REFERENCE), GENERATION)
    prompt = compiled.prompt
    assert one(prompt, "AvatarForgePrompt")["view"] == "all four"
    assert one(prompt, "AvatarForgePoseSkeleton")["view"] == "all four"
    assert one(prompt, "AvatarForgeViewsLatent")["views"] == 4
    assert one(prompt, "AvatarForgeViewsLatent")["shared_noise"] is True
    assert one(prompt, "KSampler")["seed"] == 42
    assert one(prompt, "AvatarForgeShareViews")["consistency"] == 0.7
    assert [(take["view"], take["width"]) for take in nodes(prompt, "AvatarForgeTakeView")] == [
        (0, 0),
        (1, 0),
        (2, 480),
        (3, 0),
    ]
    assert [save["position"] for save in nodes(prompt, "AvatarForgeSave")] == [1, 2, 3, 4]
    lines = {(line.role, line.view) for line in compiled.inputs}
    assert lines == {
        *(("reference", view) for view in SHEET_VIEWS),
        *(("view", view) for view in SHEET_VIEWS),
        *(("anchor", view) for view in SHEET_VIEWS[1:]),
    }


def test_consistency_zero_is_off() -> None:
    wanted = replace(spec(), views=SHEET_VIEWS, consistency=0.0)
    for turnaround in ("batch", "sequential"):
        compiled = compile_prompt(replace(wanted, turnaround=turnaround), GENERATION)
        assert not nodes(compiled.prompt, "AvatarForgeShareViews")
        assert not nodes(compiled.prompt, "AvatarForgeApplyReference")
        assert compiled.inputs == ()


def test_one_after_another_the_front_comes_first_and_the_others_look_at_it() -> None:
    compiled = compile_prompt(replace(posed(), views=SHEET_VIEWS, turnaround="sequential"), GENERATION)
    prompt = compiled.prompt
    samplers = [(key, node) for key, node in prompt.items() if node["class_type"] == "KSampler"]
    assert len(samplers) == 4
    front, *others = samplers
    assert source(prompt, front[1]["inputs"]["model"])["class_type"] == "CheckpointLoaderSimple"
    for _, other in others:
        patch = source(prompt, other["inputs"]["model"])
        assert patch["class_type"] == "AvatarForgeApplyReference"
        assert patch["inputs"]["reference"] == [front[0], 0]
        assert patch["inputs"]["strength"] == 0.7
    assert len(nodes(prompt, "CheckpointLoaderSimple")) == len(nodes(prompt, "ControlNetLoader")) == 1
    assert [(line.view) for line in compiled.inputs if line.role == "anchor"] == list(SHEET_VIEWS[1:])


def test_of_a_sheet_a_flat_pose_decides_the_front_and_keypoints_the_back_too() -> None:
    for use, views in ((SKELETON, {"front"}), (KEYPOINTS, {"front", "back"})):
        for turnaround in ("batch", "sequential"):
            wanted = replace(posed(), views=SHEET_VIEWS, pose=use, turnaround=turnaround)
            compiled = compile_prompt(wanted, GENERATION)
            assert {line.view for line in compiled.inputs if line.role == "pose"} == views
            assert {line.view for line in compiled.inputs if line.role == "view"} == set(SHEET_VIEWS) - views
            (warning,) = compiled.warnings
            assert "built-in skeletons" in warning.detail
            named = warning.parameters["views"]
            assert isinstance(named, tuple)
            assert (warning.code, set(named)) == ("pose_on_some_views", views)
            turned = {load["from_behind"] for load in nodes(compiled.prompt, "AvatarForgeLoadPose")}
            assert turned == {False, "back" in views}


def test_a_rerolled_view_looks_at_the_saved_front_with_a_seed_of_its_own() -> None:
    wanted = replace(posed(), views=SHEET_VIEWS, reference=REFERENCE, reseeded={"back": 7})
    compiled = compile_reroll(wanted, GENERATION, 1)
    prompt = compiled.prompt
    assert one(prompt, "KSampler")["seed"] == 7
    assert one(prompt, "AvatarForgeLoadView") == {"generation_id": GENERATION, "position": 1}
    assert one(prompt, "AvatarForgePrompt")["view"] == "back"
    assert one(prompt, "AvatarForgePoseSkeleton")["view"] == "back"
    assert one(prompt, "AvatarForgeSave")["position"] == 2
    assert {line.role for line in compiled.inputs} == {"reference", "anchor", "view"}
    assert not nodes(compile_reroll(wanted, GENERATION, 0).prompt, "AvatarForgeLoadView")


def test_a_front_pose_has_no_place_in_a_reroll_of_the_side() -> None:
    wanted = replace(posed(), views=SHEET_VIEWS, pose=SKELETON)
    side = compile_reroll(wanted, GENERATION, SHEET_VIEWS.index("side"))
    assert [line.role for line in side.inputs if line.role in ("pose", "view")] == ["view"]
    front = compile_reroll(wanted, GENERATION, 0)
    assert [line.role for line in front.inputs] == ["pose"]


def test_an_input_that_nothing_applies_is_refused() -> None:
    with pytest.raises(UnprocessableError, match="nothing here can apply it"):
        compile_prompt(replace(spec(), pose=SKELETON, controlnet=None), GENERATION)


@pytest.mark.parametrize("size", [(512, 768), (64, 64), (1024, 512), (64, 4096), (4096, 64), (520, 520)])
def test_the_side_view_is_narrower_than_high_and_fits_the_latent(size: tuple[int, int]) -> None:
    wanted = replace(spec(), width=size[0], height=size[1])
    width, height = view_size(wanted, "side")
    assert 8 <= width <= size[0]
    assert width < height == size[1]
    assert width % 8 == 0
    assert view_size(wanted, "front") == size


def test_the_names_of_the_pictures_tell_their_places() -> None:
    assert output_names(replace(spec(), views=SHEET_VIEWS)) == {
        "avatarforge_00001.png": 0,
        "avatarforge_00002.png": 1,
        "avatarforge_00003.png": 2,
        "avatarforge_00004.png": 3,
    }


def test_the_spec_survives_its_json() -> None:
    for wanted in (
        replace(spec(), views=(None, "back"), pose=KEYPOINTS, reference=REFERENCE, reseeded={"back": 1}),
        spec(),
    ):
        assert AvatarSpec.from_json(wanted.to_json()) == wanted
