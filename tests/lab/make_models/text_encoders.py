"""Text encoder files.

CLIP-L is complete. The others have gigabytes of weights, so their files are headers with nothing but holes:
the embeddings, the first layer, and whatever else tells what an encoder is. Their metadata says that they are
hollow. ComfyUI cannot run them; with the stand-in pack ``hollow_encoders.py`` it encodes noise instead.
"""

from __future__ import annotations

import re
from typing import Any

from .checkpoints import is_hole
from .files import Model, Shapes, in_fp8
from .modules import on_meta, shapes_of

#: Key of the metadata by which the stand-in pack knows a hollow encoder.
HOLLOW = "avatarforge.hollow"
LATER_LAYERS = re.compile(r"(?:layers|blocks|deepstack_merger_list)\.[1-9]\d*\.")


def hollow(shapes: Shapes) -> Model:
    return Model(shapes, lambda _name: True, in_fp8(shapes), metadata={HOLLOW: "yes"})


def clip_l(_decoder_width: int) -> Model:
    from comfy.sd1_clip import SDClipModel

    shapes = shapes_of(SDClipModel(device="meta"))
    text = {
        name.removeprefix("transformer."): shape
        for name, shape in shapes.items()
        if name.startswith("transformer.")
    }
    return Model(text, is_hole)


def t5xxl(_decoder_width: int) -> Model:
    """T5-XXL, with the first and the last of its layers: ComfyUI looks at the last."""
    from comfy.text_encoders.t5 import T5

    config = {
        "num_layers": 24,
        "d_model": 4096,
        "d_kv": 64,
        "num_heads": 64,
        "d_ff": 10240,
        "dense_act_fn": "gelu_pytorch_tanh",
        "is_gated_act": True,
        "model_type": "t5",
        "vocab_size": 32128,
    }
    shapes = shapes_of(_encoder(T5, config))
    between = re.compile(r"block\.(?!0\.|23\.)")
    return hollow({name: shape for name, shape in shapes.items() if not between.search(name)})


def _language_model(name: str) -> Model:
    """A language model of ``comfy.text_encoders.llama`` with one layer."""
    from comfy.text_encoders import llama

    return hollow(shapes_of(_encoder(getattr(llama, name), {"num_hidden_layers": 1})))


def qwen3_06b(_decoder_width: int) -> Model:
    return _language_model("Qwen3_06B")


def qwen3_4b(_decoder_width: int) -> Model:
    return _language_model("Qwen3_4B")


def qwen3_8b(_decoder_width: int) -> Model:
    return _language_model("Qwen3_8B")


def mistral_24b(_decoder_width: int) -> Model:
    return _language_model("Mistral3Small24B")


def qwen25_vl_7b(_decoder_width: int) -> Model:
    model = _language_model("Qwen25_7BVLI")
    return hollow({name: shape for name, shape in model.shapes.items() if not LATER_LAYERS.search(name)})


def qwen3_vl_4b(_decoder_width: int) -> Model:
    """Qwen3-VL-4B under the names of its publisher, which ComfyUI shortens."""
    from comfy.text_encoders.qwen3vl import Qwen3VL

    of_4b = type("Qwen3VL4B", (Qwen3VL,), {"model_type": "qwen3vl_4b"})
    model = _encoder(of_4b, {"num_hidden_layers": 1})
    shapes: Shapes = {}
    for name, shape in shapes_of(model).items():
        if not LATER_LAYERS.search(name):
            visual = name.startswith("visual.")
            shapes[f"model.{name}" if visual else name.replace("model.", "model.language_model.", 1)] = shape
    return hollow(shapes)


def _encoder(make: Any, config: dict[str, Any]) -> Any:
    return on_meta(lambda device, dtype, operations: make(config, dtype, device, operations))
