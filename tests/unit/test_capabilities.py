"""The table of what works, with each kind of model missing in turn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from avatarforge.forge.errors import UnavailableError
from avatarforge.forge.families import FAMILIES
from avatarforge.forge.graphs.capabilities import capabilities_of, pose_extractors
from avatarforge.forge.graphs.method import Method, best
from avatarforge.forge.graphs.models import choose_model
from avatarforge.forge.graphs.pose_methods import (
    bones_for,
    choose_pose_method,
    needs_union_type,
    pose_controlnet,
)
from avatarforge.forge.graphs.reference_methods import ReferenceChoice, adapter_choice, reference_methods
from avatarforge.forge.ports import OPTIONAL_NODES, InstalledModels, ModelFile
from avatarforge.forge.settings import Settings

VIT_H = "CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors"
ALL = InstalledModels(
    checkpoints=(ModelFile("dream.safetensors", "sd15"), ModelFile("dreamXL.safetensors", "sdxl")),
    controlnets=(ModelFile("openpose15.safetensors", "sd15"), ModelFile("openposeXL.safetensors", "sdxl")),
    samplers=("euler",),
    schedulers=("normal",),
    nodes=OPTIONAL_NODES,
    ipadapters=("ip-adapter-plus_sd15.safetensors", "ip-adapter-plus_sdxl_vit-h.safetensors"),
    clip_visions=(VIT_H,),
    sdpose=("sdpose_wholebody_fp16.safetensors",),
)
SETTINGS = Settings()
SDXL = FAMILIES["sdxl"]


def test_with_everything_there_nothing_is_missing() -> None:
    table = capabilities_of(ALL, SETTINGS)
    assert table.reasons == ()
    assert [(item.name, item.family, item.family_label, item.supported) for item in table.checkpoints] == [
        ("dream.safetensors", "sd15", "Stable Diffusion 1.5", True),
        ("dreamXL.safetensors", "sdxl", "Stable Diffusion XL", True),
    ]
    small, large = table.checkpoints
    assert small.pose == (Method("controlnet", True, "openpose15.safetensors", None),)
    assert large.pose == (Method("controlnet", True, "openposeXL.safetensors", None),)
    assert small.reference == (
        Method("ipadapter", True, "ip-adapter-plus_sd15.safetensors", None),
        Method("attention", True, None, None),
    )
    assert large.reference[0].model == "ip-adapter-plus_sdxl_vit-h.safetensors"
    assert table.pose_extractors == (
        Method("dwpose", True, None, None),
        Method("sdpose", True, "sdpose_wholebody_fp16.safetensors", None),
    )


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        ({"checkpoints": ()}, ["checkpoint", "models/checkpoints"]),
        ({"controlnets": ALL.controlnets[1:]}, ["'openpose'", "Stable Diffusion 1.5", "models/controlnet"]),
        ({"controlnets": ALL.controlnets[:1]}, ["'openpose'", "Stable Diffusion XL", "models/controlnet"]),
        (
            {"nodes": ALL.nodes - {"DWPreprocessor"}, "sdpose": ()},
            ["comfyui_controlnet_aux", "sdpose_wholebody_fp16.safetensors in models/checkpoints"],
        ),
        (
            {"nodes": ALL.nodes - {"DWPreprocessor", "SDPoseKeypointExtractor"}},
            ["comfyui_controlnet_aux", "update ComfyUI"],
        ),
    ],
)
def test_each_missing_kind_is_named_and_is_the_only_reason(taken: dict[str, object], said: list[str]) -> None:
    (reason,) = capabilities_of(replace(ALL, **taken), SETTINGS).reasons  # type: ignore[arg-type]
    assert all(words in reason for words in said)


@pytest.mark.parametrize(
    "taken", [{"nodes": ALL.nodes - {"DWPreprocessor"}}, {"sdpose": ()}], ids=["no dwpose", "no sdpose"]
)
def test_one_extractor_is_enough(taken: dict[str, object]) -> None:
    installed = replace(ALL, **taken)  # type: ignore[arg-type]
    assert capabilities_of(installed, SETTINGS).reasons == ()
    assert sorted(item.works for item in pose_extractors(installed)) == [False, True]


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        ({"nodes": frozenset()}, "ComfyUI_IPAdapter_plus in custom_nodes"),
        ({"ipadapters": ("ip-adapter-plus_sdxl_vit-h.safetensors",)}, "in models/ipadapter"),
        ({"clip_visions": ("clip_g.safetensors",)}, f"{VIT_H} in models/clip_vision"),
    ],
)
def test_without_ipadapter_the_reference_still_works_by_attention(
    taken: dict[str, object], said: str
) -> None:
    methods = reference_methods(replace(ALL, **taken), FAMILIES["sd15"])  # type: ignore[arg-type]
    assert methods[0].missing is not None
    assert said in methods[0].missing
    assert methods[0].missing.count(" in models") + methods[0].missing.count(" in custom_nodes") == 1
    chosen = best(methods)
    assert chosen is not None
    assert chosen.name == "attention"


def test_the_refusals_say_what_the_table_says() -> None:
    bare = replace(ALL, checkpoints=(), controlnets=())
    with pytest.raises(UnavailableError) as no_checkpoint:
        choose_model(bare, SETTINGS, realism=False)
    assert no_checkpoint.value.detail in capabilities_of(bare, SETTINGS).reasons
    lacking = replace(ALL, controlnets=())
    with pytest.raises(UnavailableError) as no_controlnet:
        choose_pose_method(lacking, SETTINGS, FAMILIES["sdxl"])
    assert no_controlnet.value.detail in capabilities_of(lacking, SETTINGS).reasons
    missing = pose_controlnet(lacking, SETTINGS, FAMILIES["sdxl"]).missing
    assert missing is not None
    assert missing in no_controlnet.value.detail


def test_what_the_table_chooses_is_what_the_request_gets() -> None:
    for name in ("sd15", "sdxl"):
        method, model = choose_pose_method(ALL, SETTINGS, FAMILIES[name])
        assert model is not None
        assert (method, model.name) == ("controlnet", pose_controlnet(ALL, SETTINGS, FAMILIES[name]).model)


def test_a_setting_that_names_no_controlnet_is_the_reason() -> None:
    settings = Settings(pose_controlnet="gone.safetensors")
    reasons = capabilities_of(ALL, settings).reasons
    assert len(reasons) == 2
    assert all(
        "'gone.safetensors' that POSE_CONTROLNET names, in models/controlnet" in item for item in reasons
    )


def test_a_set_controlnet_is_left_out_for_a_family_that_it_cannot_steer() -> None:
    special = ModelFile("special.safetensors", "sd15")
    installed = replace(ALL, controlnets=(*ALL.controlnets, special))
    settings = Settings(pose_controlnet="special.safetensors")
    assert pose_controlnet(installed, settings, FAMILIES["sd15"]).model == "special.safetensors"
    assert pose_controlnet(installed, settings, FAMILIES["sdxl"]).model == "openposeXL.safetensors"


def test_a_file_of_no_known_family_has_no_methods_and_helps_nobody() -> None:
    table = capabilities_of(replace(ALL, checkpoints=(ModelFile("flux.safetensors", None),)), SETTINGS)
    (flux,) = table.checkpoints
    assert (flux.supported, flux.family, flux.family_label, flux.pose, flux.reference) == (
        False,
        None,
        None,
        (),
        (),
    )
    assert "models/checkpoints" in table.reasons[0]


@pytest.mark.parametrize(
    ("family", "files", "expected"),
    [
        ("sd15", ("ip-adapter_sd15.safetensors",), ("STANDARD (medium strength)", 0)),
        ("sd15", ("ip-adapter_sd15.bin", "ip-adapter-plus_sd15.bin"), ("PLUS (high strength)", 1)),
        ("sd15", ("ip-adapter-plus-face_sd15.safetensors", "ip-adapter_sd15_vit-G.safetensors"), None),
        ("sdxl", ("ip-adapter_sdxl_vit-h.safetensors",), ("STANDARD (medium strength)", 0)),
        ("sdxl", ("ip-adapter_sdxl.safetensors", "ip-adapter-faceid_sdxl.bin"), None),
        ("sdxl", ("sdxl/ip-adapter-plus_sdxl_vit-h.safetensors",), ("PLUS (high strength)", 0)),
    ],
)
def test_the_preset_follows_the_files(
    family: str, files: tuple[str, ...], expected: tuple[str, int] | None
) -> None:
    choice = adapter_choice(replace(ALL, ipadapters=files), FAMILIES[family], "ipadapter")
    assert choice == (expected and ReferenceChoice("ipadapter", files[expected[1]], VIT_H, expected[0]))


def test_unions_are_told_their_type_and_get_thick_bones() -> None:
    union = ModelFile("promax.safetensors", "sdxl", union=True)
    assert needs_union_type(union, SDXL)
    assert bones_for(union, SDXL) == "xinsir"
    plain = ModelFile("openposeXL.safetensors", "sdxl")
    assert not needs_union_type(plain, SDXL)
    assert bones_for(plain, SDXL) == "standard"
    assert bones_for(ModelFile("xinsir-openpose.safetensors", "sdxl"), SDXL) == "xinsir"
