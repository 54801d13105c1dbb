"""LoRAs: a few layers each, with the names that trainers use for each family."""

from __future__ import annotations

from collections.abc import Mapping

from .files import F32, Model, Shapes
from .flux import WIDTH as FLUX
from .wide import ANIMA_WIDTH as ANIMA
from .wide import KREA2_WIDTH as KREA2

RANK = 4
#: Width of SD1.5's and SDXL's synthetic UNets, and of CLIP-L and CLIP-G.
UNET, CLIP_L, CLIP_G = 320, 768, 1280
QWEN, Z_IMAGE = 3072, 3840

#: Layer -> (outputs, inputs).
Layers = Mapping[str, tuple[int, int]]


def kohya(layers: Layers) -> Model:
    """The names of kohya's scripts: each layer has ``lora_up``, ``lora_down`` and ``alpha``."""
    shapes: Shapes = {}
    alphas = {f"{layer}.alpha": float(RANK) for layer in layers}
    for layer, (outputs, inputs) in layers.items():
        shapes |= {f"{layer}.lora_up.weight": (outputs, RANK), f"{layer}.lora_down.weight": (RANK, inputs)}
        shapes[f"{layer}.alpha"] = ()
    return Model(shapes, dtypes=dict.fromkeys(alphas, F32), scalars=alphas)


def peft(layers: Layers) -> Model:
    """The names of PEFT and of ai-toolkit: ``lora_A`` and ``lora_B``, without ``alpha``."""
    shapes: Shapes = {}
    for layer, (outputs, inputs) in layers.items():
        shapes |= {f"{layer}.lora_A.weight": (RANK, inputs), f"{layer}.lora_B.weight": (outputs, RANK)}
    return Model(shapes)


def sd15(_decoder_width: int) -> Model:
    block = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0"
    return kohya(
        {
            f"{block}_attn1_to_v": (UNET, UNET),
            f"{block}_attn2_to_v": (UNET, 768),
            "lora_te_text_model_encoder_layers_0_self_attn_v_proj": (CLIP_L, CLIP_L),
        }
    )


def sdxl(_decoder_width: int) -> Model:
    block = "lora_unet_input_blocks_4_1_transformer_blocks_0"
    return kohya(
        {
            f"{block}_attn1_to_v": (UNET, UNET),
            f"{block}_attn2_to_v": (UNET, 2048),
            "lora_te1_text_model_encoder_layers_0_self_attn_v_proj": (CLIP_L, CLIP_L),
            "lora_te2_text_model_encoder_layers_0_self_attn_v_proj": (CLIP_G, CLIP_G),
        }
    )


def flux1(_decoder_width: int) -> Model:
    return kohya(
        {
            "lora_unet_double_blocks_0_img_attn_qkv": (3 * FLUX, FLUX),
            "lora_unet_double_blocks_0_img_mlp_0": (4 * FLUX, FLUX),
            "lora_unet_single_blocks_0_linear1": (7 * FLUX, FLUX),
            "lora_te1_text_model_encoder_layers_0_self_attn_v_proj": (CLIP_L, CLIP_L),
        }
    )


def flux2(_decoder_width: int) -> Model:
    return peft(
        {
            "diffusion_model.double_blocks.0.img_attn.qkv": (3 * FLUX, FLUX),
            "diffusion_model.double_blocks.0.img_mlp.0": (6 * FLUX, FLUX),
            "diffusion_model.single_blocks.0.linear1": (9 * FLUX, FLUX),
        }
    )


def qwen_image(_decoder_width: int) -> Model:
    names = ("to_q", "to_v", "add_k_proj", "add_v_proj")
    return kohya({f"transformer_blocks.0.attn.{name}": (QWEN, QWEN) for name in names})


def z_image(_decoder_width: int) -> Model:
    names = ("to_q", "to_v")
    return peft({f"diffusion_model.layers.0.attention.{name}": (Z_IMAGE, Z_IMAGE) for name in names})


def anima(_decoder_width: int) -> Model:
    names = ("self_attn.v_proj", "cross_attn.q_proj", "cross_attn.output_proj")
    return peft({f"diffusion_model.blocks.0.{name}": (ANIMA, ANIMA) for name in names})


def krea2(_decoder_width: int) -> Model:
    names = ("wq", "wo", "gate")
    return peft({f"diffusion_model.blocks.0.attn.{name}": (KREA2, KREA2) for name in names})
