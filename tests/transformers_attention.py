"""ComfyUI's diffusion transformers inside this process, small, with random weights; see also `attention`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from attention import OVERRIDE

WORDS = 24  # channels of a text token
ROPE = (4, 6, 6)  # channels of a head, by axis
SIZE = (8, 6)  # latent cells of a picture


@dataclass(frozen=True)
class Kind:
    """A class of transformers: ComfyUI's config class, its settings, and what the tests expect of it.

    `channels`, `video` and `cells` (per side of a token) describe latents. `places` are its self-attentions
    over the picture. The model extends the text by itself to `text`, or to a multiple of it.
    """

    config: str
    settings: Mapping[str, Any]
    channels: int
    places: int
    video: bool = False
    cells: int = 2
    text: int = 1
    pad: int = 1
    alone: bool = False
    references: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


_FLUX = {
    "in_channels": 16,
    "out_channels": 16,
    "vec_in_dim": 16,
    "context_in_dim": WORDS,
    "hidden_size": 64,
    "mlp_ratio": 2.0,
    "num_heads": 4,
    "depth": 2,
    "depth_single_blocks": 2,
    "axes_dim": list(ROPE),
    "theta": 100,
    "patch_size": 2,
    "qkv_bias": True,
    "guidance_embed": True,
    "txt_ids_dims": [],
}
_ANIMA = {
    "max_img_h": 240,
    "max_img_w": 240,
    "max_frames": 128,
    "concat_padding_mask": True,
    "in_channels": 16,
    "out_channels": 16,
    "patch_spatial": 2,
    "patch_temporal": 1,
    "model_channels": 64,
    "crossattn_emb_channels": WORDS,
    "pos_emb_cls": "rope3d",
    "pos_emb_learnable": True,
    "pos_emb_interpolation": "crop",
    "min_fps": 1,
    "max_fps": 30,
    "use_adaln_lora": True,
    "adaln_lora_dim": 32,
    "num_blocks": 2,
    "num_heads": 4,
    "extra_per_block_abs_pos_emb": False,
    "rope_h_extrapolation_ratio": 4.0,
    "rope_w_extrapolation_ratio": 4.0,
    "rope_t_extrapolation_ratio": 1.0,
    "extra_h_extrapolation_ratio": 1.0,
    "extra_w_extrapolation_ratio": 1.0,
    "extra_t_extrapolation_ratio": 1.0,
    "rope_enable_fps_modulation": False,
}

KINDS: dict[str, Kind] = {
    "flux": Kind("Flux", {"image_model": "flux", **_FLUX}, channels=16, places=4),
    "flux2": Kind(
        "Flux2",
        {
            **_FLUX,
            "image_model": "flux2",
            "in_channels": 128,
            "out_channels": 128,
            "vec_in_dim": None,
            "axes_dim": [4, 4, 4, 4],
            "patch_size": 1,
            "qkv_bias": False,
            "guidance_embed": False,
            "txt_ids_dims": [3],
            "global_modulation": True,
            "mlp_silu_act": True,
            "ops_bias": False,
            "default_ref_method": "index",
            "ref_index_scale": 10.0,
        },
        channels=128,
        places=4,
        cells=1,
        text=512,
    ),
    "qwen_image": Kind(
        "QwenImage",
        {
            "image_model": "qwen_image",
            "num_layers": 2,
            "attention_head_dim": 16,
            "num_attention_heads": 4,
            "joint_attention_dim": WORDS,
            "axes_dims_rope": ROPE,
        },
        channels=16,
        places=2,
        video=True,
    ),
    "krea2": Kind(
        "Krea2",
        {
            "image_model": "krea2",
            "features": 64,
            "txtdim": WORDS // 2,
            "heads": 4,
            "kvheads": 2,
            "multiplier": 1,
            "layers": 2,
            "txtlayers": 2,
            "txtheads": 2,
            "txtkvheads": 2,
        },
        channels=16,
        places=2,
        video=True,
        options={"reference_latents_method": "index"},
    ),
    "z_image": Kind(
        "ZImage",
        {
            "image_model": "lumina2",
            "in_channels": 16,
            "dim": 256,
            "cap_feat_dim": WORDS,
            "n_layers": 2,
            "n_refiner_layers": 1,
            "n_heads": 16,
            "n_kv_heads": 16,
            "axes_dims": list(ROPE),
            "axes_lens": [100, 100, 100],
            "multiple_of": 32,
            "ffn_dim_multiplier": 0.5,
            "rope_theta": 100.0,
            "qk_norm": True,
            "z_image_modulation": True,
            "time_scale": 1000.0,
            "pad_tokens_multiple": 32,
        },
        channels=16,
        places=2,
        text=32,
        pad=32,
    ),
    "anima": Kind(
        "Anima",
        {"image_model": "anima", **_ANIMA},
        channels=16,
        places=2,
        video=True,
        alone=True,
        references=False,
    ),
    "chroma": Kind(
        "Chroma",
        {
            **{name: value for name, value in _FLUX.items() if name != "guidance_embed"},
            "image_model": "chroma",
            "in_channels": 64,
            "out_channels": 64,
            "in_dim": 64,
            "out_dim": 64,
            "hidden_dim": 32,
            "n_layers": 1,
        },
        channels=16,
        places=4,
        references=False,
    ),
}


def make_transformer(host: SimpleNamespace, name: str, dtype: torch.dtype = torch.float32) -> Any:
    """A ModelPatcher of this kind."""
    import comfy.ldm.anima.model as anima

    kind = KINDS[name]
    config = getattr(host.models, kind.config)(dict(kind.settings))
    config.unet_config.update(dtype=dtype)
    adapter = anima.LLMAdapter
    # The adapter of the text has a fixed width, and is not part of what the tests look at.
    anima.LLMAdapter = partial(
        adapter, source_dim=WORDS, target_dim=WORDS, model_dim=WORDS, num_layers=1, num_heads=2
    )
    try:
        model = config.get_model({}, device=torch.device("cpu"))
    finally:
        anima.LLMAdapter = adapter
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for label, weight in model.diffusion_model.named_parameters():
            numbers = torch.randn(weight.shape, generator=generator)
            fan = weight[0].numel() if weight.ndim > 1 else 100
            # Normalised queries and keys large enough for an attention that prefers some tokens.
            large = any(part in label for part in ("query_norm", "key_norm", "norm_q", "norm_k", "q_norm"))
            is_norm = weight.ndim == 1 and "norm" in label and not label.endswith("bias")
            weight.copy_(numbers * fan**-0.5 + (1.5 if large else 1.0 if is_norm else 0.0))
    cpu = torch.device("cpu")
    return host.patcher.ModelPatcher(model, load_device=cpu, offload_device=cpu)


def text(seed: int, count: int = 1, tokens: int = 7, **options: Any) -> list[Any]:
    """A conditioning; with a count, one row per picture."""
    generator = torch.Generator().manual_seed(seed)
    return [
        [
            torch.randn(count, tokens, WORDS, generator=generator),
            {"pooled_output": torch.randn(count, 16, generator=generator), **options},
        ]
    ]


def shape(name: str, rows: int, size: tuple[int, int]) -> tuple[int, ...]:
    kind = KINDS[name]
    return (rows, kind.channels, *((1,) if kind.video else ()), *size)


def latents(name: str, size: tuple[int, int], seed: int = 5, count: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape(name, count, size), generator=generator)


def draw(
    host: SimpleNamespace,
    name: str,
    model: Any,
    *,
    views: int = 1,
    size: tuple[int, int] = SIZE,
    **given: Any,
) -> torch.Tensor:
    """Latents of a run of ComfyUI's KSampler, each view from noise and words of its own."""
    given = {
        "seed": 3,
        "steps": 2,
        "cfg": 3.0,
        "sampler_name": "euler",
        "scheduler": "simple",
        "positive": text(1, views),
        "negative": text(2),
        **given,
    }
    latent = torch.zeros(shape(name, views, size))
    noise = host.sample.prepare_noise(latent, given["seed"])
    with torch.inference_mode():
        samples: torch.Tensor = host.sample.sample(
            model, noise, latent_image=latent, disable_pbar=True, **given
        )
    assert samples.isfinite().all()
    return samples.clone()


@dataclass(frozen=True)
class SeenCall:
    """What one attention got from the model and gave back; queries to values are (rows, heads, tokens, n)."""

    place: tuple[Any, Any]
    queries: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor
    mask: torch.Tensor | None
    output: torch.Tensor
    options: dict[str, Any]


class SeenTransformer:
    """Another pack's override that goes around all others and keeps each attention of the blocks."""

    def __init__(self, model: Any) -> None:
        self.calls: list[SeenCall] = []
        self.refining = 0
        options = model.model_options["transformer_options"]
        options[OVERRIDE] = partial(self._watch, options.get(OVERRIDE))

    def _watch(self, inner: Any, attention: Any, *args: Any, **kwargs: Any) -> Any:
        output = inner(attention, *args, **kwargs) if inner else attention(*args, **kwargs)
        options = kwargs["transformer_options"]
        if "block_index" not in options:
            self.refining += 1
            return output
        place = (options.get("block_type"), options["block_index"])
        mask = args[4] if len(args) > 4 else kwargs.get("mask")
        queries, keys, values = args[:3]
        self.calls.append(SeenCall(place, queries, keys, values, mask, output, options))
        return output

    def of_pictures(self, name: str) -> list[SeenCall]:
        """Without cross-attention, which in a block comes second."""
        return self.calls[::2] if KINDS[name].alone else self.calls


def picture_of(name: str, call: SeenCall, size: tuple[int, int], words: int = 7) -> slice:
    """Where the tokens of a picture of this size are, from what is known of the model."""
    kind = KINDS[name]
    rows, columns = (-(-side // kind.cells) for side in size)
    if kind.alone:
        start = 0
    elif kind.text == 512:
        start = 512
    else:
        start = -(-words // kind.text) * kind.text
    return slice(start, start + rows * columns)


def attention_over(
    queries: torch.Tensor, sets: Sequence[tuple[torch.Tensor, torch.Tensor, float | torch.Tensor]]
) -> torch.Tensor:
    """sum(w e^s v) / sum(w e^s) for one row, in double precision; a weight may be one per key."""
    scale = queries.shape[-1] ** -0.5
    grown = torch.cat([(queries.double() @ k.double().mT * scale).exp() * w for k, _, w in sets], dim=-1)
    output = grown @ torch.cat([v.double() for _, v, _ in sets], dim=1) / grown.sum(-1, keepdim=True)
    return output.transpose(0, 1).flatten(1)
