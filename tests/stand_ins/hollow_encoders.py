"""Runs hollow text encoder files, for tests: ComfyUI's loader nodes load them, and what they encode is noise.

Such a file (tests/lab/make_models/text_encoders.py) has a real header and no weights. ComfyUI chooses class,
tokenizer, template, masks and layers by that header and the node's type, as for the real file; only the
transformer inside is replaced. The noise of a token depends on the token, and a little on all tokens before
it. A picture is read as 4 tokens, which depend on its pixels. The same text gives the same numbers.
"""

from __future__ import annotations

import contextlib
import functools
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import comfy.sd
import comfy.utils
import torch
from comfy.text_encoders import flux, llama, qwen3vl, t5

HOLLOW = "avatarforge.hollow"
HEADER_LIMIT = 10_000_000
#: How much of a token's embedding comes from the tokens before it.
CONTEXT = 0.25
PICTURE_TOKENS, PICTURE_SIDE = 4, 8
SEED = 1 << 20
NODE_CLASS_MAPPINGS: dict[str, Any] = {}


class Embedding(torch.nn.Module):  # type: ignore[misc]
    """Noise by the number of a token, in place of a table with hundreds of millions of weights."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("weight", torch.zeros(1, width), persistent=False)

    def forward(self, tokens: torch.Tensor, out_dtype: torch.dtype | None = None) -> torch.Tensor:
        rows = [[noise(int(token), self.width) for token in row] for row in tokens]
        return torch.stack([torch.stack(row) for row in rows]).to(tokens.device, out_dtype or torch.float32)


@functools.lru_cache(4096)
def noise(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class HollowTransformer(torch.nn.Module):  # type: ignore[misc]
    """What ComfyUI's SDClipModel asks of a transformer."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.num_layers = layers
        self.embedding = Embedding(width)

    def get_input_embeddings(self) -> Embedding:
        return self.embedding

    def preprocess_embed(self, embed: dict[str, Any], device: Any) -> tuple[torch.Tensor | None, None]:
        if embed["type"] != "image":
            return None, None
        picture = embed["data"][:1, ..., :3].movedim(-1, 1).float()
        small = torch.nn.functional.adaptive_avg_pool2d(picture, PICTURE_SIDE).flatten(1) - 0.5
        width = self.embedding.width
        mix = noise(SEED, small.shape[1], PICTURE_TOKENS * width) / PICTURE_SIDE
        return (small.cpu() @ mix).reshape(PICTURE_TOKENS, width).to(device), None

    def forward(
        self,
        input_ids: torch.Tensor | None,
        attention_mask: torch.Tensor | None = None,
        embeds: torch.Tensor | None = None,
        intermediate_output: int | Sequence[int] | None = None,
        **_: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        x = self.embedding(input_ids) if embeds is None else embeds
        kept = x if attention_mask is None else x * attention_mask.unsqueeze(-1).to(x)
        before = kept.cumsum(1) / torch.arange(1, x.shape[1] + 1, device=x.device).view(1, -1, 1) ** 0.5
        x = x + CONTEXT * before
        if intermediate_output is None:
            return x, None
        if isinstance(intermediate_output, int):
            return x, self._layer(x, intermediate_output)
        return x, torch.stack([self._layer(x, index) for index in intermediate_output], dim=1)

    def _layer(self, x: torch.Tensor, index: int) -> torch.Tensor:
        # Layers of the same text differ, so that taking the wrong one gives other pictures.
        return x.roll(index % self.num_layers, dims=-1)


def hollow(width: int, layers: int) -> Callable[..., HollowTransformer]:
    """A class in ComfyUI's eyes: it is called with a configuration, a type, a device and operations."""
    return lambda *_: HollowTransformer(width, layers)


def of_config(config: Any) -> Callable[..., HollowTransformer]:
    return hollow(config.hidden_size, config.num_hidden_layers)


def tokenizer_of_mistral(*_: Any, embedding_directory: Any = None, tokenizer_data: Any = None) -> Any:
    """Qwen's tokenizer under Mistral's name, whose own one is in the real file."""
    tokenizer = flux.Qwen3Tokenizer(embedding_directory, tokenizer_data or {})
    tokenizer.embedding_key = "mistral3_24b"
    tokenizer.embedding_size = llama.Mistral3Small24BConfig.hidden_size
    return tokenizer


#: Module, name -> what stands there while a hollow file is loaded.
REPLACED: list[tuple[Any, str, Any]] = [
    (llama, "Qwen3_06B", of_config(llama.Qwen3_06BConfig())),
    (llama, "Qwen3_4B", of_config(llama.Qwen3_4BConfig())),
    (llama, "Qwen3_8B", of_config(llama.Qwen3_8BConfig())),
    (llama, "Qwen25_7BVLI", of_config(llama.Qwen25_7BVLI_Config())),
    (llama, "Mistral3Small24B", of_config(llama.Mistral3Small24BConfig())),
    (flux, "Mistral3Tokenizer", tokenizer_of_mistral),
    (qwen3vl, "_make_qwen3vl_model", lambda kind: of_config(qwen3vl.QWEN3VL_CONFIGS[kind]())),
    (t5, "T5", hollow(4096, 24)),
]


@contextlib.contextmanager
def hollow_transformers() -> Iterator[None]:
    originals = [(module, name, getattr(module, name)) for module, name, _ in REPLACED]
    for module, name, replacement in REPLACED:
        setattr(module, name, replacement)
    try:
        yield
    finally:
        for module, name, original in originals:
            setattr(module, name, original)


def header(path: str) -> dict[str, Any]:
    """A safetensors file's header; empty for any other file."""
    with Path(path).open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= HEADER_LIMIT:
            return {}
        try:
            read = json.loads(file.read(length))
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}


_load_clip = comfy.sd.load_clip


def load_clip(
    ckpt_paths: list[str],
    embedding_directory: Any = None,
    clip_type: Any = comfy.sd.CLIPType.STABLE_DIFFUSION,
    model_options: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """ComfyUI's function of this name, which its loader nodes call; other files go through to it."""
    options = {"clip_type": clip_type, "model_options": model_options or {}, **options}
    headers = [header(path) for path in ckpt_paths]
    is_hollow = [HOLLOW in read.get("__metadata__", {}) for read in headers]
    if not any(is_hollow):
        return _load_clip(ckpt_paths, embedding_directory, **options)
    state_dicts = [
        (
            {
                name: torch.empty(entry["shape"], dtype=torch.float8_e4m3fn, device="meta")
                for name, entry in read.items()
                if name != "__metadata__"
            }
            if empty
            else comfy.utils.load_torch_file(path, safe_load=True)
        )
        for path, read, empty in zip(ckpt_paths, headers, is_hollow, strict=True)
    ]
    with hollow_transformers():
        return comfy.sd.load_text_encoder_state_dicts(
            state_dicts, embedding_directory=embedding_directory, **options
        )


comfy.sd.load_clip = load_clip
