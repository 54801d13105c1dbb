"""One call of a model whose self-attention is extended: what it records of a reference, or adds to a picture.

The state of the call is in the call's own copy of the transformer options, under CALL. The override finds it
there, recognises the self-attention among all calls of the attention function, and hands it over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from .attention import TOKENS, Attention, ExtraTokens, attend
from .picture_tokens import PictureTokens

CALL = "avatarforge_call"

Place = tuple[Any, Any]  # block, and index of the transformer block in it
Tokens = tuple[torch.Tensor, torch.Tensor]  # keys and values


@dataclass(frozen=True)
class SelfAttention:
    """One call of a self-attention; its tensors are in one of the shapes of `Attention`.

    `backend` takes (queries, keys, values, mask); `picture` are the tokens of the picture.
    """

    place: Place
    backend: Callable[..., torch.Tensor]
    queries: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor
    heads: int
    mask: torch.Tensor | None
    picture: slice

    def attention(self, mask: torch.Tensor | None) -> Attention:
        """The backend with a mask over the own keys. Keys that are added at the end are not masked."""

        def masked(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
            return self.backend(queries, keys, values, self._widened(mask, keys.shape[TOKENS]))

        return masked

    def _widened(self, mask: torch.Tensor | None, count: int) -> torch.Tensor | None:
        own = self.keys.shape[TOKENS]
        if mask is None or count == own or mask.shape[-1] != own:  # one column is for any number of keys
            return mask
        added = mask.new_full((*mask.shape[:-1], count - own), mask.dtype == torch.bool)
        return torch.cat([mask, added], dim=-1)


def override(previous: Any, attention: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """An `optimized_attention_override`: gets ComfyUI's attention backend and the arguments of its call."""
    backend = attention if previous is None else partial(previous, attention)
    options = kwargs.get("transformer_options") or {}
    call = options.get(CALL)
    if call is not None:
        recognise = _of_unet if call.picture is None else _of_transformer
        found = recognise(call, backend, options, *args, **kwargs)
        if found is not None:
            return call.attend(found)
    return backend(*args, **kwargs)


def _of_unet(
    call: Call, backend: Any, options: dict[str, Any], *args: Any, **kwargs: Any
) -> SelfAttention | None:
    """The self-attention of a UNet; None if this is another attention."""
    if not call.armed:
        return None
    call.armed = False
    queries, keys, values, heads, *rest = args
    if any(each is not None for each in rest) or kwargs.get("mask") is not None or queries.ndim != 3:
        return None
    # Tiling packs pass queries in more, smaller rows; ComfyUI's backends reshape keys and values like this.
    keys, values = (each.reshape(len(queries), -1, each.shape[-1]) for each in (keys, values))

    def run(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, _mask: None) -> Any:
        return backend(queries, keys, values, heads, *rest, **kwargs)

    place = (options.get("block"), options.get("block_index"))
    return SelfAttention(place, run, queries, keys, values, heads, None, slice(0, None))


def _of_transformer(
    call: Call, backend: Any, options: dict[str, Any], *args: Any, **kwargs: Any
) -> SelfAttention | None:
    """The self-attention of a transformer's block; None if this is another attention.

    Layers that only refine the text or the picture run before the first block, without its index.
    """
    queries, keys, values, heads, *rest = args
    if call.picture.alone:
        armed, call.armed = call.armed, False
        if not armed:
            return None
    index, total = options.get("block_index"), queries.shape[TOKENS]
    known = kwargs.get("skip_reshape") and not kwargs.get("skip_output_reshape") and "scale" not in kwargs
    if not known or index is None or queries.ndim != 4 or len(rest) > 1 or keys.shape[TOKENS] != total:
        return None
    picture = call.picture.find(call.count, total, options)
    if picture is None:
        return None
    others = {name: value for name, value in kwargs.items() if name != "mask"}

    # Another pack's override gets the mask in the form in which the model passes it.
    def run(
        queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None
    ) -> Any:
        if rest:
            return backend(queries, keys, values, heads, mask, **others)
        if "mask" in kwargs:
            return backend(queries, keys, values, heads, mask=mask, **others)
        return backend(queries, keys, values, heads, **others)

    mask = rest[0] if rest else kwargs.get("mask")
    place = (options.get("block_type"), index)
    return SelfAttention(place, run, queries, keys, values, heads, mask, picture)


class Call:
    """The state of one call of a model, with rows in `chunks`, one per conditioning.

    `picture` says where a transformer's picture is, and `count` is the number of its tokens.
    """

    def __init__(self, chunks: int, picture: PictureTokens | None, latent: torch.Tensor) -> None:
        self.armed = False
        self.chunks = chunks
        self.picture: Any = picture
        self.count = picture.count(latent) if picture else 0

    def attend(self, call: SelfAttention) -> torch.Tensor:
        raise NotImplementedError


class Recording(Call):
    """A call on a reference. Records its tokens, and leaves its self-attention as it is."""

    def __init__(self, chunks: int, picture: PictureTokens | None, latent: torch.Tensor) -> None:
        super().__init__(chunks, picture, latent)
        self.tokens: dict[Place, Tokens] = {}

    def attend(self, call: SelfAttention) -> torch.Tensor:
        self.tokens[call.place] = (self._merged(call.keys, call), self._merged(call.values, call))
        return call.attention(call.mask)(call.queries, call.keys, call.values)

    def _merged(self, tokens: torch.Tensor, call: SelfAttention) -> torch.Tensor:
        """Several reference pictures, or tiles of one, become one row of tokens per chunk."""
        rows = tokens[..., call.picture, :].unflatten(0, (self.chunks, -1))
        return rows.movedim(1, TOKENS - 1).flatten(TOKENS - 1, TOKENS)


class Applying(Call):
    """A call on the pictures. Rows are ordered by chunk, view, and tile of a view."""

    def __init__(
        self, chunks: int, picture: PictureTokens | None, latent: torch.Tensor, applied: set[int]
    ) -> None:
        super().__init__(chunks, picture, latent)
        self.views = len(latent) // chunks
        self.references: dict[int, tuple[float, dict[Place, Tokens]]] = {}
        self.shared: dict[int, float] = {}
        self._applied = applied

    def attend(self, call: SelfAttention) -> torch.Tensor:
        """The first view attends to itself and the references, the others also to the first view."""
        references = []
        for index, (weight, tokens) in self.references.items():
            if call.place in tokens:
                references.append((*tokens[call.place], weight))
                self._applied.add(index)

        def with_references(
            own: Sequence[torch.Tensor], mask: torch.Tensor | None, *anchor: ExtraTokens
        ) -> torch.Tensor:
            rows = len(own[0]) // self.chunks
            extras = [
                ExtraTokens(k.repeat_interleave(rows, dim=0), v.repeat_interleave(rows, dim=0), weight)
                for k, v, weight in references
            ]
            return attend(call.attention(mask), own[0], own[1], own[2], call.heads, [*anchor, *extras])

        own = (call.queries, call.keys, call.values)
        if not self.shared:
            return with_references(own, call.mask)
        self._applied.update(self.shared)
        others = self.views - 1
        by_view = [self._by_view(each, self.views) for each in own]
        first = [each[:, :1].flatten(0, 2) for each in by_view]
        rest = [each[:, 1:].flatten(0, 2) for each in by_view]
        # (chunks, 1, tiles, ...) -> one per other view
        anchors = [
            each[:, :1, ..., call.picture, :].expand(-1, others, *(-1 for _ in each.shape[2:])).flatten(0, 2)
            for each in by_view[1:]
        ]
        # The same tokens with weights a and b equal tokens of weight a + b.
        anchor = ExtraTokens(anchors[0], anchors[1], sum(self.shared.values()))
        first_mask = rest_mask = call.mask
        if call.mask is not None and call.mask.ndim > 2 and len(call.mask) == len(call.queries):
            masks = self._by_view(call.mask, self.views)
            first_mask, rest_mask = masks[:, :1].flatten(0, 2), masks[:, 1:].flatten(0, 2)
        views = [
            self._by_view(with_references(first, first_mask), 1),
            self._by_view(with_references(rest, rest_mask, anchor), others),
        ]
        return torch.cat(views, dim=1).flatten(0, 2)

    def _by_view(self, rows: torch.Tensor, views: int) -> torch.Tensor:
        """(chunks * views * tiles, ...) -> (chunks, views, tiles, ...)."""
        return rows.unflatten(0, (self.chunks, views, -1))
