"""VAEs: Stable Diffusion's inside a checkpoint, and those of Flux, FLUX.2 and Wan (Qwen-Image) as files."""

from __future__ import annotations

from typing import Any

from .files import Model, Shapes
from .modules import shapes_of

#: Decoder width. Stable Diffusion's is 128; with 32, a ComfyUI that reads the width from the file decodes 16
#: times faster.
SMALL_DECODER, STANDARD_DECODER = 32, 128
#: Width of both halves of Wan's. Its real one is 96.
WAN_WIDTH = 16


def halves(channels: int, decoder_width: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Configurations of an encoder, whose width ComfyUI takes as given, and of a decoder."""
    encoder = {
        "double_z": True,
        "z_channels": channels,
        "resolution": 256,
        "in_channels": 3,
        "out_ch": 3,
        "ch": STANDARD_DECODER,
        "ch_mult": [1, 2, 4, 4],
        "num_res_blocks": 2,
        "attn_resolutions": [],
        "dropout": 0.0,
    }
    return encoder, {**encoder, "ch": decoder_width}


def sd_vae(decoder_width: int) -> Shapes:
    import torch
    from comfy.ldm.models.autoencoder import AutoencoderKL

    encoder, decoder = halves(4, decoder_width)
    narrow = {} if decoder_width == STANDARD_DECODER else {"decoder_ddconfig": decoder}
    with torch.device("meta"):
        return shapes_of(AutoencoderKL(ddconfig=encoder, embed_dim=4, **narrow), "first_stage_model.")


def flux_vae(decoder_width: int) -> Model:
    import torch
    from comfy.ldm.models.autoencoder import AutoencodingEngine

    encoder, decoder = halves(16, decoder_width)
    with torch.device("meta"):
        engine = AutoencodingEngine(
            regularizer_config={"target": "comfy.ldm.models.autoencoder.DiagonalGaussianRegularizer"},
            encoder_config={"target": "comfy.ldm.modules.diffusionmodules.model.Encoder", "params": encoder},
            decoder_config={"target": "comfy.ldm.modules.diffusionmodules.model.Decoder", "params": decoder},
        )
    return Model(shapes_of(engine))


def flux2_vae(decoder_width: int) -> Model:
    import torch
    from comfy.ldm.models.autoencoder import AutoencoderKL

    encoder, decoder = halves(32, decoder_width)
    with torch.device("meta"):
        vae = AutoencoderKL(
            ddconfig={**encoder, "batch_norm_latent": True}, embed_dim=32, decoder_ddconfig=decoder
        )
    return Model({name: shape for name, shape in shapes_of(vae).items() if "num_batches" not in name})


def wan_vae(_decoder_width: int) -> Model:
    import torch
    from comfy.ldm.wan.vae import WanVAE

    with torch.device("meta"):
        vae = WanVAE(
            dim=WAN_WIDTH,
            z_dim=16,
            dim_mult=[1, 2, 4, 4],
            num_res_blocks=2,
            attn_scales=[],
            temperal_downsample=[False, True, True],
            dropout=0.0,
        )
    return Model(shapes_of(vae))
