"""What the scanner reads from files, with ComfyUI's own detection inside this process.

The files are headers of the shapes that real models have, with holes for data.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from gguf import write_gguf
from headers import PICKLED, ZIPPED, Shapes, write_header
from model_headers import anima, chroma, flux, flux2, krea2, qwen, whole, z_image

from lab import synthetic
from lab.host import ComfyUI
from lab.links import link

TEXT = "cond_stage_model.transformer.text_model.final_layer_norm.weight"
VAE = "first_stage_model.decoder.conv_in.weight"
UNET = "model.diffusion_model."


def widened(shapes: Shapes, width: int) -> dict[str, tuple[int, ...]]:
    """The same with a text of another width: 1024 is SD2's."""
    return {
        name: (shape[0], width) if ".attn2.to_k." in name or ".attn2.to_v." in name else shape
        for name, shape in shapes.items()
    }


def families(scanner: Any) -> dict[str, str | None]:
    return {model.name: model.family for model in scanner.scan().checkpoints}


def test_the_synthetic_checkpoints_have_their_families(
    scanner: Any, comfyui: ComfyUI, tmp_path: Path
) -> None:
    for kind, folder in (("sd15", "checkpoints"), ("sdxl", "checkpoints"), ("sd15-openpose", "controlnet")):
        link(synthetic.make(comfyui, kind), tmp_path / folder / f"{kind}.safetensors")
    assert families(scanner) == {"sd15.safetensors": "sd15", "sdxl.safetensors": "sdxl"}
    (controlnet,) = scanner.scan().controlnets
    assert (controlnet.family, controlnet.union) == ("sd15", False)


def test_what_is_no_checkpoint_of_ours_has_no_family(scanner: Any, sd15: Shapes, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    write_header(folder / "whole.safetensors", sd15)
    write_header(folder / "broken-off.safetensors", sd15, cut=1)
    (folder / "no-header.safetensors").write_bytes(b"this is no safetensors file at all")
    (folder / "empty.safetensors").touch()
    (folder / "huge-header.safetensors").write_bytes(b"\xff" * 64)
    (folder / "odd-header.safetensors").write_bytes((2).to_bytes(8, "little") + b"[]")
    write_header(folder / "lora.safetensors", {"lora_unet_down_blocks_0.lora_down.weight": (4, 320)})
    write_header(folder / "sd21.safetensors", widened(sd15, 1024))
    unet = {name: shape for name, shape in sd15.items() if name.startswith(UNET)}
    write_header(folder / "unet-alone.safetensors", unet)
    diffusers = {
        "conv_in.weight": (320, 4, 3, 3),
        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": (320, 768),
        "time_embedding.linear_1.weight": (1280, 320),
    }
    write_header(folder / "diffusion_pytorch_model.safetensors", diffusers)
    write_header(folder / "lumina.safetensors", whole(z_image(2304)))
    found = families(scanner)
    assert found.pop("whole.safetensors") == "sd15"
    assert set(found.values()) == {None}
    assert len(found) == 10


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("anything-v3.ckpt", "sd15"),
        ("dreamXL.ckpt", "sdxl"),
        ("v2-1_768-ema-pruned.ckpt", None),
        ("flux-dev.ckpt", None),
        ("realistic_v2.ckpt", "sd15"),
        ("SDXL/dream.ckpt", "sdxl"),
        ("wanderlust.ckpt", "sd15"),
        ("foxlike.ckpt", "sd15"),
    ],
)
@pytest.mark.parametrize("content", [PICKLED, ZIPPED], ids=["pickle", "zip"])
def test_a_pickle_is_never_loaded_only_its_name_is_read(
    scanner: Any, tmp_path: Path, name: str, family: str | None, content: bytes
) -> None:
    path = tmp_path / "checkpoints" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    (found,) = scanner.scan().checkpoints
    assert (found.name, found.family, found.guessed, found.problem) == (name, family, True, None)


def test_an_sdpose_checkpoint_reads_poses_and_draws_nothing(
    scanner: Any, sd15: Shapes, tmp_path: Path
) -> None:
    head = {f"{UNET}heatmap_head.conv_layers.0.weight": (640, 640, 1, 1)}
    write_header(tmp_path / "checkpoints" / "pose.safetensors", {**sd15, **head})
    found = scanner.scan()
    assert (found.checkpoints, found.sdpose) == ((), ("pose.safetensors",))


@pytest.mark.parametrize(
    ("shapes", "family", "union"),
    [
        (
            {"control_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 768)},
            "sd15",
            False,
        ),
        ({"down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight": (640, 2048)}, "sdxl", False),
        (
            {
                "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight": (640, 2048),
                "task_embedding": (8, 320),
            },
            "sdxl",
            True,
        ),
        (
            {"lora_controlnet": (), "input_blocks.4.1.transformer_blocks.0.attn2.to_k.down": (256, 2048)},
            "sdxl",
            False,
        ),
        ({"input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 1024)}, None, False),
        ({"controlnet_mode_embedder.weight": (10, 3072)}, None, False),
        ({"lora_controlnet": (), "label_emb.0.0.down": (256, 2816)}, "sdxl", False),
        ({"conv_in.weight": (320, 192, 3, 3), "body.0.block1.weight": (320, 320, 3, 3)}, "sd15", False),
        ({"conv_in.weight": (320, 768, 3, 3), "body.0.block1.weight": (320, 320, 3, 3)}, "sdxl", False),
        (
            {
                "adapter.conv_in.weight": (320, 768, 3, 3),
                "adapter.body.0.resnets.0.block1.weight": (320, 320, 3, 3),
            },
            "sdxl",
            False,
        ),
        ({"body.0.in_conv.weight": (80, 192, 1, 1)}, "sd15", False),
        ({"body.0.in_conv.weight": (80, 768, 1, 1)}, None, False),
    ],
    ids=[
        "sd15",
        "diffusers sdxl",
        "union",
        "control-lora",
        "sd21",
        "flux union",
        "control-lora without attention",
        "t2i sd15",
        "t2i sdxl",
        "t2i diffusers sdxl",
        "t2i light sd15",
        "t2i light of sdxl's width",
    ],
)
def test_controlnets(scanner: Any, tmp_path: Path, shapes: Shapes, family: str | None, union: bool) -> None:
    # A header says more than a name does.
    write_header(tmp_path / "controlnet" / "union-openpose.safetensors", shapes)
    (found,) = scanner.scan().controlnets
    assert (found.name, found.family, found.union) == ("union-openpose.safetensors", family, union)
    assert not found.guessed


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        ({"lora_controlnet": (), "input_blocks.1.1.attn2.to_k.down": (4, 768)}, "Control-LoRA"),
        ({"conv_in.weight": (320, 192, 3, 3), "body.0.block1.weight": (320, 320, 3, 3)}, "T2I adapter"),
        ({"input_blocks.1.1.attn2.to_k.weight": (320, 768)}, "ControlNet"),
    ],
)
def test_control_models_have_kinds(scanner: Any, tmp_path: Path, shapes: Shapes, kind: str) -> None:
    write_header(tmp_path / "controlnet" / "openpose.safetensors", shapes)
    (found,) = scanner.scan().controlnets
    assert (found.kind, found.family, found.problem) == (kind, "sd15", None)


@pytest.mark.parametrize(
    ("shapes", "problem"),
    [
        ({"lllite_unet_input_blocks_4_1.depth.weight": (64, 32)}, "ControlNet-LLLite"),
        ({"output_blocks.1.1.attn2.to_k.weight": (320, 768)}, "whole UNet"),
        ({"difference": (), "control_model.input_blocks.1.1.attn2.to_k.weight": (320, 768)}, "difference"),
    ],
)
def test_what_no_loader_takes_for_a_controlnet_has_a_problem(
    scanner: Any, tmp_path: Path, shapes: Shapes, problem: str
) -> None:
    write_header(tmp_path / "controlnet" / "openpose.safetensors", shapes)
    (found,) = scanner.scan().controlnets
    assert found.family is None
    assert problem in found.problem


@pytest.mark.parametrize(("channels", "special"), [(4, False), (9, True)])
def test_an_inpainting_checkpoint_is_known_by_its_first_convolution(
    scanner: Any, sd15: Shapes, tmp_path: Path, channels: int, special: bool
) -> None:
    shapes = {**sd15, f"{UNET}input_blocks.0.0.weight": (320, channels, 3, 3)}
    write_header(tmp_path / "checkpoints" / "plain-name.safetensors", shapes)
    (found,) = scanner.scan().checkpoints
    assert (found.family, found.special) == ("sd15", special)


def test_a_pickled_union_is_known_by_its_name(scanner: Any, tmp_path: Path) -> None:
    (tmp_path / "controlnet" / "sdxl_promax.pth").write_bytes(ZIPPED)
    (found,) = scanner.scan().controlnets
    assert (found.family, found.union, found.guessed) == ("sdxl", True, True)


def test_the_other_folders_are_listed_and_a_folder_of_a_missing_pack_is_empty(
    scanner: Any, modules: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ipadapter" / "a.bin").write_bytes(ZIPPED)
    write_header(tmp_path / "clip_vision" / "b.safetensors", {"a": (1,)})
    found = scanner.scan()
    assert (found.ipadapters, found.clip_visions) == (("a.bin",), ("b.safetensors",))
    monkeypatch.delitem(modules.folder_paths.folder_names_and_paths, "ipadapter")
    assert scanner.scan().ipadapters == ()


def test_a_header_is_read_once_until_the_file_changes(
    scanner: Any, modules: SimpleNamespace, sd15: Shapes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_header(tmp_path / "checkpoints" / "a.safetensors", sd15)
    read: list[Path] = []
    really = modules.models.read_header

    def note(path: Path) -> Any:
        read.append(path)
        return really(path)

    monkeypatch.setattr(modules.models, "read_header", note)
    assert [families(scanner) for _ in range(3)] == [{"a.safetensors": "sd15"}] * 3
    assert read == [path]
    stamp = path.stat().st_mtime_ns
    os.utime(path, ns=(stamp, stamp + 1_000_000_000))
    families(scanner)
    assert read == [path, path]
    write_header(path, widened(sd15, 1024))
    os.utime(path, ns=(stamp, stamp))
    assert families(scanner) == {"a.safetensors": None}
    assert read == [path] * 3


@pytest.mark.parametrize("kind", ["sd15", "sdxl"])
def test_a_batch_fits_as_long_as_the_card_has_the_memory(
    modules: SimpleNamespace, comfyui: ComfyUI, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from comfy import model_management

    from avatarforge.host.memory import batch_fits

    checkpoint = synthetic.make(comfyui, kind)
    gigabyte = 1024**3
    monkeypatch.setattr(model_management, "get_total_memory", lambda *_: 1024 * gigabyte)
    assert batch_fits(checkpoint, 1024, 1024, 4)
    monkeypatch.setattr(model_management, "get_total_memory", lambda *_: 2 * gigabyte)
    assert not batch_fits(checkpoint, 4096, 4096, 4)
    # Somewhere between, the four together no longer fit where one alone does.
    fits = {}
    for memory in range(2, 256):
        monkeypatch.setattr(model_management, "get_total_memory", lambda *_, size=memory: size * gigabyte)
        fits[memory] = (batch_fits(checkpoint, 1024, 1024, 1), batch_fits(checkpoint, 1024, 1024, 4))
        if fits[memory] == (True, True):
            break
    assert (True, False) in fits.values()
    assert list(fits.values())[-1] == (True, True)


@pytest.mark.parametrize(
    ("shapes", "latent"),
    [
        (flux(), (8, 16, 128, 96)),
        (flux2(), (8, 128, 64, 48)),
        (qwen(), (8, 16, 1, 128, 96)),
        (z_image(), (8, 16, 128, 96)),
        (anima(), (8, 16, 1, 128, 96)),
        (krea2(), (8, 16, 1, 128, 96)),
        (chroma(), (8, 16, 128, 96)),
    ],
    ids=["Flux.1", "Flux.2", "Qwen-Image", "Z-Image", "Anima", "Krea 2", "Chroma"],
)
@pytest.mark.parametrize("form", ["split", "all-in-one", "GGUF"])
def test_the_estimate_is_for_latents_of_the_family(
    modules: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shapes: Shapes,
    latent: tuple[int, ...],
    form: str,
) -> None:
    from comfy import model_base, model_management

    from avatarforge.host.memory import batch_fits

    if form == "GGUF":
        path = write_gguf(tmp_path / "a.gguf", {"general.architecture": "any"}, shapes)
    else:
        path = write_header(tmp_path / "a.safetensors", shapes if form == "split" else whole(shapes))
    asked: list[tuple[int, ...]] = []
    really = model_base.BaseModel.memory_required

    def note(model: Any, shape: tuple[int, ...], *rest: Any) -> Any:
        asked.append(tuple(shape))
        return really(model, shape, *rest)

    monkeypatch.setattr(model_base.BaseModel, "memory_required", note)
    monkeypatch.setattr(model_management, "get_total_memory", lambda *_: 1024**4)
    assert batch_fits(path, 768, 1024, 4)
    assert asked == [latent]
    monkeypatch.setattr(model_management, "get_total_memory", lambda *_: 0)
    assert not batch_fits(path, 768, 1024, 4)


@pytest.mark.parametrize(("kind", "size"), [("F16", 2), ("F8_E4M3", 1), ("I8", 1)])
def test_packed_weights_stay_packed_in_the_estimate(
    modules: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, size: int
) -> None:
    from comfy import model_management

    from avatarforge.host.memory import batch_fits

    count = 40_000 * 100_000  # 4 GB in bytes
    shapes = {**flux(), "single_blocks.1.linear1.weight": (40_000, 100_000)}
    path = write_header(tmp_path / "a.safetensors", shapes, types=dict.fromkeys(shapes, kind))
    monkeypatch.setattr(model_management, "unet_dtype", lambda **_: torch.float16)
    monkeypatch.setattr(model_management, "minimum_inference_memory", lambda: 0)
    others = sum(math.prod(shape) for shape in flux().values())
    for extra, fits in ((0, False), (1024**3, True)):
        total = (count + others) * size + extra
        monkeypatch.setattr(model_management, "get_total_memory", lambda *_, total=total: total)
        assert batch_fits(path, 64, 64, 1) is fits


def test_a_file_that_says_nothing_is_left_to_the_loader(modules: SimpleNamespace, tmp_path: Path) -> None:
    from avatarforge.host.memory import batch_fits

    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no header")
    assert batch_fits(broken, 64, 64, 4)
