"""The stand-in that passes over layers of zeros changes no numbers."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import torch

from lab.synthetic import ZERO_LAYERS


@pytest.fixture
def layers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A class like ComfyUI's of linear layers, with the stand-in."""

    class Linear(torch.nn.Linear):  # type: ignore[misc]
        weight_function: tuple[Any, ...] = ()
        bias_function: tuple[Any, ...] = ()
        multiplied = 0

        def forward(self, input: torch.Tensor) -> torch.Tensor:
            type(self).multiplied += 1
            weight = self.weight + sum(function(self.weight) for function in self.weight_function)
            return torch.nn.functional.linear(input, weight, self.bias)

    comfy, ops = ModuleType("comfy"), ModuleType("comfy.ops")
    comfy.ops, ops.disable_weight_init = ops, type("Ops", (), {"Linear": Linear})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "comfy", comfy)
    monkeypatch.setitem(sys.modules, "comfy.ops", ops)
    spec = importlib.util.spec_from_file_location("zero_layers", ZERO_LAYERS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "LARGE", 1000)
    with torch.inference_mode():
        yield Linear


def filled(layers: Any, value: float, dtype: torch.dtype = torch.float32) -> Any:
    layer = layers(300, 5, dtype=dtype)
    layer.weight.fill_(0.0)
    layer.weight[4, 299] = value
    return layer


X = torch.arange(1200.0).reshape(2, 2, 300)


def test_only_layers_of_zeros_are_passed_over(layers: Any) -> None:
    for value, count in ((0.0, 0), (1e-30, 1)):
        layer = filled(layers, value)
        expected = torch.nn.functional.linear(X, layer.weight, layer.bias)
        assert torch.equal(layer(X), expected)
        assert layers.multiplied == count
    layer = layers(3, 5)
    layer.weight = torch.nn.Parameter(torch.zeros(16)[1:].reshape(5, 3), requires_grad=False)
    assert torch.equal(layer(X[..., :3]), layer.bias.expand(2, 2, 5))
    without_bias = filled(layers, 0.0, torch.float16)
    without_bias.bias = None
    assert torch.equal(without_bias(X), torch.zeros(2, 2, 5))
    assert layers.multiplied == 1


def test_weights_that_change_are_seen(layers: Any) -> None:
    layer = filled(layers, 0.0)
    zeros = layer.weight
    layer(X)
    layer.weight = torch.nn.Parameter(torch.ones(5, 300), requires_grad=False)
    assert torch.equal(layer(X), torch.nn.functional.linear(X, torch.ones(5, 300), layer.bias))
    layer.weight = zeros
    layer(X)
    assert layers.multiplied == 1
    layer.weight_function = (torch.ones_like,)
    assert torch.equal(layer(X), torch.nn.functional.linear(X, torch.ones(5, 300), layer.bias))


def test_weights_that_change_in_place_are_seen(layers: Any) -> None:
    with torch.inference_mode(False), torch.no_grad():
        layer = filled(layers, 0.0)
        layer(X)
        layer.weight[0, 0] = 2.0
        layer(X)
    assert layers.multiplied == 1


def test_many_zeros_are_loaded_as_one(layers: Any) -> None:
    layer = layers(100, 20)
    model = torch.nn.Sequential(layer, layers(20, 4))
    read = {name: torch.zeros_like(own, dtype=torch.float16) for name, own in model.state_dict().items()}
    read["0.bias"] += 2
    read["1.bias"] += 3
    assert model.load_state_dict(read) == ([], [])
    assert (layer.weight.shape, layer.weight.dtype, layer.weight.stride()) == (
        (20, 100),
        torch.float32,
        (0, 0),
    )
    assert model[1].weight.stride() == (20, 1)
    assert torch.equal(model(torch.ones(3, 100)), torch.full((3, 4), 3.0))
    assert layers.multiplied == 0
    # As a LoRA changes it.
    changed = layer.weight.to(torch.float32, copy=True)
    changed += 1
    layer.weight = torch.nn.Parameter(changed, requires_grad=False)
    assert torch.equal(layer(torch.ones(100)), torch.full((20,), 102.0))

    read["0.weight"][19, 99] = 1
    assert model.load_state_dict(read) == ([], [])
    assert layer.weight.stride() == (100, 1)
    del read["0.weight"]
    assert model.load_state_dict(read, strict=False) == (["0.weight"], [])
