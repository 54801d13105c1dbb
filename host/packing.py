"""Tells how the weights of a model file are packed."""

from __future__ import annotations

from collections import Counter

from .model_files import Header

_QUANTISED = ".comfy_quant"
_SCALED_FP8 = "scaled_fp8"
# In the metadata, where newer files list their packed layers.
_QUANTISATION = "_quantization_metadata"
#: Type of the packed weights -> name.
_SCALED = {"F8_E4M3": "fp8_scaled", "F8_E5M2": "fp8_scaled", "U8": "nvfp4", "I8": "int8"}
_PLAIN = {"F8_E4M3": "fp8", "F8_E5M2": "fp8"}
#: Ends of the names of tensors that only a loader of another pack unpacks -> what they are.
_OTHER_LOADERS = {
    ".qweight": "is packed for Nunchaku, whose own node loads it",
    ".quant_state.bitsandbytes__nf4": "is packed by bitsandbytes, which ComfyUI's own loader does not read",
    ".quant_state.bitsandbytes__fp4": "is packed by bitsandbytes, which ComfyUI's own loader does not read",
}


def packing_of(header: Header) -> str | None:
    """ "fp8", "fp8_scaled", "int8" or "nvfp4"; None for weights that are not packed."""
    packed = [name.removesuffix(_QUANTISED) for name in header.tensors if name.endswith(_QUANTISED)]
    if packed or _QUANTISATION in header.metadata:
        layers = packed or [name.removesuffix(".weight") for name in header.tensors]
        types = Counter(
            tensor.dtype
            for name in layers
            if (tensor := header.tensors.get(f"{name}.weight")) is not None and tensor.dtype in _SCALED
        )
        return _SCALED[types.most_common(1)[0][0]] if types else None
    if any(name == _SCALED_FP8 or name.endswith(f".{_SCALED_FP8}") for name in header.tensors):
        return "fp8_scaled"
    sizes: Counter[str] = Counter()
    for tensor in header.tensors.values():
        sizes[tensor.dtype] += len(tensor.shape) > 1
    return _PLAIN.get(sizes.most_common(1)[0][0]) if sizes else None


def unusable_packing(header: Header) -> str | None:
    """Why ComfyUI's own loaders cannot unpack the weights, phrased to follow "it"; None if they can."""
    for name in header.tensors:
        for end, problem in _OTHER_LOADERS.items():
            if name.endswith(end):
                return problem
    return None
