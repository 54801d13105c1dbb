from __future__ import annotations

from pathlib import Path

import pytest

from lab import make_models

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

SHAPES = {
    "layer_norm.weight": (8,),
    "layer_norm.bias": (8,),
    "encoder.layers.0.fc.weight": (16, 400),
    "encoder.layers.5.fc.weight": (16, 400),
    "after.weight": (4, 8, 3, 3),
    "logit_scale": (),
}


def test_the_file_is_read_by_the_safetensors_library(tmp_path: Path) -> None:
    make_models.write_safetensors(tmp_path / "a.safetensors", SHAPES, "noise")
    read = safetensors.load_file(tmp_path / "a.safetensors")
    assert {name: tuple(tensor.shape) for name, tensor in read.items()} == SHAPES
    assert {tensor.dtype for tensor in read.values()} == {torch.float16}
    assert (read["layer_norm.weight"] == 1).all()
    assert (read["layer_norm.bias"] == 0).all()


def test_deep_layers_are_zero_and_the_others_keep_activations_near_one(tmp_path: Path) -> None:
    make_models.write_safetensors(tmp_path / "a.safetensors", SHAPES, "noise")
    read = safetensors.load_file(tmp_path / "a.safetensors")
    assert (read["encoder.layers.5.fc.weight"] == 0).all()
    filled = read["encoder.layers.0.fc.weight"].float()
    assert float(filled.std()) == pytest.approx(400**-0.5, rel=0.05)
    assert read["after.weight"].abs().min() > 0


def test_the_same_recipe_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_models.write_safetensors(tmp_path / name, SHAPES, "noise")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
