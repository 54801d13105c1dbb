"""Recognises what a LoRA is for, from the names and shapes of its tensors.

ComfyUI runs a LoRA of another family without an effect, or with a wrong one where names and widths happen to
be equal, so this has to be right. Trainers write the same layers in several styles: kohya
(`lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight`), diffusers and peft
(`transformer.transformer_blocks.0.attn.to_q.lora_A.weight`), ComfyUI's own (`diffusion_model.` and the name
in the model). All are brought into one form first: underscores, no prefix. ComfyUI's side of the names is
`model_lora_keys_unet` in comfy/lora.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from .model_files import Tensor

_WORD = re.compile(r"\S+")
#: The last part of a tensor's name: its role in the LoRA of one layer.
_ROLES = frozenset(
    _WORD.findall(
        """lora_down lora_up lora_mid lora_A lora_B lora_magnitude_vector down up dora_scale
        hada_w1_a hada_w1_b hada_w2_a hada_w2_b hada_t1 hada_t2 lokr_w1 lokr_w1_a lokr_w1_b lokr_w2 lokr_w2_a
        lokr_w2_b lokr_t2 oft_blocks oft_diag a1 a2 b1 b2 diff diff_b set_weight w_norm b_norm reshape_weight"""
    )
)
#: What diffusers adds to a layer's name before "down" and "up".
_DIFFUSERS_ENDS = (".lora", "_lora", ".lora_linear_layer")
#: Where a name begins that is in the diffusion model, in all styles.
_PREFIX = re.compile(
    r"(?:base_model_model_|diffusion_model_|model_|lora_unet_+|lora_transformer_|lycoris_|lora_|unet_"
    r"|transformer_(?!blocks))+"
)
_TEXT_ENCODERS = tuple(
    _WORD.findall(
        """lora_te_ lora_te1_ lora_te2_ lora_te3_ lora_prior_te text_encoder. text_encoder_2. text_encoder_3.
        text_encoders. te. te1. te2. t5xxl. clip_l. clip_g. lycoris_text_encoder lora_text_encoder"""
    )
)
_SECOND_ENCODER = ("lora_te2_", "text_encoder_2.", "te2.", "text_encoders.clip_g.")

_UNET = re.compile(r"^(?:(?:down|up|input|output)_blocks_\d|mid_block|middle_block|label_emb|add_embedding)")
_CONTEXT_LAYERS = re.compile(r"attn2_(?:processor_)?to_[kv]$")
# In Stable Diffusion 1.5 each attention has one block, and there is attention next to the full resolution.
_ONLY_SDXL = re.compile(r"^(?!.*motion).*transformer_blocks_[1-9]|^label_emb|^add_embedding")
_ONLY_SD15 = re.compile(
    r"^(?:down_blocks_0_attentions|down_blocks_3_|up_blocks_3_|input_blocks_[12]_1|input_blocks_(?:9|1\d)_"
    r"|output_blocks_(?:9|1\d)_)"
)
_SD15_CONTEXT, _SDXL_CONTEXT = 768, 2048

_Z_IMAGE = re.compile(r"^(?:layers|noise_refiner|context_refiner)_\d+_(?:attention|feed_forward|adaLN)")
_Z_IMAGE_ATTENTION = re.compile(r"^(?:layers|\w+_refiner)_\d+_attention_(?:qkv|to_[qkv]|q|k|v)$")
_Z_IMAGE_WIDTH = 3840  # Lumina 2, with the same names, has 2304
_KREA2 = re.compile(
    r"^(?:txtfusion_|text_fusion_|blocks_\d+_attn_(?:w[qkvo]|gate)$|blocks_\d+_mlp_(?:gate|up|down)$"
    r"|transformer_blocks_\d+_(?:attn_to_gate|ff_(?:gate|up|down))$)"
)
_ANIMA = re.compile(
    r"^(?:llm_adapter_|blocks_\d+_(?:(?:self|cross)_attn_(?:q|k|v|output)_proj|mlp_layer[12]|adaln_modulation))"
)
_ANIMA_QUERIES = re.compile(r"^blocks_\d+_(?:self|cross)_attn_q_proj$")
_COSMOS_14B_WIDTH = 5120  # Cosmos-Predict2, with the names of Anima
_QWEN = re.compile(r"^transformer_blocks_\d+_(?:img|txt)_(?:mlp|mod)|^txt_norm")
_FLUX = re.compile(
    r"^(?:double_blocks_\d+_|single_blocks_\d+_|single_transformer_blocks_\d+_|transformer_blocks_\d+_"
    r"|double_stream_modulation|single_stream_modulation|distilled_guidance|time_text_embed|guidance_in"
    r"|vector_in|x_embedder|context_embedder|img_in|txt_in)"
)
# HunyuanVideo has Flux's blocks and width, with other names inside.
_HUNYUAN = re.compile(r"individual_token_refiner|_mlp_fc[12]$|_mod_linear$|modulation_linear$")
_FLUX2 = re.compile(
    r"^(?:double|single)_stream_modulation|_attn_to_qkv_mlp_proj$|_ff(?:_context)?_linear_(?:in|out)$"
)
# Flux.1 modulates in each block, Flux.2 once for all.
_FLUX1 = re.compile(
    r"_(?:img|txt)_mod_lin$|_modulation_lin$|_norm1(?:_context)?_linear$|_norm_linear$|_proj_mlp$"
    r"|_ff(?:_context)?_net_|^vector_in|^guidance_in|^time_text_embed|^single_transformer_blocks_\d+_proj_out$"
)
_CHROMA = re.compile(r"^distilled_guidance")
_FLUX_INPUTS = re.compile(
    r"^(?:double_blocks_\d+_(?:(?:img|txt)_attn_qkv|(?:img|txt)_mlp_0|processor_qkv_lora[12])"
    r"|single_blocks_\d+_(?:linear1|linear1_qkv|processor_qkv)"
    r"|(?:single_)?transformer_blocks_\d+_attn_(?:to_[qkv]|add_[qkv]_proj))$"
)
_INDEX = re.compile(r"^(double_blocks|single_blocks|single_transformer_blocks|transformer_blocks)_(\d+)_")
#: Hidden width of Flux.2 -> variants. The smallest are as wide as Flux.1.
_FLUX2_VARIANTS: Mapping[int, tuple[str, ...]] = {
    3072: ("klein_4b", "klein_base_4b"),
    4096: ("klein_9b", "klein_base_9b"),
    6144: ("dev",),
}
_FLUX1_WIDTH, _FLUX1_DOUBLE, _FLUX1_SINGLE = 3072, 19, 38
_KLEIN_4B_DOUBLE, _KLEIN_4B_SINGLE = 5, 20
# Layers whose shape tells the two: (pattern, outputs for each input in Flux.1, in Flux.2).
_RATIOS = (
    (re.compile(r"^double_blocks_\d+_(?:img|txt)_mlp_0$"), 4, 6),
    (re.compile(r"^single_blocks_\d+_linear1$"), 7, 9),
)
_KREA2_WIDTH = 6144

_NO_LORA = "holds no LoRA"


@dataclass(frozen=True)
class LoraKind:
    """The families that a LoRA can be for: several if the header cannot tell, the likeliest first; none if it
    is for another one. `variants` are those of the family that it fits, empty for all. `uses_clip`: it
    changes text encoders too."""

    families: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    uses_clip: bool = False
    problem: str | None = None


def detect_lora(tensors: Mapping[str, Tensor]) -> LoraKind:
    """Recognise a LoRA, LoHa, LoKr, or full difference."""
    layers: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, tensor in tensors.items():
        layer, _, role = name.removesuffix(".weight").removesuffix(".default").rpartition(".")
        if role not in _ROLES:
            continue
        if role in ("down", "up"):
            layer = _without(layer, _DIFFUSERS_ENDS)
        layers.setdefault(layer, {})[role] = tensor.shape
    if not layers:
        return LoraKind(problem=_NO_LORA)
    encoders = {name for name in layers if name.startswith(_TEXT_ENCODERS)}
    model = {_plain(name): parts for name, parts in layers.items() if name not in encoders}
    second_encoder = any(name.startswith(_SECOND_ENCODER) for name in encoders)
    families, variants = _families(_Layers(model), second_encoder)
    return LoraKind(families, variants, bool(encoders))


def _without(name: str, ends: tuple[str, ...]) -> str:
    return next((name.removesuffix(end) for end in ends if name.endswith(end)), name)


def _plain(layer: str) -> str:
    """A layer's name in all styles alike."""
    name = layer.replace(".", "_")
    prefix = _PREFIX.match(name)
    return name[prefix.end() :] if prefix else name


class _Layers:
    """The changed layers of the diffusion model by name."""

    def __init__(self, layers: Mapping[str, Mapping[str, tuple[int, ...]]]) -> None:
        self._layers = layers

    def has(self, pattern: re.Pattern[str]) -> bool:
        return any(pattern.search(name) for name in self._layers)

    def inputs(self, pattern: re.Pattern[str]) -> set[int]:
        """Input widths of the layers with such names, as far as their parts tell."""
        found = (_width(parts, 1) for name, parts in self._layers.items() if pattern.search(name))
        return {width for width in found if width is not None}

    def sizes(self, pattern: re.Pattern[str]) -> set[tuple[int, int]]:
        """(output width, input width) of the layers with such names."""
        found = set()
        for name, parts in self._layers.items():
            if pattern.search(name):
                out, into = _width(parts, 0), _width(parts, 1)
                if out and into:
                    found.add((out, into))
        return found

    @cached_property
    def blocks(self) -> dict[str, int]:
        """How many blocks of each kind there must be: one more than the highest number."""
        found: dict[str, int] = {}
        for name in self._layers:
            if match := _INDEX.match(name):
                # No model has thousands of blocks; a longer number is none.
                number = int(match[2]) if len(match[2]) < 5 else 0
                found[match[1]] = max(found.get(match[1], 0), number + 1)
        return found


def _width(parts: Mapping[str, tuple[int, ...]], side: int) -> int | None:
    """Output (`side` 0) or input (`side` 1) width of a layer; None if its parts do not tell."""
    names = (
        ("lora_up", "lora_B", "up", "hada_w1_a", "diff"),
        ("lora_down", "lora_A", "down", "hada_w1_b", "diff"),
    )[side]
    for name in names:
        shape = parts.get(name)
        if shape is not None and len(shape) > side:
            return shape[side]
    first, second = _factor(parts, "lokr_w1", side), _factor(parts, "lokr_w2", side)
    return first * second if first and second else None


def _factor(parts: Mapping[str, tuple[int, ...]], name: str, side: int) -> int | None:
    """Width of one factor of a LoKr, which can be decomposed itself."""
    shape = parts.get(name) or parts.get(f"{name}_{'ab'[side]}")
    return shape[side] if shape is not None and len(shape) > side else None


_Found = tuple[tuple[str, ...], tuple[str, ...]]


def _families(layers: _Layers, second_encoder: bool) -> _Found:
    """(families, variants)"""
    if layers.has(_UNET):
        return _unet_families(layers, second_encoder), ()
    if layers.has(_Z_IMAGE):
        widths = layers.inputs(_Z_IMAGE_ATTENTION)
        return (("z_image",) if widths <= {_Z_IMAGE_WIDTH} else ()), ()
    if layers.has(_KREA2):
        return ("krea2",), ()
    if layers.has(_ANIMA):
        return (() if _COSMOS_14B_WIDTH in layers.inputs(_ANIMA_QUERIES) else ("anima",)), ()
    if layers.has(_QWEN):
        return ("qwen_image",), ()
    if layers.has(_FLUX) and not layers.has(_HUNYUAN):
        return _flux_families(layers)
    # A LoRA for the text encoder alone: only the second one of SDXL is told from its name.
    return (("sdxl",) if second_encoder else ()), ()


def _unet_families(layers: _Layers, second_encoder: bool) -> tuple[str, ...]:
    contexts = layers.inputs(_CONTEXT_LAYERS)
    if contexts:
        families = {_SD15_CONTEXT: ("sd15",), _SDXL_CONTEXT: ("sdxl",)}
        return families.get(contexts.pop(), ()) if len(contexts) == 1 else ()
    if second_encoder or layers.has(_ONLY_SDXL):
        return ("sdxl",)
    return ("sd15",) if layers.has(_ONLY_SD15) else ("sd15", "sdxl")


def _flux_families(layers: _Layers) -> _Found:
    """Flux.1, Flux.2, Chroma, or attention layers that Flux.1, Qwen and Krea 2 name equally."""
    double = max(layers.blocks.get("double_blocks", 0), layers.blocks.get("transformer_blocks", 0))
    single = max(layers.blocks.get("single_blocks", 0), layers.blocks.get("single_transformer_blocks", 0))
    widths = layers.inputs(_FLUX_INPUTS)
    width = widths.pop() if len(widths) == 1 else None
    variants = _FLUX2_VARIANTS.get(width or 0, ())
    if layers.has(_CHROMA):
        return ("chroma",), ()
    if layers.has(_FLUX2):
        return ("flux2",), variants
    if layers.has(_FLUX1):
        return ("flux",), ()
    if "transformer_blocks" in layers.blocks and not single:
        if width == _KREA2_WIDTH and any(out != into for out, into in layers.sizes(_KEYS)):
            return ("krea2",), ()  # fewer heads for keys than for queries
        if width == _FLUX1_WIDTH and double > _FLUX1_DOUBLE:
            return ("qwen_image",), ()
    for pattern, flux1, flux2 in _RATIOS:
        ratios = {out / into for out, into in layers.sizes(pattern)}
        if flux2 in ratios:
            return ("flux2",), variants
        if flux1 in ratios:
            return _within_flux1(double, single), ()
    if width in _FLUX2_VARIANTS and width != _FLUX1_WIDTH:
        families = ("krea2", "flux2") if width == _KREA2_WIDTH and _bare(layers, single) else ("flux2",)
        return families, variants
    if width is not None and width != _FLUX1_WIDTH:
        return (), ()
    if double > _KLEIN_4B_DOUBLE or single > _KLEIN_4B_SINGLE:
        families = _within_flux1(double, single)
        return (*families, "qwen_image") if families and _bare(layers, single) else families, ()
    return ("flux", "flux2", "chroma", *(("qwen_image",) if _bare(layers, single) else ())), ()


def _within_flux1(double: int, single: int) -> tuple[str, ...]:
    """Flux.1, whose blocks Chroma shares; nothing if it has not that many blocks, as HunyuanVideo."""
    return ("flux", "chroma") if double <= _FLUX1_DOUBLE and single <= _FLUX1_SINGLE else ()


_KEYS = re.compile(r"^transformer_blocks_\d+_attn_to_[kv]$")


def _bare(layers: _Layers, single: int) -> bool:
    """Whether only attention in blocks of one kind is changed, with names that several models have."""
    return "transformer_blocks" in layers.blocks and not single
