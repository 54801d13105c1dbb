"""`compile_prompt`, by value, against a recorded `object_info` of ComfyUI 0.30 with this pack.

`tests/host/test_nodes.py` holds the record equal to the live host.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from specs import POSE, REFERENCE, spec

from avatarforge.forge.generations.spec import AvatarSpec
from avatarforge.forge.graphs.compile import compile_prompt, view_size
from avatarforge.forge.ports import Prompt
from avatarforge.forge.views import VIEW_NAMES

OBJECT_INFO: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "object_info.json").read_text(encoding="utf-8")
)
GENERATION = "11111111-1111-4111-8111-111111111111"


def nodes(prompt: Prompt, class_type: str) -> list[dict[str, Any]]:
    return [node["inputs"] for node in prompt.values() if node["class_type"] == class_type]


def variants() -> list[AvatarSpec]:
    return [
        replace(spec(), views=views, pose=pose, reference=reference)
        for views in (("front",), (None,), VIEW_NAMES)
        for pose in (None, POSE)
        for reference in (None, REFERENCE)
    ]


@pytest.mark.parametrize("wanted", variants(), ids=str)
def test_every_node_and_link_fits_the_recorded_host(wanted: AvatarSpec) -> None:
    prompt = compile_prompt(wanted, GENERATION).prompt
    for node in prompt.values():
        offered = OBJECT_INFO[node["class_type"]]["input"]
        required, optional = offered.get("required", {}), offered.get("optional", {})
        assert set(required) <= set(node["inputs"]) <= {*required, *optional}
        for name, value in node["inputs"].items():
            kind = {**optional, **required}[name][0]
            if isinstance(value, list):
                source, slot = value
                assert OBJECT_INFO[prompt[source]["class_type"]]["output"][slot] == kind
            elif isinstance(kind, str):
                wants = {"INT": int, "FLOAT": (int, float), "STRING": str, "COMBO": str}[kind]
                assert isinstance(value, wants), name
                limits = {**optional, **required}[name][1] if len({**optional, **required}[name]) > 1 else {}
                if "min" in limits:
                    assert limits["min"] <= value <= limits["max"], name


def test_a_plain_request_compiles_to_exactly_this() -> None:
    compiled = compile_prompt(spec(), GENERATION)
    assert [node["class_type"] for node in compiled.prompt.values()] == [
        "CheckpointLoaderSimple",
        "CLIPTextEncode",
        "CLIPTextEncode",
        "EmptyLatentImage",
        "KSampler",
        "VAEDecode",
        "AvatarForgeSave",
    ]
    assert compiled.prompt["1"]["inputs"] == {"ckpt_name": "anime.safetensors"}
    assert compiled.prompt["4"]["inputs"] == {"width": 512, "height": 768, "batch_size": 1}
    assert compiled.prompt["5"]["inputs"] == {
        "model": ["1", 0],
        "positive": ["2", 0],
        "negative": ["3", 0],
        "latent_image": ["4", 0],
        "seed": 42,
        "steps": 20,
        "cfg": 7.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
    }
    assert compiled.prompt["7"]["inputs"] == {
        "images": ["6", 0],
        "generation_id": GENERATION,
        "position": 1,
    }
    assert compiled.inputs == ()


def test_the_pose_goes_through_the_controlnet_into_the_sampler() -> None:
    compiled = compile_prompt(replace(spec(), pose=replace(POSE, strength=0.8)), GENERATION)
    (load,) = nodes(compiled.prompt, "AvatarForgeLoadPose")
    assert load == {"file_id": POSE.file_id, "width": 512, "height": 768}
    (net,) = nodes(compiled.prompt, "ControlNetLoader")
    assert net == {"control_net_name": "openpose.safetensors"}
    (line,) = compiled.inputs
    applied = compiled.prompt[line.node]
    assert applied["class_type"] == "AvatarForgeApplyPose"
    assert applied["inputs"]["strength"] == 0.8
    (sampler,) = nodes(compiled.prompt, "KSampler")
    assert (sampler["positive"], sampler["negative"]) == ([line.node, 0], [line.node, 1])
    assert (line.role, line.file_id, line.content_hash) == ("pose", POSE.file_id, POSE.content_hash)
    assert (line.view, line.model, line.strength) == ("front", "openpose.safetensors", 0.8)


def test_the_reference_is_where_the_sampler_starts() -> None:
    compiled = compile_prompt(replace(spec(), reference=REFERENCE), GENERATION)
    (line,) = compiled.inputs
    (sampler,) = nodes(compiled.prompt, "KSampler")
    assert sampler["latent_image"] == [line.node, 0]
    assert sampler["denoise"] == pytest.approx(1 - 0.9 * 0.5)
    assert nodes(compiled.prompt, "AvatarForgeLoadReference") == [{"file_id": REFERENCE.file_id}]
    assert not nodes(compiled.prompt, "EmptyLatentImage")


def test_strength_zero_compiles_to_the_same_as_absence() -> None:
    unsteered = replace(spec(), pose=replace(POSE, strength=0.0), reference=replace(REFERENCE, strength=0.0))
    assert compile_prompt(unsteered, GENERATION) == compile_prompt(spec(), GENERATION)


def test_all_views_share_the_models_and_the_seed_and_save_in_order() -> None:
    compiled = compile_prompt(replace(spec(), views=VIEW_NAMES, pose=POSE, reference=REFERENCE), GENERATION)
    for shared in ("CheckpointLoaderSimple", "ControlNetLoader", "AvatarForgeLoadReference"):
        assert len(nodes(compiled.prompt, shared)) == 1
    assert {sampler["seed"] for sampler in nodes(compiled.prompt, "KSampler")} == {42}
    assert [(output.view, output.filename) for output in compiled.outputs] == [
        ("front", "avatarforge_00001.png"),
        ("back", "avatarforge_00002.png"),
        ("side", "avatarforge_00003.png"),
        ("quarter", "avatarforge_00004.png"),
    ]
    assert [save["position"] for save in nodes(compiled.prompt, "AvatarForgeSave")] == [1, 2, 3, 4]
    assert [(line.role, line.view) for line in compiled.inputs] == [
        (role, view) for view in VIEW_NAMES for role in ("pose", "reference")
    ]


@pytest.mark.parametrize("size", [(512, 768), (64, 64), (1024, 512), (64, 4096), (4096, 64), (520, 520)])
def test_the_side_view_is_narrower_than_high_and_fits_the_latent(size: tuple[int, int]) -> None:
    wanted = replace(spec(), width=size[0], height=size[1])
    width, height = view_size(wanted, "side")
    assert width < height
    assert width <= size[0]
    assert width % 8 == 0
    assert width >= 8
    assert height == size[1]
    assert view_size(wanted, "front") == size


def test_the_spec_survives_its_json() -> None:
    wanted = replace(spec(), views=(None, "back"), pose=POSE, reference=None)
    assert AvatarSpec.from_json(wanted.to_json()) == wanted
