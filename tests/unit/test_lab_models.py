from __future__ import annotations

from pathlib import Path

import pytest

from lab import synthetic
from lab.family_models import FAMILIES, of
from lab.make_models import KINDS
from lab.make_models.checkpoints import is_hole
from lab.make_models.files import F32, FP8, Model, scaled_fp8, write

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")
safe_open = pytest.importorskip("safetensors").safe_open

SHAPES = {
    "layer_norm.weight": (8,),
    "layer_norm.bias": (8,),
    "encoder.layers.0.fc.weight": (16, 400),
    "encoder.layers.5.fc.weight": (16, 400),
    "after.weight": (4, 8, 3, 3),
    "logit_scale": (),
}


def test_the_file_is_read_by_the_safetensors_library(tmp_path: Path) -> None:
    write(tmp_path / "a.safetensors", Model(SHAPES, is_hole), "noise")
    read = safetensors.load_file(tmp_path / "a.safetensors")
    assert {name: tuple(tensor.shape) for name, tensor in read.items()} == SHAPES
    assert {tensor.dtype for tensor in read.values()} == {torch.float16}
    assert (read["layer_norm.weight"] == 1).all()
    assert (read["layer_norm.bias"] == 0).all()


def test_deep_layers_are_zero_and_the_others_keep_activations_near_one(tmp_path: Path) -> None:
    write(tmp_path / "a.safetensors", Model(SHAPES, is_hole), "noise")
    read = safetensors.load_file(tmp_path / "a.safetensors")
    assert (read["encoder.layers.5.fc.weight"] == 0).all()
    filled = read["encoder.layers.0.fc.weight"].float()
    assert float(filled.std()) == pytest.approx(400**-0.5, rel=0.05)
    assert read["after.weight"].abs().min() > 0


def test_the_same_recipe_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, Model(SHAPES, is_hole), "noise")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_values_of_other_types(tmp_path: Path) -> None:
    shapes = {"mlp.0.weight": (32, 400), "mlp.0.bias": (32,), "scale": ()}
    model = Model(
        shapes,
        dtypes={"mlp.0.weight": FP8, "scale": F32},
        scalars={"scale": 0.25},
        metadata={"version": "2"},
    )
    write(tmp_path / "a.safetensors", model, "noise")
    read = safetensors.load_file(tmp_path / "a.safetensors")
    assert read["mlp.0.weight"].dtype == torch.float8_e4m3fn
    assert float(read["mlp.0.weight"].float().std()) == pytest.approx(400**-0.5, rel=0.1)
    assert read["scale"] == 0.25
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "avatarforge": "noise", "version": "2"}


def test_scaled_fp8_has_the_values_of_float16(tmp_path: Path) -> None:
    shapes = {"mlp.0.weight": (32, 400), "mlp.0.bias": (32,)}
    write(tmp_path / "scaled.safetensors", scaled_fp8(shapes, {"mlp.0"}), "noise")
    write(tmp_path / "plain.safetensors", Model(shapes), "noise")
    scaled = safetensors.load_file(tmp_path / "scaled.safetensors")
    plain = safetensors.load_file(tmp_path / "plain.safetensors")
    restored = scaled["mlp.0.weight"].float() * scaled["mlp.0.scale_weight"]
    # Three bits of mantissa.
    assert torch.allclose(restored, plain["mlp.0.weight"].float(), rtol=2**-4, atol=1e-4)
    assert scaled["scaled_fp8"].shape == (2,)


def test_every_kind_has_a_folder_and_a_recipe() -> None:
    assert {synthetic.SAME_FILE.get(kind, kind) for kind in synthetic.FOLDERS} == KINDS.keys()
    assert synthetic.SAME_FILE.keys() <= synthetic.FOLDERS.keys() - KINDS.keys()


def test_families_need_known_kinds_each_once() -> None:
    needed = of(*FAMILIES)
    assert len(set(needed.kinds)) == len(needed.kinds)
    assert synthetic.FOLDERS.keys() >= set(needed.kinds)
    assert [path.name for path in needed.nodes] == ["hollow_encoders.py"]
    assert all(path.is_file() for path in needed.nodes)
    assert of("sd15").nodes == ()
