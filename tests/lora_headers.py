"""Headers of LoRAs as trainers write them: kohya's, diffusers' and peft's, ComfyUI's own, LyCORIS."""

from __future__ import annotations

from collections.abc import Mapping

from headers import Shapes

Layers = Mapping[str, tuple[int, int]]
RANK = 16


def kohya(layers: Layers, prefix: str = "lora_unet_") -> Shapes:
    found: dict[str, tuple[int, ...]] = {}
    for name, (out, into) in layers.items():
        layer = prefix + name.replace(".", "_")
        found |= {f"{layer}.alpha": (), f"{layer}.lora_down.weight": (RANK, into)}
        found[f"{layer}.lora_up.weight"] = (out, RANK)
    return found


def peft(layers: Layers, prefix: str = "diffusion_model.") -> Shapes:
    return _pairs(layers, prefix, ".lora_A.weight", ".lora_B.weight")


def default_adapter(layers: Layers, prefix: str = "") -> Shapes:
    return _pairs(layers, prefix, ".lora_A.default.weight", ".lora_B.default.weight")


def old_diffusers(layers: Layers, prefix: str = "unet.") -> Shapes:
    return _pairs(layers, prefix, ".lora.down.weight", ".lora.up.weight")


def full_difference(layers: Layers, prefix: str = "diffusion_model.") -> Shapes:
    return {f"{prefix}{name}.diff": size for name, size in layers.items()}


def loha(layers: Layers, prefix: str = "lycoris_") -> Shapes:
    found: dict[str, tuple[int, ...]] = {}
    for name, (out, into) in layers.items():
        layer = prefix + name.replace(".", "_")
        found |= {f"{layer}.hada_w1_a": (out, RANK), f"{layer}.hada_w1_b": (RANK, into)}
        found |= {f"{layer}.hada_w2_a": (out, RANK), f"{layer}.hada_w2_b": (RANK, into)}
    return found


def lokr(layers: Layers, prefix: str = "lycoris_") -> Shapes:
    found: dict[str, tuple[int, ...]] = {}
    for name, (out, into) in layers.items():
        layer = prefix + name.replace(".", "_")
        found |= {f"{layer}.alpha": (), f"{layer}.lokr_w1": (8, 4)}
        found |= {f"{layer}.lokr_w2_a": (out // 8, RANK), f"{layer}.lokr_w2_b": (RANK, into // 4)}
    return found


def _pairs(layers: Layers, prefix: str, down: str, up: str) -> Shapes:
    found: dict[str, tuple[int, ...]] = {}
    for name, (out, into) in layers.items():
        found[f"{prefix}{name}{down}"] = (RANK, into)
        found[f"{prefix}{name}{up}"] = (out, RANK)
    return found


def blocks(count: int, layers: Mapping[str, tuple[int, int]]) -> Layers:
    """The layers in each of `count` blocks; `{}` in a name is the number."""
    return {name.format(number): size for number in range(count) for name, size in layers.items()}


def unet(context: int, attention: str = "down_blocks.1.attentions.0.transformer_blocks.0") -> Layers:
    return {
        f"{attention}.attn1.to_q": (640, 640),
        f"{attention}.attn2.to_k": (640, context),
        f"{attention}.attn2.to_v": (640, context),
    }


SD15, SDXL, SD2 = unet(768), unet(2048), unet(1024)
FLUX_NATIVE = {
    **blocks(
        19, {"double_blocks.{}.img_attn.qkv": (9216, 3072), "double_blocks.{}.txt_mlp.0": (12288, 3072)}
    ),
    **blocks(38, {"single_blocks.{}.linear1": (21504, 3072)}),
}
FLUX_DIFFUSERS = {
    **blocks(19, {"transformer_blocks.{}.attn.to_q": (3072, 3072)}),
    **blocks(19, {"transformer_blocks.{}.attn.add_k_proj": (3072, 3072)}),
    **blocks(38, {"single_transformer_blocks.{}.attn.to_q": (3072, 3072)}),
}
FLUX_ONE_BLOCK = {"single_transformer_blocks.7.proj_out": (3072, 15360)}


def flux2(hidden: int, double: int, single: int) -> Layers:
    return {
        **blocks(double, {"double_blocks.{}.img_attn.qkv": (3 * hidden, hidden)}),
        **blocks(double, {"double_blocks.{}.img_mlp.0": (6 * hidden, hidden)}),
        **blocks(single, {"single_blocks.{}.linear1": (9 * hidden, hidden)}),
    }


def flux2_diffusers(hidden: int) -> Layers:
    return {
        "transformer_blocks.0.attn.to_q": (hidden, hidden),
        "transformer_blocks.0.ff.linear_in": (6 * hidden, hidden),
        "single_transformer_blocks.0.attn.to_qkv_mlp_proj": (9 * hidden, hidden),
    }


QWEN = {
    **blocks(60, {"transformer_blocks.{}.attn.to_q": (3072, 3072)}),
    **blocks(60, {"transformer_blocks.{}.attn.add_k_proj": (3072, 3072)}),
    **blocks(60, {"transformer_blocks.{}.img_mlp.net.2": (3072, 12288)}),
}
QWEN_ATTENTION = blocks(60, {"transformer_blocks.{}.attn.to_q": (3072, 3072)})
Z_IMAGE = blocks(30, {"layers.{}.attention.to_q": (3840, 3840), "layers.{}.feed_forward.w1": (10240, 3840)})
LUMINA = blocks(26, {"layers.{}.attention.qkv": (3840, 2304)})
ANIMA = blocks(28, {"blocks.{}.cross_attn.q_proj": (2048, 2048), "blocks.{}.mlp.layer1": (8192, 2048)})
COSMOS = blocks(36, {"blocks.{}.cross_attn.q_proj": (5120, 5120)})
KREA2 = blocks(28, {"blocks.{}.attn.wq": (6144, 6144), "blocks.{}.attn.wk": (1536, 6144)})
KREA2_DIFFUSERS = blocks(
    28, {"transformer_blocks.{}.attn.to_q": (6144, 6144), "transformer_blocks.{}.attn.to_k": (1536, 6144)}
)
CHROMA = {**FLUX_NATIVE, "distilled_guidance_layer.in_proj": (5120, 64)}
WAN = blocks(30, {"blocks.{}.cross_attn.q": (1536, 1536), "blocks.{}.self_attn.k": (1536, 1536)})
HUNYUAN = {
    **blocks(
        20, {"double_blocks.{}.img_attn_qkv": (9216, 3072), "double_blocks.{}.img_mlp.fc1": (12288, 3072)}
    ),
    **blocks(40, {"single_blocks.{}.linear1": (21504, 3072)}),
}

KLEIN_4B, KLEIN_9B = ("klein_4b", "klein_base_4b"), ("klein_9b", "klein_base_9b")
#: Name of a case -> (tensors, families that it can be for, variants).
LORAS: dict[str, tuple[Shapes, tuple[str, ...], tuple[str, ...]]] = {
    "SD1.5 kohya": (kohya(SD15), ("sd15",), ()),
    "SD1.5 diffusers": (old_diffusers(SD15), ("sd15",), ()),
    "SD1.5 without cross-attention": (
        kohya({"down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q": (320, 320)}),
        ("sd15",),
        (),
    ),
    "SD2": (kohya(SD2), (), ()),
    "SDXL kohya": (kohya(SDXL), ("sdxl",), ()),
    "SDXL sgm": (kohya(unet(2048, "input_blocks.4.1.transformer_blocks.0")), ("sdxl",), ()),
    "SDXL peft": (peft(SDXL, "unet."), ("sdxl",), ()),
    "SDXL LoHa": (loha(SDXL), ("sdxl",), ()),
    "SDXL LoKr": (lokr(SDXL), ("sdxl",), ()),
    "SDXL deep blocks": (
        kohya({"mid_block.attentions.0.transformer_blocks.7.attn1.to_q": (1280, 1280)}),
        ("sdxl",),
        (),
    ),
    "SDXL text encoder alone": (
        kohya({"text_model.encoder.layers.0.mlp.fc1": (5120, 1280)}, "lora_te2_"),
        ("sdxl",),
        (),
    ),
    "SD of either": (kohya({"up_blocks.1.resnets.0.conv1": (640, 1920)}), ("sd15", "sdxl"), ()),
    "Flux.1 kohya": (kohya(FLUX_NATIVE), ("flux", "chroma"), ()),
    "Flux.1 ComfyUI": (peft(FLUX_NATIVE), ("flux", "chroma"), ()),
    "Flux.1 diffusers": (peft(FLUX_DIFFUSERS, "transformer."), ("flux", "chroma"), ()),
    "Flux.1 OneTrainer": (kohya(FLUX_DIFFUSERS, "lora_transformer_"), ("flux", "chroma"), ()),
    "Flux.1 difference": (full_difference(FLUX_NATIVE), ("flux", "chroma"), ()),
    "Flux.1 LoKr": (lokr(FLUX_NATIVE), ("flux", "chroma"), ()),
    "Flux.1 one block": (peft(FLUX_ONE_BLOCK, "transformer."), ("flux",), ()),
    "Flux.1 modulation": (kohya({"double_blocks.0.img_mod.lin": (18432, 3072)}), ("flux",), ()),
    "XLabs": (
        {
            "double_blocks.0.processor.qkv_lora1.down.weight": (16, 3072),
            "double_blocks.0.processor.qkv_lora1.up.weight": (9216, 16),
            "double_blocks.18.processor.qkv_lora2.down.weight": (16, 3072),
        },
        ("flux", "chroma"),
        (),
    ),
    "Chroma": (kohya(CHROMA), ("chroma",), ()),
    "HunyuanVideo": (kohya(HUNYUAN), (), ()),
    "Wan": (peft(WAN), (), ()),
    "klein 4B": (peft(flux2(3072, 5, 20)), ("flux2",), KLEIN_4B),
    "klein 9B": (kohya(flux2(4096, 8, 24)), ("flux2",), KLEIN_9B),
    "Flux.2 dev": (peft(flux2(6144, 8, 48)), ("flux2",), ("dev",)),
    "klein 4B diffusers": (peft(flux2_diffusers(3072), "transformer."), ("flux2",), KLEIN_4B),
    "Flux.2 dev diffusers": (peft(flux2_diffusers(6144), "transformer."), ("flux2",), ("dev",)),
    "a few blocks of either": (
        peft({"double_blocks.0.img_attn.qkv": (9216, 3072)}),
        ("flux", "flux2", "chroma"),
        (),
    ),
    "Qwen": (peft(QWEN, ""), ("qwen_image",), ()),
    "Qwen transformer": (peft(QWEN, "transformer."), ("qwen_image",), ()),
    "Qwen kohya": (kohya(QWEN), ("qwen_image",), ()),
    "Qwen default adapter": (default_adapter(QWEN), ("qwen_image",), ()),
    "Qwen attention alone": (peft(QWEN_ATTENTION, "transformer."), ("qwen_image",), ()),
    "Z-Image": (peft(Z_IMAGE), ("z_image",), ()),
    "Z-Image kohya": (kohya(Z_IMAGE), ("z_image",), ()),
    "Z-Image LoKr": (lokr(Z_IMAGE), ("z_image",), ()),
    "Lumina 2": (peft(LUMINA), (), ()),
    "Anima": (peft(ANIMA), ("anima",), ()),
    "Anima kohya": (kohya(ANIMA), ("anima",), ()),
    "Anima adapter": (peft({"llm_adapter.blocks.0.cross_attn.q_proj": (1024, 1024)}), ("anima",), ()),
    "Cosmos 14B": (peft(COSMOS), (), ()),
    "Krea 2": (peft(KREA2), ("krea2",), ()),
    "Krea 2 kohya": (kohya(KREA2), ("krea2",), ()),
    "Krea 2 diffusers": (peft(KREA2_DIFFUSERS, "transformer."), ("krea2",), ()),
    "something else": (peft({"embedder.proj": (64, 64)}), (), ()),
}
