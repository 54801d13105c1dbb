"""What text encoders, VAEs, LoRAs and control models are, by their headers: see `test_model_detection`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gguf import write_gguf
from headers import Shapes, write_header
from lora_headers import CHROMA, FLUX_NATIVE, KREA2, QWEN, SD15, SDXL, Z_IMAGE, kohya, peft
from model_headers import flux

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
        write_header(tmp_path / "text_encoders" / name, shapes)
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
        write_header(tmp_path / "vae" / name, shapes)
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
    write_header(tmp_path / "loras" / f"{name}.safetensors", shapes)
    (found,) = scanner.scan().loras
    assert (found.folder, found.family, found.told_by) == ("loras", family, told_by)


def test_what_is_no_lora_is_skipped(scanner: Any, tmp_path: Path) -> None:
    write_header(tmp_path / "loras" / "model.safetensors", flux())
    found = scanner.scan()
    assert [(one.folder, one.reason) for one in found.skipped] == [("loras", "holds no LoRA")]
    assert found.loras[0].problem == "holds no LoRA"


def test_a_lora_says_what_it_does(scanner: Any, tmp_path: Path) -> None:
    write_header(tmp_path / "loras" / "Qwen-Image-Lightning-8steps.safetensors", peft(QWEN, ""))
    text = kohya({"text_model.encoder.layers.0.mlp.fc1": (3072, 768)}, "lora_te1_")
    write_header(tmp_path / "loras" / "a.safetensors", {**kohya(SDXL), **text})
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
        write_header(tmp_path / "controlnet" / name, shapes)
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
        write_header(tmp_path / "model_patches" / name, shapes)
    found = {one.name: (one.family, one.problem) for one in scanner.scan().model_patches}
    assert found == {name: (family, None) for name, (_, family) in PATCHES.items()}
    assert [one.kind for one in scanner.scan().model_patches if one.family == "anima"] == [
        "ControlNet-LLLite"
    ]


def test_control_models_in_the_other_folder_say_where_they_belong(scanner: Any, tmp_path: Path) -> None:
    write_header(tmp_path / "controlnet" / "a.safetensors", LLLITE)
    write_header(tmp_path / "model_patches" / "b.safetensors", INSTANTX)
    write_header(tmp_path / "model_patches" / "c.safetensors", {"a.weight": (1,)})
    found = scanner.scan()
    assert found.controlnets[0].problem.endswith("move it to models/model_patches")
    assert found.model_patches[0].problem.endswith("move it to models/controlnet")
    assert "no patch" in found.model_patches[1].problem
