"""A LoRA of another family runs without effect, so its header must tell what it is for."""

from __future__ import annotations

import pytest
from headers import Shapes
from hypothesis import given
from hypothesis import strategies as st
from lora_headers import FLUX_NATIVE, LORAS, SDXL, kohya, peft

from avatarforge.host.lora_kinds import detect_lora
from avatarforge.host.model_files import Tensor


def tensors(shapes: Shapes) -> dict[str, Tensor]:
    return {name: Tensor(tuple(shape), "BF16") for name, shape in shapes.items()}


@pytest.mark.parametrize(("shapes", "families", "variants"), LORAS.values(), ids=LORAS)
def test_a_header_tells_the_family(
    shapes: Shapes, families: tuple[str, ...], variants: tuple[str, ...]
) -> None:
    found = detect_lora(tensors(shapes))
    assert (found.families, found.variants, found.problem) == (families, variants, None)


CLIP = {"text_model.encoder.layers.0.self_attn.q_proj": (768, 768)}


@pytest.mark.parametrize(
    ("shapes", "uses_clip"),
    [
        (kohya(SDXL), False),
        ({**kohya(SDXL), **kohya(CLIP, "lora_te1_")}, True),
        ({**peft(SDXL, "unet."), **peft(CLIP, "text_encoder.")}, True),
        (kohya(FLUX_NATIVE), False),
        ({**kohya(FLUX_NATIVE), **kohya(CLIP, "lora_te1_")}, True),
        ({**peft(FLUX_NATIVE), **peft(CLIP, "text_encoders.clip_l.transformer.")}, True),
        ({"lora_te_layers_0_mlp_up_proj.lora_down.weight": (8, 1024)}, True),
    ],
)
def test_whether_text_encoders_change_too(shapes: Shapes, uses_clip: bool) -> None:
    assert detect_lora(tensors(shapes)).uses_clip is uses_clip


@pytest.mark.parametrize(
    "shapes",
    [{}, {"model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3)}, {"emb_params": (4, 768)}],
)
def test_what_is_no_lora_is_said(shapes: Shapes) -> None:
    assert detect_lora(tensors(shapes)).problem == "holds no LoRA"


NAMES = sorted({name for shapes, _, _ in LORAS.values() for name in list(shapes)[:6]})
SIZES = st.lists(st.sampled_from([0, 1, 4, 768, 2048, 3072, 3840, 6144]), max_size=4).map(tuple)


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=40), SIZES, max_size=12))
def test_no_header_makes_it_raise(shapes: Shapes) -> None:
    detect_lora(tensors(shapes))
