"""Transformers whose widths ComfyUI's code fixes: Qwen-Image, Z-Image, Anima, Krea 2.

They have as few blocks as they can, and their MLPs are holes. The modulation of a block never is: it gates
attention, so that with zeros no test of attention proves anything. A CPU turns whatever the file has into
float32 when loading. From fp8 that takes twice as long as from float16, and half the disk.
"""

from __future__ import annotations

from .files import Model, in_fp8
from .modules import holes, on_meta, shapes_of

#: Anima's width here: 16 attention heads of 16 channels, ten blocks. The real one is 2048 wide.
ANIMA_WIDTH = 256
KREA2_WIDTH = 256
#: Layers of Qwen3-VL-4B that Krea 2 reads.
KREA2_TEXT_LAYERS = 12


def qwen_image(_decoder_width: int) -> Model:
    from comfy.ldm.qwen_image.model import QwenImageTransformer2DModel

    shapes = shapes_of(on_meta(QwenImageTransformer2DModel, num_layers=1))
    return Model(shapes, holes(r"_mlp\."), in_fp8(shapes))


def qwen_image_edit_2511(decoder_width: int) -> Model:
    """The file that says how its references are placed in time."""
    model = qwen_image(decoder_width)
    shapes = {**model.shapes, "__index_timestep_zero__": (0,)}
    return Model(shapes, model.is_hole, model.dtypes)


def qwen_image_union(_decoder_width: int) -> Model:
    """InstantX's union ControlNet."""
    from comfy.ldm.qwen_image.controlnet import QwenImageControlNetModel

    network = on_meta(QwenImageControlNetModel, num_layers=1)
    shapes = shapes_of(network)
    # Attention and modulation are holes here: the hint passes the block by the residual path.
    return Model(shapes, holes(r"transformer_blocks\."), in_fp8(shapes))


def z_image(_decoder_width: int) -> Model:
    from comfy.ldm.lumina.model import NextDiT

    transformer = on_meta(
        NextDiT,
        patch_size=2,
        in_channels=16,
        dim=3840,
        cap_feat_dim=2560,
        n_layers=1,
        qk_norm=True,
        n_heads=30,
        n_kv_heads=30,
        axes_dims=[32, 48, 48],
        axes_lens=[1536, 512, 512],
        rope_theta=256.0,
        ffn_dim_multiplier=8.0 / 3.0,
        z_image_modulation=True,
        time_scale=1000.0,
        pad_tokens_multiple=32,
    )
    # Whole refiners are holes, but for their modulation: what they refine passes them unchanged.
    refiners = r"_refiner\.\d\.attention\.(?:qkv|out)"
    return Model(shapes_of(transformer), holes(rf"feed_forward\.|{refiners}"))


def z_image_fun(_decoder_width: int) -> Model:
    """The union control patch: three layers, and two that act on the noise refiner."""
    from comfy.ldm.lumina.controlnet import ZImage_Control

    patch = on_meta(ZImage_Control, n_control_layers=3, additional_in_dim=17, refiner_control=True)
    used = r"control_all_x_embedder\.|(?:control_layers|control_noise_refiner)\.0\.(?:before|after)_proj\."
    return Model(shapes_of(patch), holes(rf"^(?!{used})"))


def anima(_decoder_width: int) -> Model:
    from comfy.ldm.anima.model import Anima

    transformer = on_meta(
        Anima,
        max_img_h=240,
        max_img_w=240,
        max_frames=128,
        in_channels=16,
        out_channels=16,
        patch_spatial=2,
        patch_temporal=1,
        model_channels=ANIMA_WIDTH,
        concat_padding_mask=True,
        crossattn_emb_channels=1024,
        pos_emb_cls="rope3d",
        pos_emb_learnable=True,
        use_adaln_lora=True,
        adaln_lora_dim=256,
    )
    return Model(shapes_of(transformer), holes(r"\.mlp\.|llm_adapter\.blocks\.[1-9]"))


def anima_lllite(_decoder_width: int) -> Model:
    """A control patch for Anima that acts on the queries of two blocks."""
    from comfy.ldm.anima.lllite import AnimaLLLiteConditioning, AnimaLLLiteModule

    conditioning = on_meta(
        AnimaLLLiteConditioning,
        cond_in_channels=3,
        cond_dim=32,
        cond_emb_dim=32,
        cond_resblocks=1,
        aspp_dilations=(),
    )
    shapes = shapes_of(conditioning, "lllite_conditioning1.")
    for block in (0, 1):
        layer = on_meta(AnimaLLLiteModule, in_dim=ANIMA_WIDTH, cond_emb_dim=32, mlp_dim=16)
        shapes |= shapes_of(layer, f"lllite_dit_blocks_{block}_self_attn_q_proj.")
    return Model(shapes, metadata={"lllite.version": "2"})


def krea2(_decoder_width: int) -> Model:
    from comfy.ldm.krea2.model import SingleStreamDiT

    transformer = on_meta(
        SingleStreamDiT,
        features=KREA2_WIDTH,
        channels=16,
        patch=2,
        layers=2,
        heads=2,
        kvheads=1,
        txtlayers=KREA2_TEXT_LAYERS,
        txtdim=2560,
    )
    # The four text blocks are far larger than the rest; text passes them by the residual path.
    text = r"txtfusion\.(?:layerwise|refiner)_blocks\.\d\.(?:attn\.w|attn\.gate|mlp)"
    return Model(shapes_of(transformer), holes(text))
