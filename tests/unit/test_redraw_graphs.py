"""The graphs that redraw a face: what is sampled, where the face is, and what the receipt says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from family_requests import GENERATION, family_requests, redrawn
from graph_checks import check_fits_the_host, nodes
from specs import BUILT_IN, KEYPOINTS, SKELETON, spec

from avatarforge.forge.generations.transactions import used_files
from avatarforge.forge.graphs.compile import compile_prompt, compile_reroll
from avatarforge.forge.graphs.drawn_words import words_warnings
from avatarforge.forge.graphs.face_keypoints import was_posed
from avatarforge.forge.graphs.links import steps_of
from avatarforge.forge.live.plan import plan
from avatarforge.forge.ports import Prompt
from avatarforge.forge.spec.avatar import AvatarSpec
from avatarforge.forge.spec.pose import PoseUse
from avatarforge.forge.spec.receipt import Receipt
from avatarforge.forge.spec.request import parameters
from avatarforge.forge.spec.reroll import Reroll

CONTROLNET = "openpose.safetensors"
REDRAWS = {request.family: request.spec for request in family_requests() if request.spec.redraw is not None}


def sampled(**changes: Any) -> AvatarSpec:
    return replace(spec(), controlnet=CONTROLNET, **changes)


def keypoints_of(prompt: Prompt) -> dict[str, Any]:
    """The node that gives the keypoints of the region."""
    (region,) = nodes(prompt, "AvatarForgeFaceRegion")
    return prompt[region["keypoints"][0]]


def test_only_the_face_of_the_source_is_sampled() -> None:
    wanted = redrawn(sampled(), "happy", "smug", denoise=0.5, margin=0.4)
    compiled = compile_prompt(wanted, GENERATION)
    check_fits_the_host(compiled)
    prompt = compiled.prompt
    assert wanted.redraw is not None
    (source,) = nodes(prompt, "AvatarForgeLoadReference")
    assert source["file_id"] == wanted.redraw.file_id
    (region,) = nodes(prompt, "AvatarForgeFaceRegion")
    assert (region["margin"], region["frame_width"]) == (0.4, 0)
    (masked,) = nodes(prompt, "SetLatentNoiseMask")
    encoded = prompt[masked["samples"][0]]
    samplers, words = nodes(prompt, "KSampler"), nodes(prompt, "AvatarForgePrompt")
    assert [(item["denoise"], item["steps"], item["seed"]) for item in samplers] == [(0.5, 20, 42)] * 2
    assert {prompt[item["latent_image"][0]]["class_type"] for item in samplers} == {"SetLatentNoiseMask"}
    assert encoded["class_type"] == "VAEEncode"
    assert [item["expression"] for item in words] == ["happy", "a smug grin"]
    composites = nodes(prompt, "AvatarForgeCompositeFace")
    for composite in composites:
        assert composite["original"] == encoded["inputs"]["pixels"] == region["image"]
        assert prompt[composite["mask"][0]]["class_type"] == "AvatarForgeFaceRegion"
        assert prompt[composite["redrawn"][0]]["class_type"] == "VAEDecode"
    saved = nodes(prompt, "AvatarForgeSave")
    assert [prompt[item["images"][0]]["inputs"] for item in saved] == composites
    assert [item["position"] for item in saved] == [1, 2]
    # What is the same for all of them is there once.
    assert len(nodes(prompt, "AvatarForgePoseSkeleton")) == len(nodes(prompt, "ControlNetLoader")) == 1


def test_the_receipt_names_the_source_and_what_applies_to_each_expression() -> None:
    compiled = compile_prompt(redrawn(sampled(), "happy", "sad"), GENERATION)
    lines = [(line.role, line.view, line.picture, line.node_type) for line in compiled.inputs]
    for number in (1, 2):
        assert ("source", "front", number, "AvatarForgeCompositeFace") in lines
        assert ("view", "front", number, "AvatarForgeApplyPose") in lines
    assert len(lines) == 4
    assert Receipt.from_json(Receipt(compiled.inputs).to_json()).inputs == compiled.inputs


@pytest.mark.parametrize("family", REDRAWS)
def test_every_family_runs_all_of_its_steps_on_a_part_of_the_noise(family: str) -> None:
    wanted = REDRAWS[family]
    prompt = compile_prompt(wanted, GENERATION).prompt
    counted = [
        steps_of(prompt, node_id)
        for node_id, node in prompt.items()
        if node["class_type"] in ("KSampler", "SamplerCustomAdvanced", "AvatarForgePaperDoll")
    ]
    assert counted == [wanted.steps] * 2
    if family == "flux2":
        (split,) = nodes(prompt, "SplitSigmas")
        total = prompt[split["sigmas"][0]]["inputs"]["steps"]
        assert (total, split["step"]) == (int(wanted.steps / 0.6), total - wanted.steps)
    elif family != "doll":
        assert [item["denoise"] for item in nodes(prompt, "KSampler")] == [0.6] * 2
    # Progress belongs to the picture of each.
    planned = plan(prompt, wanted)
    assert [node.positions for node in planned.nodes.values() if node.samples] == [(0,), (1,)]


@pytest.mark.parametrize(
    ("pose", "views", "shown", "node", "inputs"),
    [
        (None, ("front",), 1, "AvatarForgePoseSkeleton", {"view": "front", "width": 512}),
        (None, ("front", "back", "side"), 3, "AvatarForgePoseSkeleton", {"view": "side", "width": 512}),
        (KEYPOINTS, (None,), 1, "AvatarForgeLoadKeypoints", {"file_id": KEYPOINTS.file.file_id}),
        (KEYPOINTS, ("front", "quarter"), 2, "AvatarForgePoseSkeleton", {"view": "quarter"}),
        (SKELETON, ("front",), 1, "AvatarForgeLoadKeypoints", {"file_id": SKELETON.file.file_id}),
        (BUILT_IN, ("front", "left"), 2, "AvatarForgeLibraryPose", {"view": "left", "sheet": "front, left"}),
    ],
)
@pytest.mark.parametrize("drawn", [False, True])
def test_the_keypoints_are_those_of_the_picture(
    pose: PoseUse | None,
    views: tuple[str | None, ...],
    shown: int,
    node: str,
    inputs: dict[str, Any],
    drawn: bool,
) -> None:
    base = replace(REDRAWS["doll"], width=512, height=768, redraw=None) if drawn else sampled()
    source = replace(base, views=views, pose=pose)
    view = views[shown - 1]
    width = 480 if view in ("side", "left") else 512
    wanted = redrawn(source, "happy", position=shown, width=width)
    compiled = compile_prompt(replace(wanted, views=(view,)), GENERATION)
    check_fits_the_host(compiled)
    found = keypoints_of(compiled.prompt)
    assert was_posed(source, view)
    assert found["class_type"] == node
    assert found["inputs"].items() >= inputs.items()
    (region,) = nodes(compiled.prompt, "AvatarForgeFaceRegion")
    # A narrow view was cut out of the frame.
    assert region["frame_width"] == (512 if width == 480 else 0)
    assert compiled.warnings == ()


@pytest.mark.parametrize(
    "source",
    [
        replace(spec(), controlnet=None),
        sampled(skeleton_strength=0.0),
        sampled(views=(None,), pose=replace(SKELETON, plan=replace(SKELETON.plan, treatment="raw"))),
    ],
    ids=["nothing applies it", "strength 0", "raw"],
)
def test_without_known_keypoints_the_picture_is_read(source: AvatarSpec) -> None:
    assert not was_posed(source, source.views[0])
    wanted = redrawn(source, "happy", extractor="sdpose", extractor_model="sdpose.safetensors")
    compiled = compile_prompt(wanted, GENERATION)
    check_fits_the_host(compiled)
    found = keypoints_of(compiled.prompt)
    assert found["class_type"] == "AvatarForgeReadSkeleton"
    (photo,) = [item for item in nodes(compiled.prompt, "AvatarForgeLoadPose") if item["width"] > 600]
    assert wanted.redraw is not None and photo["file_id"] == wanted.redraw.file_id
    kept = compile_prompt(redrawn(source, "happy", kept_file_id="kept"), GENERATION)
    assert keypoints_of(kept.prompt)["inputs"]["file_id"] == "kept"


def test_the_doll_draws_the_same_character_again() -> None:
    wanted = replace(redrawn(REDRAWS["doll"], "happy", "smug", identity_seed=7), seed=7)
    compiled = compile_prompt(wanted, GENERATION)
    first, second = nodes(compiled.prompt, "AvatarForgePaperDoll")
    assert (first["seed"], first["view_seed"]) == (7, -1)
    assert (first["prompt"], second["prompt"]) == ("happy, a knight", "a smug grin, a knight")
    own = nodes(compile_prompt(replace(wanted, seed=9), GENERATION).prompt, "AvatarForgePaperDoll")
    assert {(item["seed"], item["view_seed"]) for item in own} == {(7, 9)}
    (saved, _) = nodes(compiled.prompt, "AvatarForgeSave")
    source, output = saved["parts"]
    assert (compiled.prompt[source]["class_type"], output) == ("AvatarForgeLoadReference", 2)
    unknown = redrawn(REDRAWS["doll"], "smug")
    assert unknown.redraw is not None
    odd = replace(unknown.redraw.expressions[0], words="a flummoxed gaze")
    (warning,) = words_warnings(replace(unknown, redraw=replace(unknown.redraw, expressions=(odd,))))
    assert "flummoxed" in warning.parameters["words"]  # type: ignore[operator]


def test_a_reroll_makes_one_expression_and_keeps_the_others() -> None:
    wanted = redrawn(sampled(), "happy", "sad", "angry")
    receipt = Receipt(compile_prompt(wanted, GENERATION).inputs)
    compiled = compile_reroll(wanted.with_seed_at(1, 8), GENERATION, 1)
    assert [(item["seed"]) for item in nodes(compiled.prompt, "KSampler")] == [8]
    assert [item["position"] for item in nodes(compiled.prompt, "AvatarForgeSave")] == [2]
    assert {line.picture for line in compiled.inputs} == {2}
    after, merged = Reroll(1, "front", 8, compiled.inputs).apply(wanted, receipt)
    assert [after.seed_at(position) for position in range(3)] == [42, 8, 42]
    assert [line.picture for line in merged.inputs] == [1, 1, 3, 3, 2, 2]


def test_a_redraw_is_stored_and_can_be_repeated() -> None:
    wanted = redrawn(sampled(), "happy", "smug")
    assert AvatarSpec.from_json(wanted.to_json()) == wanted
    assert AvatarSpec.from_json(sampled().to_json()).redraw is None
    assert wanted.redraw is not None
    assert used_files(wanted) == {"source": wanted.redraw.file_id}
    assert "a smug grin" in wanted.texts
    assert [wanted.expression_at(position) for position in range(2)] == ["happy", "smug"]
    assert parameters(wanted, "expressions") == {
        "generation_id": GENERATION,
        "position": 1,
        "expressions": ["happy", "smug"],
        "denoise": 0.6,
        "margin": 0.25,
        "seed": 42,
    }
