"""Passes over linear layers whose weights are all zeros, for tests: the same numbers, and sooner.

Most of the weights of synthetic models (tests/lab/make_models) are zeros, because ComfyUI's code fixes the
widths of their layers. To convert them and to multiply by them takes nearly all the time of a picture.
"""

from __future__ import annotations

from typing import Any

import comfy.ops
import torch

#: Smaller weights are loaded as they are.
LARGE = 1 << 20
NODE_CLASS_MAPPINGS: dict[str, Any] = {}

Linear = comfy.ops.disable_weight_init.Linear
_forward, _load = Linear.forward, Linear._load_from_state_dict


def forward(layer: Any, input: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    """ComfyUI's method of this name of its linear layers, but of those that have a format of their own."""
    if layer.weight_function or layer.bias_function or not is_zero(layer):
        return _forward(layer, input, *args, **kwargs)
    shape = (*input.shape[:-1], layer.weight.shape[0])
    if layer.bias is None:
        return input.new_zeros(shape)
    return layer.bias.to(input).expand(shape).clone()


def is_zero(layer: Any) -> bool:
    """Whether the weights of a layer are all zeros, which is looked up again when they change."""
    weight = layer.weight
    version = None if weight.is_inference() else weight._version
    known = layer.__dict__.get("_is_zero")
    if known is None or known[0] is not weight or known[1] != version:
        known = layer.__dict__["_is_zero"] = (weight, version, has_only_zeros(weight))
    return bool(known[2])


def has_only_zeros(weight: torch.Tensor) -> bool:
    if weight.is_meta or not weight.numel():
        return False
    if not any(weight.stride()):  # one number, expanded
        return not weight[0, 0]
    if not weight.is_contiguous():
        return False
    start = weight.storage_offset() * weight.element_size()
    largest = torch.uint8 if start % 8 or weight.nbytes % 8 else torch.int64
    return not weight.detach().flatten().view(largest).count_nonzero()


def load_from_state_dict(
    layer: Any,
    state_dict: dict[str, Any],
    prefix: str,
    local_metadata: dict[str, Any],
    strict: bool,
    missing_keys: list[str],
    *args: Any,
) -> None:
    """The same for what loads a layer: many zeros become one that is expanded, which takes no memory."""
    name = f"{prefix}weight"
    own: Any = layer.weight
    weight: Any = state_dict.get(name)
    fits = own is not None and weight is not None and weight.shape == own.shape
    if not fits or weight.numel() < LARGE or not has_only_zeros(weight):
        _load(layer, state_dict, prefix, local_metadata, strict, missing_keys, *args)
        return
    others = {key: value for key, value in state_dict.items() if key != name}
    missing: list[str] = []
    _load(layer, others, prefix, local_metadata, strict, missing, *args)
    missing_keys += [key for key in missing if key != name]
    dtype = weight.dtype if local_metadata.get("assign_to_params_buffers") else own.dtype
    zeros = torch.zeros((), dtype=dtype, device=own.device).expand(own.shape)
    layer.weight = torch.nn.Parameter(zeros, requires_grad=False)


Linear.forward, Linear._load_from_state_dict = forward, load_from_state_dict
