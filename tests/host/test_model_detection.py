"""What each file is, by its header and its name, with ComfyUI's own detection inside this process.

The files are headers alone, of the shapes that real models have.
"""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gguf import write_gguf
from headers import Shapes, read_shapes, write_header
from lora_headers import SDXL, kohya
from model_headers import MODELS, UNET, flux, flux2, prefixed, qwen, whole, z_image

from lab import synthetic
from lab.host import ComfyUI

Case = tuple[str, Shapes, str | None, str | None, str]


@pytest.mark.parametrize("case", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("prefix", ["", UNET])
def test_a_split_model_has_its_family_and_variant(
    scanner: Any, tmp_path: Path, case: Case, prefix: str
) -> None:
    name, shapes, family, variant, told_by = case
    path = write_header(tmp_path / "diffusion_models" / "sub" / name, prefixed(shapes, prefix))
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
    write_header(tmp_path / "checkpoints" / name, whole(shapes))
    (found,) = scanner.scan().checkpoints
    assert (found.folder, found.family, found.variant) == ("checkpoints", family, variant)
    assert (found.variant_told_by, found.problem) == (told_by, None)


def test_a_file_in_the_other_folder_says_where_it_belongs(scanner: Any, tmp_path: Path) -> None:
    write_header(tmp_path / "checkpoints" / "bare.safetensors", flux())
    (bare,) = scanner.scan().checkpoints
    assert bare.family is None
    assert bare.problem.endswith("move it to models/diffusion_models")


def test_a_whole_checkpoint_among_diffusion_models_is_used_with_parts_of_its_own(
    scanner: Any, tmp_path: Path
) -> None:
    write_header(tmp_path / "diffusion_models" / "whole.safetensors", whole(flux()))
    (together,) = scanner.scan().diffusion_models
    assert (together.family, together.problem) == ("flux", None)


def test_what_told_the_family_is_said(scanner: Any, tmp_path: Path) -> None:
    folder = tmp_path / "diffusion_models"
    write_header(folder / "a-flux.safetensors", flux())
    write_header(folder / "b-qwen.safetensors", qwen())
    write_header(folder / "c-qwen-edit.safetensors", qwen())
    write_header(folder / "d.safetensors", qwen("__index_timestep_zero__"))
    found = [(one.family, one.told_by) for one in scanner.scan().diffusion_models]
    assert found == [
        ("flux", "header"),
        ("qwen_image", "name"),
        ("qwen_edit", "name"),
        ("qwen_edit", "header"),
    ]


@pytest.mark.parametrize("channels", [128])
def test_a_flux_model_that_takes_a_picture_is_special(scanner: Any, tmp_path: Path, channels: int) -> None:
    write_header(tmp_path / "diffusion_models" / "flux1-canny-dev.safetensors", flux(channels=channels))
    write_header(tmp_path / "diffusion_models" / "flux1-dev.safetensors", flux())
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
    write_header(tmp_path / "elsewhere" / "loras" / "a.safetensors", kohya(SDXL))
    write_header(tmp_path / "elsewhere" / "diffusion_models" / "sub" / "b.safetensors", flux())
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
    write_header(tmp_path / "checkpoints" / f"{name}.safetensors", {**sdxl, **dict.fromkeys(marks, ())})
    (found,) = scanner.scan().checkpoints
    assert (found.family, found.variant, found.prediction) == ("sdxl", variant, prediction)
    assert found.distillation == distillation


def test_a_variant_that_is_distilled_by_itself_has_no_distillation(scanner: Any, tmp_path: Path) -> None:
    write_header(tmp_path / "diffusion_models" / "z_image_turbo_bf16.safetensors", z_image())
    write_header(tmp_path / "diffusion_models" / "z_image_turbo_lightning.safetensors", z_image())
    assert [one.distillation for one in scanner.scan().diffusion_models] == [None, "lightning"]


def test_the_unet_of_sdxl_alone_is_a_diffusion_model(scanner: Any, sdxl: Shapes, tmp_path: Path) -> None:
    bare = {name.removeprefix(UNET): shape for name, shape in sdxl.items() if name.startswith(UNET)}
    write_header(tmp_path / "diffusion_models" / "illustrious_unet.safetensors", {**bare, "v_pred": ()})
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
    write_header(tmp_path / "diffusion_models" / "a.safetensors", header, types=types)
    (found,) = scanner.scan().diffusion_models
    assert (found.family, found.variant, found.precision) == (family, variant, kind)


def test_an_older_scaled_file_is_known_by_its_mark(scanner: Any, tmp_path: Path) -> None:
    write_header(tmp_path / "diffusion_models" / "a.safetensors", {**flux(), "scaled_fp8": (2,)})
    write_header(tmp_path / "diffusion_models" / "b.safetensors", flux())
    assert [one.precision for one in scanner.scan().diffusion_models] == ["fp8_scaled", None]


@pytest.mark.parametrize("end", [".qweight", ".quant_state.bitsandbytes__nf4"])
def test_what_only_other_packs_unpack_has_a_problem(scanner: Any, tmp_path: Path, end: str) -> None:
    write_header(
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
    write_header(folder / "flux1-dev.safetensors", flux())
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
