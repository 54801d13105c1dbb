"""Headers of the model files that people have: the layers that tell them, with their real shapes."""

from __future__ import annotations

from headers import Shapes

UNET = "model.diffusion_model."
#: What makes a file a whole checkpoint.
TEXT_ENCODER = {"text_encoders.t5xxl.transformer.shared.weight": (8, 8)}
VAE = {"vae.decoder.conv_in.weight": (512, 16, 3, 3)}


def prefixed(shapes: Shapes, prefix: str = UNET) -> Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


def whole(shapes: Shapes) -> Shapes:
    """An all-in-one file."""
    return {**prefixed(shapes), **TEXT_ENCODER, **VAE}


def flux(*, guidance: bool = True, channels: int = 64, norm: str = "scale") -> Shapes:
    shapes = {
        f"double_blocks.0.img_attn.norm.key_norm.{norm}": (128,),
        "double_blocks.0.img_attn.qkv.weight": (9216, 3072),
        "double_blocks.0.img_mlp.0.weight": (12288, 3072),
        "single_blocks.0.linear1.weight": (21504, 3072),
        "img_in.weight": (3072, channels),
        "txt_in.weight": (3072, 4096),
        "vector_in.in_layer.weight": (3072, 768),
        "final_layer.linear.weight": (64, 3072),
    }
    return {**shapes, "guidance_in.in_layer.weight": (3072, 256)} if guidance else shapes


def flux2(hidden: int = 3072, context: int = 7680) -> Shapes:
    return {
        "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
        "double_blocks.0.img_attn.qkv.weight": (3 * hidden, hidden),
        "double_blocks.0.img_mlp.0.weight": (6 * hidden, hidden),
        "double_stream_modulation_img.lin.weight": (6 * hidden, hidden),
        "single_blocks.0.linear1.weight": (9 * hidden, hidden),
        "img_in.weight": (hidden, 128),
        "txt_in.weight": (hidden, context),
        "final_layer.linear.weight": (128, hidden),
    }


def chroma() -> Shapes:
    return {
        "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
        "double_blocks.0.img_attn.qkv.weight": (9216, 3072),
        "distilled_guidance_layer.norms.0.scale": (5120,),
        "double_blocks.0.img_mlp.0.weight": (12288, 3072),
        "img_in.weight": (3072, 64),
        "txt_in.weight": (3072, 4096),
    }


def qwen(*marks: str) -> Shapes:
    return {
        "txt_norm.weight": (3584,),
        "img_in.weight": (3072, 64),
        "txt_in.weight": (3072, 3584),
        "proj_out.weight": (64, 3072),
        "transformer_blocks.0.attn.to_q.weight": (3072, 3072),
        "transformer_blocks.0.img_mlp.net.0.proj.weight": (12288, 3072),
        "transformer_blocks.1.attn.to_q.weight": (3072, 3072),
        **dict.fromkeys(marks, (0,)),
    }


def z_image(width: int = 3840) -> Shapes:
    return {
        "cap_embedder.1.weight": (width, 2560),
        "noise_refiner.0.attention.k_norm.weight": (128,),
        "layers.0.attention.qkv.weight": (3 * width, width),
        "layers.1.attention.qkv.weight": (3 * width, width),
        "x_embedder.weight": (width, 64),
        "cap_pad_token": (1, width),
        "final_layer.linear.weight": (64, width),
    }


def anima() -> Shapes:
    return {
        "blocks.0.mlp.layer1.weight": (8192, 2048),
        "llm_adapter.blocks.0.cross_attn.q_proj.weight": (1024, 1024),
        "x_embedder.proj.1.weight": (2048, 68),
        "blocks.0.self_attn.q_proj.weight": (2048, 2048),
        "blocks.1.self_attn.q_proj.weight": (2048, 2048),
        "final_layer.linear.weight": (64, 2048),
    }


def krea2() -> Shapes:
    return {
        "txtfusion.projector.weight": (1, 12),
        "txtfusion.layerwise_blocks.0.prenorm.scale": (2560,),
        "first.weight": (6144, 64),
        "blocks.0.attn.wq.weight": (6144, 6144),
        "blocks.0.attn.wk.weight": (1536, 6144),
        "last.linear.weight": (64, 6144),
    }


#: Name of a case -> (name of a file, tensors of the diffusion model, family, variant, what told the variant).
MODELS: dict[str, tuple[str, Shapes, str | None, str | None, str]] = {
    "Flux.1 dev": ("flux1-dev.safetensors", flux(), "flux", "dev", "name"),
    "Flux.1 with renamed norms": ("mine.safetensors", flux(norm="weight"), "flux", "dev", "name"),
    "Flux.1 schnell": ("renamed.safetensors", flux(guidance=False), "flux", "schnell", "header"),
    "Flux.1 Krea": ("flux1-krea-dev_fp8_scaled.safetensors", flux(), "flux", "krea", "name"),
    "Flux.1 Kontext": ("flux1-dev-kontext_fp8_scaled.safetensors", flux(), "flux", "kontext", "name"),
    "klein 4B": ("flux-2-klein-4b.safetensors", flux2(), "flux2", "klein_4b", "name"),
    "klein base 4B": ("flux-2-klein-base-4b-fp8.safetensors", flux2(), "flux2", "klein_base_4b", "name"),
    "klein 9B": ("flux-2-klein-9b-fp8.safetensors", flux2(4096, 12288), "flux2", "klein_9b", "name"),
    "klein base 9B": ("klein-base-9b.safetensors", flux2(4096, 12288), "flux2", "klein_base_9b", "name"),
    "Flux.2 dev": ("klein-4b.safetensors", flux2(6144, 15360), "flux2", "dev", "header"),
    "Qwen-Image": ("qwen_image_fp8_e4m3fn.safetensors", qwen(), "qwen_image", "base", "name"),
    "Qwen-Image 2512": ("qwen_image_2512_fp8_e4m3fn.safetensors", qwen(), "qwen_image", "2512", "name"),
    "Qwen-Edit 2509": ("qwen_image_edit_2509_fp8.safetensors", qwen(), "qwen_edit", "2509", "name"),
    "Qwen-Edit 2511": ("mine.safetensors", qwen("__index_timestep_zero__"), "qwen_edit", "2511", "header"),
    "Qwen-Edit 2511 by name": ("qwen_image_edit_2511.safetensors", qwen(), "qwen_edit", "2511", "name"),
    "FireRed": ("FireRed-Image-Edit-1.0.safetensors", qwen(), "qwen_edit", "2509", "name"),
    "Qwen-Image-Layered": (
        "qwen_image_layered_bf16.safetensors",
        qwen("time_text_embed.addition_t_embedding.weight"),
        None,
        None,
        "name",
    ),
    "Z-Image turbo": ("z_image_turbo_bf16.safetensors", z_image(), "z_image", "turbo", "name"),
    "Z-Image base": ("z_image_bf16.safetensors", z_image(), "z_image", "base", "name"),
    "Lumina 2": ("lumina.safetensors", z_image(2304), None, None, "name"),
    "Anima": ("anima-base-v1.0.safetensors", anima(), "anima", "base", "name"),
    "Krea 2 turbo": ("krea2_turbo_fp8_scaled.safetensors", krea2(), "krea2", "turbo", "name"),
    "Krea 2 raw": ("krea2_raw.safetensors", krea2(), "krea2", "raw", "name"),
    "Chroma": ("Chroma1-HD.safetensors", chroma(), "chroma", "base", "name"),
    "Fill": ("flux1-fill-dev.safetensors", flux(channels=384), None, None, "name"),
}
