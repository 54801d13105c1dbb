"""What each file is, by its header and its name, with ComfyUI's own detection inside this process.

The files are headers alone, of the shapes that real models have.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gguf import write_gguf
from headers import Shapes, read_shapes, write_header
from lora_headers import CHROMA, FLUX_NATIVE, KREA2, QWEN, SD15, SDXL, Z_IMAGE, kohya, peft
from model_headers import MODELS, UNET, flux, flux2, prefixed, qwen, whole, z_image

from lab import synthetic
from lab.host import ComfyUI

Case = tuple[str, Shapes, str | None, str | None, str]


def write(path: Path, shapes: Shapes, types: Mapping[str, str] | None = None) -> Path:
    return write_header(path, shapes, types=types or {})


@pytest.mark.parametrize("case", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("prefix", ["", UNET])
def test_a_split_model_has_its_family_and_variant(
    scanner: Any, tmp_path: Path, case: Case, prefix: str
) -> None:
    name, shapes, family, variant, told_by = case
    path = write(tmp_path / "diffusion_models" / "sub" / name, prefixed(shapes, prefix))
    (found,) = scanner.scan().diffusion_models
    assert (found.name, found.folder, found.size) == (
        f"sub/{name}",
        "diffusion_models",
        path.stat().st_size,
    )
    assert (found.family, found.variant, found.variant_told_by) == (family, variant, told_by)
    assert (found.problem, found.guessed) == (None, False)


@pytest.mark.parametrize("case", MODELS.values(), ids=MODELS)
def test_an_all_in_one_file_is_the_same_as_a_checkpoint(scanner: Any, tmp_path: Path, case: Case) -> None:
    name, shapes, family, variant, told_by = case
    write(tmp_path / "checkpoints" / name, whole(shapes))
    (found,) = scanner.scan().checkpoints
    assert (found.folder, found.family, found.variant) == ("checkpoints", family, variant)
    assert (found.variant_told_by, found.problem) == (told_by, None)


def test_a_file_in_the_other_folder_says_where_it_belongs(scanner: Any, tmp_path: Path) -> None:
    write(tmp_path / "checkpoints" / "bare.safetensors", flux())
    (bare,) = scanner.scan().checkpoints
    assert bare.family is None
    assert bare.problem.endswith("move it to models/diffusion_models")


def test_a_whole_checkpoint_among_diffusion_models_is_used_with_parts_of_its_own(
    scanner: Any, tmp_path: Path
) -> None:
    write(tmp_path / "diffusion_models" / "whole.safetensors", whole(flux()))
    (together,) = scanner.scan().diffusion_models
    assert (together.family, together.problem) == ("flux", None)


def test_what_told_the_family_is_said(scanner: Any, tmp_path: Path) -> None:
    folder = tmp_path / "diffusion_models"
    write(folder / "a-flux.safetensors", flux())
    write(folder / "b-qwen.safetensors", qwen())
    write(folder / "c-qwen-edit.safetensors", qwen())
    write(folder / "d.safetensors", qwen("__index_timestep_zero__"))
    found = [(one.family, one.told_by) for one in scanner.scan().diffusion_models]
    assert found == [
        ("flux", "header"),
        ("qwen_image", "name"),
        ("qwen_edit", "name"),
        ("qwen_edit", "header"),
    ]


@pytest.mark.parametrize("channels", [128])
def test_a_flux_model_that_takes_a_picture_is_special(scanner: Any, tmp_path: Path, channels: int) -> None:
    write(tmp_path / "diffusion_models" / "flux1-canny-dev.safetensors", flux(channels=channels))
    write(tmp_path / "diffusion_models" / "flux1-dev.safetensors", flux())
    found = {one.name: (one.family, one.special) for one in scanner.scan().diffusion_models}
    assert found == {
        "flux1-canny-dev.safetensors": ("flux", True),
        "flux1-dev.safetensors": ("flux", False),
    }


def test_the_folders_of_extra_model_paths_count(
    scanner: Any, modules: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("loras", "diffusion_models"):
        paths, extensions = modules.folder_paths.folder_names_and_paths[folder]
        more = ([*paths, str(tmp_path / "elsewhere" / folder)], extensions)
        monkeypatch.setitem(modules.folder_paths.folder_names_and_paths, folder, more)
    write(tmp_path / "elsewhere" / "loras" / "a.safetensors", kohya(SDXL))
    write(tmp_path / "elsewhere" / "diffusion_models" / "sub" / "b.safetensors", flux())
    found = scanner.scan()
    assert [(one.name, one.family) for one in found.loras] == [("a.safetensors", "sdxl")]
    assert [(one.name, one.family) for one in found.diffusion_models] == [("sub/b.safetensors", "flux")]


def test_without_the_gguf_pack_its_files_are_not_listed(
    scanner: Any, modules: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_gguf(tmp_path / "diffusion_models" / "a.gguf", {"general.architecture": "flux"}, flux())
    assert [one.name for one in scanner.scan().diffusion_models] == ["a.gguf"]
    for folder in ("unet_gguf", "clip_gguf"):
        monkeypatch.delitem(modules.folder_paths.folder_names_and_paths, folder)
    assert scanner.scan().diffusion_models == ()


# SDXL: dialects, predictions, distilled models


@pytest.fixture(scope="module")
def sdxl(comfyui: ComfyUI) -> Shapes:
    return read_shapes(synthetic.make(comfyui, "sdxl"))


@pytest.mark.parametrize(
    ("name", "marks", "variant", "prediction", "distillation"),
    [
        ("sd_xl_base_1.0", (), "base", "eps", None),
        ("waiNSFWIllustrious_v140", (), "illustrious", "eps", None),
        ("noobaiXLNAIXL_epsilonPred11Version", (), "noobai", "eps", None),
        ("noobaiXLNAIXL_vPred10Version", (), "noobai", "v_unmarked", None),
        ("noobaiXLNAIXL_vPred10Version", ("v_pred", "ztsnr"), "noobai", "v", None),
        ("any", ("edm_vpred.sigma_max",), "base", "v", None),
        ("ponyDiffusionV6XL", (), "pony", "eps", None),
        ("animagineXL40", (), "animagine", "eps", None),
        ("dreamshaperXL_lightningDPMSDE", (), "base", "eps", "lightning"),
        ("sd_xl_turbo_1.0_fp16", (), "base", "eps", "turbo"),
        ("juggernautXL_lcm", (), "base", "eps", "lcm"),
        ("realvisxl_dmd2", (), "base", "eps", "dmd2"),
    ],
)
def test_dialects_predictions_and_distilled_models_of_sdxl(
    scanner: Any,
    sdxl: Shapes,
    tmp_path: Path,
    name: str,
    marks: tuple[str, ...],
    variant: str,
    prediction: str,
    distillation: str | None,
) -> None:
    write(tmp_path / "checkpoints" / f"{name}.safetensors", {**sdxl, **dict.fromkeys(marks, ())})
    (found,) = scanner.scan().checkpoints
    assert (found.family, found.variant, found.prediction) == ("sdxl", variant, prediction)
    assert found.distillation == distillation


def test_a_variant_that_is_distilled_by_itself_has_no_distillation(scanner: Any, tmp_path: Path) -> None:
    write(tmp_path / "diffusion_models" / "z_image_turbo_bf16.safetensors", z_image())
    write(tmp_path / "diffusion_models" / "z_image_turbo_lightning.safetensors", z_image())
    assert [one.distillation for one in scanner.scan().diffusion_models] == [None, "lightning"]


def test_the_unet_of_sdxl_alone_is_a_diffusion_model(scanner: Any, sdxl: Shapes, tmp_path: Path) -> None:
    bare = {name.removeprefix(UNET): shape for name, shape in sdxl.items() if name.startswith(UNET)}
    write(tmp_path / "diffusion_models" / "illustrious_unet.safetensors", {**bare, "v_pred": ()})
    (found,) = scanner.scan().diffusion_models
    assert (found.family, found.variant, found.prediction) == ("sdxl", "illustrious", "v")


# Packed files


def packed(shapes: Shapes, kind: str) -> tuple[Shapes, dict[str, str]]:
    """The header after the packing of all matrices: its shapes and types."""
    found: dict[str, tuple[int, ...]] = {}
    types: dict[str, str] = {}
    for name, shape in shapes.items():
        found[name] = shape
        if not name.endswith(".weight") or len(shape) != 2:
            continue
        layer = name.removesuffix(".weight")
        types[name] = {"fp8": "F8_E4M3", "fp8_scaled": "F8_E4M3", "int8": "I8", "nvfp4": "U8"}[kind]
        if kind == "nvfp4":
            found[name] = (shape[0], shape[1] // 2)  # two numbers in each byte
        if kind != "fp8":
            found |= {f"{layer}.comfy_quant": (30,), f"{layer}.weight_scale": ()}
            types |= {f"{layer}.comfy_quant": "U8", f"{layer}.weight_scale": "F32"}
    return found, types


@pytest.mark.parametrize("kind", ["fp8", "fp8_scaled", "int8", "nvfp4"])
@pytest.mark.parametrize(
    ("shapes", "family", "variant"),
    [
        (flux(), "flux", "dev"),
        (flux2(4096, 12288), "flux2", "klein_9b"),
        (flux2(6144, 15360), "flux2", "dev"),
        (qwen("__index_timestep_zero__"), "qwen_edit", "2511"),
        (z_image(), "z_image", "turbo"),
    ],
)
def test_packed_weights_change_nothing_but_the_precision(
    scanner: Any, tmp_path: Path, kind: str, shapes: Shapes, family: str, variant: str
) -> None:
    header, types = packed(shapes, kind)
    write(tmp_path / "diffusion_models" / "a.safetensors", header, types)
    (found,) = scanner.scan().diffusion_models
    assert (found.family, found.variant, found.precision) == (family, variant, kind)


def test_an_older_scaled_file_is_known_by_its_mark(scanner: Any, tmp_path: Path) -> None:
    write(tmp_path / "diffusion_models" / "a.safetensors", {**flux(), "scaled_fp8": (2,)})
    write(tmp_path / "diffusion_models" / "b.safetensors", flux())
    assert [one.precision for one in scanner.scan().diffusion_models] == ["fp8_scaled", None]


@pytest.mark.parametrize("end", [".qweight", ".quant_state.bitsandbytes__nf4"])
def test_what_only_other_packs_unpack_has_a_problem(scanner: Any, tmp_path: Path, end: str) -> None:
    write(
        tmp_path / "diffusion_models" / "a.safetensors",
        {**flux(), f"double_blocks.0.img_attn.qkv{end}": (8, 8)},
    )
    (found,) = scanner.scan().diffusion_models
    assert found.family is None
    assert "is packed" in found.problem


# GGUF


def test_gguf_models_are_known_by_their_tensors(scanner: Any, tmp_path: Path) -> None:
    folder = tmp_path / "diffusion_models"
    for name, architecture, shapes in (
        ("flux1-krea-dev-Q4_K_S.gguf", "flux", flux()),
        ("flux2-dev-Q4_0.gguf", "flux", flux2(6144, 15360)),
        ("qwen-image-edit-2509-Q8_0.gguf", "qwen_image", qwen()),
        ("z_image_turbo-Q8_0.gguf", "lumina2", z_image()),
        ("wan2.1.gguf", "wan", {"a": (8, 8)}),
    ):
        write_gguf(folder / name, {"general.architecture": architecture}, shapes)
    write(folder / "flux1-dev.safetensors", flux())
    found = {
        one.name: (one.folder, one.family, one.variant, one.precision)
        for one in scanner.scan().diffusion_models
    }
    assert found == {
        "flux1-dev.safetensors": ("diffusion_models", "flux", "dev", None),
        "flux1-krea-dev-Q4_K_S.gguf": ("unet_gguf", "flux", "krea", "gguf"),
        "flux2-dev-Q4_0.gguf": ("unet_gguf", "flux2", "dev", "gguf"),
        "qwen-image-edit-2509-Q8_0.gguf": ("unet_gguf", "qwen_edit", "2509", "gguf"),
        "wan2.1.gguf": ("unet_gguf", None, None, None),
        "z_image_turbo-Q8_0.gguf": ("unet_gguf", "z_image", "turbo", "gguf"),
    }


def test_a_gguf_file_with_other_names_is_known_by_its_architecture(scanner: Any, tmp_path: Path) -> None:
    metadata = {"general.architecture": "qwen_image"}
    write_gguf(tmp_path / "diffusion_models" / "qwen-Q8_0.gguf", metadata, {"blk.0.weight": (8, 8)})
    (found,) = scanner.scan().diffusion_models
    assert (found.family, found.told_by) == ("qwen_image", "name")


def test_a_broken_gguf_file_is_skipped_with_its_reason(scanner: Any, tmp_path: Path) -> None:
    (tmp_path / "diffusion_models" / "a.gguf").write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0))
    found = scanner.scan()
    assert [(one.folder, one.name) for one in found.skipped] == [("unet_gguf", "a.gguf")]
    assert found.diffusion_models[0].problem == "has no valid GGUF header"


# Text encoders and VAEs

NORM, QUERY_NORM = "model.layers.0.post_attention_layernorm.weight", "model.layers.0.self_attn.q_norm.weight"
ENCODERS: dict[str, tuple[Shapes, str | None]] = {
    "clip_l.safetensors": ({"text_model.encoder.layers.0.mlp.fc1.weight": (3072, 768)}, "clip_l"),
    "clip_g.safetensors": ({"text_model.encoder.layers.30.mlp.fc1.weight": (5120, 1280)}, "clip_g"),
    "t5xxl_fp16.safetensors": (
        {"encoder.block.23.layer.1.DenseReluDense.wi_1.weight": (10240, 4096)},
        "t5xxl",
    ),
    "t5xl.safetensors": ({"encoder.block.23.layer.1.DenseReluDense.wi_1.weight": (5120, 2048)}, None),
    "qwen_3_06b.safetensors": ({NORM: (1024,), QUERY_NORM: (128,)}, "qwen3_06b"),
    "qwen_3_4b.safetensors": ({NORM: (2560,), QUERY_NORM: (128,)}, "qwen3_4b"),
    "qwen_3_8b.safetensors": ({NORM: (4096,), QUERY_NORM: (128,)}, "qwen3_8b"),
    "llama.safetensors": ({NORM: (4096,)}, None),
    "mistral.safetensors": ({NORM: (5120,)}, "mistral_24b"),
    "qwen_2.5_vl_7b.safetensors": ({"model.layers.0.self_attn.k_proj.bias": (512,)}, "qwen25_vl_7b"),
    "qwen3vl_4b.safetensors": (
        {
            "model.visual.deepstack_merger_list.0.norm.weight": (4096,),
            "model.visual.merger.linear_fc2.weight": (2560, 4096),
        },
        "qwen3_vl_4b",
    ),
    "other.safetensors": ({"a.weight": (8, 8)}, None),
}


def test_text_encoders_have_kinds(scanner: Any, tmp_path: Path) -> None:
    for name, (shapes, _) in ENCODERS.items():
        write(tmp_path / "text_encoders" / name, shapes)
    found = {one.name: (one.kind, one.folder) for one in scanner.scan().text_encoders}
    assert found == {name: (kind, "text_encoders") for name, (_, kind) in ENCODERS.items()}


def test_gguf_text_encoders_have_kinds(scanner: Any, tmp_path: Path) -> None:
    write_gguf(
        tmp_path / "text_encoders" / "Qwen3-4B-Q8_0.gguf",
        {"general.architecture": "qwen3", "qwen3.embedding_length": 2560},
        {"token_embd.weight": (100, 2560)},
    )
    (found,) = scanner.scan().text_encoders
    assert (found.kind, found.folder, found.precision) == ("qwen3_4b", "clip_gguf", "gguf")


INPUT = "decoder.conv_in.weight"
WAN = {"decoder.middle.0.residual.0.gamma": (384, 1, 1, 1)}
VAES: dict[str, tuple[Shapes, str | None]] = {
    "vae-ft-mse.safetensors": ({INPUT: (512, 4, 3, 3)}, "sd"),
    "ae.safetensors": ({INPUT: (512, 16, 3, 3)}, "flux"),
    "sd3_vae.safetensors": ({INPUT: (512, 16, 3, 3)}, None),
    "flux2-vae.safetensors": ({INPUT: (384, 32, 3, 3), "bn.running_mean": (128,)}, "flux2"),
    "other32.safetensors": ({INPUT: (384, 32, 3, 3)}, None),
    "qwen_image_vae.safetensors": ({**WAN, "encoder.conv1.weight": (96, 3, 3, 3, 3)}, "wan"),
    "layered.safetensors": ({**WAN, "encoder.conv1.weight": (96, 4, 3, 3, 3)}, None),
    "wan2.2_vae.safetensors": (
        {**WAN, "decoder.upsamples.0.upsamples.0.residual.2.weight": (8, 8, 3, 3, 3)},
        None,
    ),
    "video.safetensors": ({INPUT: (512, 16, 3, 3, 3)}, None),
    "scalar.safetensors": ({INPUT: ()}, None),
}


def test_vaes_have_kinds(scanner: Any, tmp_path: Path) -> None:
    for name, (shapes, _) in VAES.items():
        write(tmp_path / "vae" / name, shapes)
    found = {one.name: (one.kind, one.folder) for one in scanner.scan().vaes}
    assert found == {name: (kind, "vae") for name, (_, kind) in VAES.items()}


# LoRAs: see also tests/unit/test_lora_kinds.py


@pytest.mark.parametrize(
    ("name", "shapes", "family", "told_by"),
    [
        ("anything", kohya(SD15), "sd15", "header"),
        ("sd15-style", kohya(SDXL), "sdxl", "header"),
        ("anything", kohya({"up_blocks.1.resnets.0.conv1": (640, 1920)}), "sd15", "name"),
        ("ponyXL-style", kohya({"up_blocks.1.resnets.0.conv1": (640, 1920)}), "sdxl", "name"),
        ("anything", peft(FLUX_NATIVE), "flux", "name"),
        ("chroma-style", peft(FLUX_NATIVE), "chroma", "name"),
        ("flux-style", peft(CHROMA), "chroma", "header"),
        ("klein-style", peft({"double_blocks.0.img_attn.qkv": (9216, 3072)}), "flux2", "name"),
        ("Qwen-Image-Lightning-8steps", peft(QWEN, ""), "qwen_image", "name"),
        ("Qwen-Edit-2509-Multiple-angles", peft(QWEN, ""), "qwen_edit", "name"),
        ("flux-lora", peft(Z_IMAGE), "z_image", "header"),
        ("flux-lora", peft(KREA2), "krea2", "header"),
    ],
)
def test_loras_have_families(
    scanner: Any, tmp_path: Path, name: str, shapes: Shapes, family: str, told_by: str
) -> None:
    write(tmp_path / "loras" / f"{name}.safetensors", shapes)
    (found,) = scanner.scan().loras
    assert (found.folder, found.family, found.told_by) == ("loras", family, told_by)


def test_what_is_no_lora_is_skipped(scanner: Any, tmp_path: Path) -> None:
    write(tmp_path / "loras" / "model.safetensors", flux())
    found = scanner.scan()
    assert [(one.folder, one.reason) for one in found.skipped] == [("loras", "holds no LoRA")]
    assert found.loras[0].problem == "holds no LoRA"


def test_a_lora_says_what_it_does(scanner: Any, tmp_path: Path) -> None:
    write(tmp_path / "loras" / "Qwen-Image-Lightning-8steps.safetensors", peft(QWEN, ""))
    text = kohya({"text_model.encoder.layers.0.mlp.fc1": (3072, 768)}, "lora_te1_")
    write(tmp_path / "loras" / "a.safetensors", {**kohya(SDXL), **text})
    found = {one.name: (one.distillation, one.uses_clip) for one in scanner.scan().loras}
    assert found == {
        "Qwen-Image-Lightning-8steps.safetensors": ("lightning", False),
        "a.safetensors": (None, True),
    }


# ControlNets and patches

BLOCKS = {"controlnet_blocks.0.weight": (3072, 3072)}
INSTANTX = {**BLOCKS, "controlnet_x_embedder.weight": (3072, 64)}
QWEN_BLOCK = {"transformer_blocks.0.img_mlp.net.0.proj.weight": (12288, 3072)}
CONTROLNETS: dict[str, tuple[Shapes, str | None, bool, bool]] = {
    "xlabs.safetensors": (
        {**BLOCKS, "double_blocks.0.img_attn.norm.key_norm.scale": (128,)},
        "flux",
        False,
        False,
    ),
    "instantx.safetensors": (INSTANTX, "flux", False, False),
    "union.safetensors": ({**INSTANTX, "controlnet_mode_embedder.weight": (10, 3072)}, "flux", True, False),
    "inpaint.safetensors": (
        {**BLOCKS, "controlnet_x_embedder.weight": (3072, 320)},
        "flux",
        False,
        True,
    ),
    "mistoline.safetensors": ({"controlnet_blocks.0.linear.weight": (3072, 3072)}, "flux", False, False),
    "sd3.safetensors": ({**BLOCKS, "pos_embed_input.proj.weight": (1536, 16, 2, 2)}, None, False, False),
    "qwen-union.safetensors": ({**INSTANTX, **QWEN_BLOCK}, "qwen_image", False, False),
    "qwen-inpaint.safetensors": (
        {**BLOCKS, **QWEN_BLOCK, "controlnet_x_embedder.weight": (3072, 68)},
        "qwen_image",
        False,
        True,
    ),
    "qwen-fun.safetensors": (
        {"control_blocks.0.after_proj.weight": (3072, 3072), "control_img_in.weight": (3072, 132)},
        "qwen_image",
        False,
        False,
    ),
}


def test_controlnets_of_transformers_have_families(scanner: Any, tmp_path: Path) -> None:
    for name, (shapes, *_) in CONTROLNETS.items():
        write(tmp_path / "controlnet" / name, shapes)
    found = {
        one.name: (one.family, one.union, one.special, one.problem) for one in scanner.scan().controlnets
    }
    assert found == {
        name: (family, union, special, None) for name, (_, family, union, special) in CONTROLNETS.items()
    }


LLLITE = {
    "lllite_conditioning1.conv1.weight": (32, 3, 3, 3),
    "lllite_dit_blocks_0_self_attn_q_proj.mid.0.weight": (16, 96),
}
PATCHES: dict[str, tuple[Shapes, str | None]] = {
    "Z-Image-Turbo-Fun-Controlnet-Union.safetensors": (
        {"control_all_x_embedder.2-1.weight": (3840, 64)},
        "z_image",
    ),
    "anima-lllite-pose.safetensors": (LLLITE, "anima"),
    "qwen_image_canny_diffsynth.safetensors": (
        {"controlnet_blocks.0.y_rms.weight": (3072,), "img_in.weight": (3072, 64)},
        "qwen_image",
    ),
    "uso-flux1-projector-v1.safetensors": ({"feature_embedder.mid_layer_norm.bias": (1152,)}, None),
}


def test_model_patches_have_families(scanner: Any, tmp_path: Path) -> None:
    for name, (shapes, _) in PATCHES.items():
        write(tmp_path / "model_patches" / name, shapes)
    found = {one.name: (one.family, one.problem) for one in scanner.scan().model_patches}
    assert found == {name: (family, None) for name, (_, family) in PATCHES.items()}
    assert [one.kind for one in scanner.scan().model_patches if one.family == "anima"] == [
        "ControlNet-LLLite"
    ]


def test_control_models_in_the_other_folder_say_where_they_belong(scanner: Any, tmp_path: Path) -> None:
    write(tmp_path / "controlnet" / "a.safetensors", LLLITE)
    write(tmp_path / "model_patches" / "b.safetensors", INSTANTX)
    write(tmp_path / "model_patches" / "c.safetensors", {"a.weight": (1,)})
    found = scanner.scan()
    assert found.controlnets[0].problem.endswith("move it to models/model_patches")
    assert found.model_patches[0].problem.endswith("move it to models/controlnet")
    assert "no patch" in found.model_patches[1].problem
