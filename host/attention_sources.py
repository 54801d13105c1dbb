"""Extends self-attention to a reference picture, or to the first view of the batch.

The hooks leave other packs working, and no state outlives a call of the model:

- The nodes append a source to the model's `transformer_options`; the hooks read the sources from there.
- An APPLY_MODEL wrapper puts the state of one call into the call's own copy of the options.
- An attn1 patch, one of a list, marks the next attention as a self-attention. It is handled by
  `optimized_attention_override`, which calls an earlier override if there is one; an attn1 output patch
  clears the mark. (`attn1_replace` allows only one user, so it is left to others.)
- An OUTER_SAMPLE wrapper fails the run if a source never reached any self-attention.

The reference works like "reference-only" (sd-webui-controlnet discussion 1236): the model runs on the
reference with as much noise as the picture has, and the picture's self-attention gets the keys and values of
that run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from comfy.patcher_extension import WrappersMP
from torch.nn.functional import interpolate

from .attention import Attention, ExtraTokens, attend

KEY = "avatarforge"
SOURCES = "avatarforge_sources"
RUN = "avatarforge_run"
CALL = "avatarforge_call"
OVERRIDE = "optimized_attention_override"

# The noise on a reference has the same pattern at every step, so that only its strength changes. An unusual
# seed: with the sampler's seed, the picture's own noise would be the same.
NOISE_SEED = int.from_bytes(b"avatar", "big")

Place = tuple[Any, Any]  # block, and index of the transformer block in it
Tokens = tuple[torch.Tensor, torch.Tensor]  # keys and values


@dataclass(frozen=True, eq=False)
class Reference:
    """Latents (pictures, channels, height, width) from a VAE, attended to with a weight above 0 during a part
    of sampling, from `start_percent` to `end_percent` in 0..1."""

    latent: torch.Tensor
    weight: float
    start_percent: float
    end_percent: float

    name = "reference"

    def covers(self, sigma: torch.Tensor, model_sampling: Any) -> bool:
        """Whether a step at this noise level (batch,) is in the range."""
        # Each comparison makes the CPU wait for the device, so the full range is not compared.
        if self.start_percent > 0 and sigma.max() > model_sampling.percent_to_sigma(self.start_percent):
            return False
        return self.end_percent >= 1 or bool(sigma.max() >= model_sampling.percent_to_sigma(self.end_percent))


@dataclass(frozen=True)
class SharedViews:
    """Every row of the batch attends to the tokens of the first row, with this weight above 0."""

    weight: float

    name = "consistency"


@dataclass
class _Run:
    """Sources of one sampling run, by index: those to apply, and those that were applied."""

    due: set[int] = field(default_factory=set)
    applied: set[int] = field(default_factory=set)


def add_source(model: Any, source: Reference | SharedViews) -> Any:
    """A clone of the model patcher whose self-attention also attends to the source, besides earlier ones."""
    patched = model.clone()
    options = patched.model_options["transformer_options"]
    if SOURCES not in options:
        patched.set_model_attn1_patch(_arm)
        patched.set_model_attn1_output_patch(_disarm)
        patched.add_wrapper_with_key(WrappersMP.APPLY_MODEL, KEY, _apply_model)
        patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, KEY, _outer_sample)
    options[SOURCES] = (*options.get(SOURCES, ()), source)
    # Another pack may have replaced the override since. Installing it twice is harmless: the first handles
    # all.
    previous = options.get(OVERRIDE)
    if getattr(previous, "func", None) is not _override:
        options[OVERRIDE] = partial(_override, previous)
    return patched


def _outer_sample(executor: Any, *args: Any, **kwargs: Any) -> Any:
    options = executor.class_obj.model_options["transformer_options"]
    run = options[RUN] = _Run()  # the guider created these options for this run
    samples = executor(*args, **kwargs)
    missed = {options[SOURCES][index].name for index in run.due - run.applied}
    if missed:
        raise RuntimeError(
            f"AvatarForge could not apply the {' and the '.join(sorted(missed))}: no self-attention of this "
            "model took it. It needs a model of SD1.5's or SDXL's kind, and no other node that replaces all "
            "self-attention or overrides attention without calling the override before it."
        )
    return samples


def _apply_model(
    executor: Any,
    x: torch.Tensor,
    t: torch.Tensor,
    c_concat: torch.Tensor | None,
    c_crossattn: torch.Tensor | None,
    control: Any,
    transformer_options: dict[str, Any],
    **conditions: Any,
) -> Any:
    """Wraps one call of the model. `x` is (chunks * views, ...); a chunk is the rows of one conditioning."""
    run = transformer_options.get(RUN) or _Run()
    chunks = len(transformer_options.get("cond_or_uncond") or (0,))
    applying = _Applying(chunks, len(x) // chunks, run.applied)
    for index, source in enumerate(transformer_options[SOURCES]):
        if isinstance(source, Reference):
            if source.covers(t, executor.class_obj.model_sampling):
                run.due.add(index)
                conditioning = {"c_concat": c_concat, "c_crossattn": c_crossattn, **conditions}
                tokens = _record(executor, source, chunks, x, t, transformer_options, conditioning)
                applying.references[index] = (source.weight, tokens)
        elif applying.views > 1:
            run.due.add(index)
            applying.shared[index] = source.weight
    options = {**transformer_options, CALL: applying}
    return executor(x, t, c_concat, c_crossattn, control, options, **conditions)


def _record(
    executor: Any,
    source: Reference,
    chunks: int,
    x: torch.Tensor,
    t: torch.Tensor,
    transformer_options: dict[str, Any],
    conditioning: dict[str, Any],
) -> dict[Place, Tokens]:
    """Run the model on the noised reference; returns keys and values, (chunks, tokens, heads * channels), of
    each self-attention.

    Uses each chunk's first conditioning. Leaves out ControlNet, whose hint belongs to the picture, and other
    packs' wrappers, because one that caches between steps would mix up the two pictures.
    """
    model, count = executor.class_obj, len(source.latent)

    def for_reference(value: Any) -> Any:
        if isinstance(value, list):
            return [for_reference(each) for each in value]
        if isinstance(value, torch.Tensor) and value.ndim and len(value) == len(x):
            return value[:: len(x) // chunks].repeat_interleave(count, dim=0)
        return value

    clean = model.process_latent_in(source.latent.to(x)).repeat(chunks, 1, 1, 1)
    generator = torch.Generator("cpu").manual_seed(NOISE_SEED)
    noise = torch.randn(source.latent.shape, generator=generator).to(x).repeat(chunks, 1, 1, 1)
    sigma = for_reference(t)
    noised = model.model_sampling.noise_scaling(sigma.view(-1, 1, 1, 1), noise, clean)
    conditioning = {name: for_reference(value) for name, value in conditioning.items()}
    if conditioning["c_concat"] is not None:  # of an inpainting model, in the size of the picture
        conditioning["c_concat"] = interpolate(conditioning["c_concat"], size=noised.shape[-2:])
    recording = _Recording(chunks)
    options = {**transformer_options, "wrappers": {}, CALL: recording}
    executor.original(noised, sigma, transformer_options=options, **conditioning)
    return recording.tokens


def _arm(queries: Any, keys: Any, values: Any, extra_options: dict[str, Any]) -> tuple[Any, Any, Any]:
    if CALL in extra_options:
        extra_options[CALL].armed = True
    return queries, keys, values


def _disarm(output: Any, extra_options: dict[str, Any]) -> Any:
    if CALL in extra_options:
        extra_options[CALL].armed = False
    return output


def _override(previous: Any, attention: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """An `optimized_attention_override`: gets ComfyUI's attention backend and the arguments of its call."""
    backend = attention if previous is None else partial(previous, attention)
    options = kwargs.get("transformer_options") or {}
    call = options.get(CALL)
    if call is None or not call.armed:
        return backend(*args, **kwargs)
    call.armed = False
    queries, keys, values, heads, *rest = args
    if any(each is not None for each in rest) or kwargs.get("mask") is not None or queries.ndim != 3:
        return backend(*args, **kwargs)  # not the call of a UNet's self-attention

    def self_attention(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> Any:
        return backend(queries, keys, values, heads, *rest, **kwargs)

    # Tiling packs pass queries in more, smaller rows; ComfyUI's backends reshape keys and values like this.
    keys, values = (each.reshape(len(queries), -1, each.shape[-1]) for each in (keys, values))
    place = (options.get("block"), options.get("block_index"))
    return call.attend(place, self_attention, queries, keys, values, heads)


class _Recording:
    """The state of a call of the model on a reference. Records its tokens and leaves its self-attention as it
    is."""

    def __init__(self, chunks: int) -> None:
        self.armed = False
        self.tokens: dict[Place, Tokens] = {}
        self._chunks = chunks

    def attend(
        self,
        place: Place,
        attention: Attention,
        queries: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        _heads: int,
    ) -> torch.Tensor:
        # Several reference pictures, or tiles of one, become one row of tokens per chunk.
        self.tokens[place] = (
            keys.reshape(self._chunks, -1, keys.shape[-1]),
            values.reshape(self._chunks, -1, values.shape[-1]),
        )
        return attention(queries, keys, values)


class _Applying:
    """The state of a call of the model on the pictures. Rows are ordered by chunk, view, and tile of a
    view."""

    def __init__(self, chunks: int, views: int, applied: set[int]) -> None:
        self.armed = False
        self.views = views
        self.references: dict[int, tuple[float, dict[Place, Tokens]]] = {}
        self.shared: dict[int, float] = {}
        self._chunks = chunks
        self._applied = applied

    def attend(
        self,
        place: Place,
        attention: Attention,
        queries: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        heads: int,
    ) -> torch.Tensor:
        """The first view attends to itself and the references, the others also to the first view."""
        references = []
        for index, (weight, tokens) in self.references.items():
            if place in tokens:
                references.append((*tokens[place], weight))
                self._applied.add(index)

        def with_references(own: Sequence[torch.Tensor], *anchor: ExtraTokens) -> torch.Tensor:
            rows = len(own[0]) // self._chunks
            extras = [
                ExtraTokens(k.repeat_interleave(rows, dim=0), v.repeat_interleave(rows, dim=0), weight)
                for k, v, weight in references
            ]
            return attend(attention, own[0], own[1], own[2], heads, [*anchor, *extras])

        own = (queries, keys, values)
        if not self.shared:
            return with_references(own)
        self._applied.update(self.shared)
        others = self.views - 1
        by_view = [self._by_view(each, self.views) for each in own]
        first = [each[:, :1].flatten(0, 2) for each in by_view]
        rest = [each[:, 1:].flatten(0, 2) for each in by_view]
        anchors = [each[:, :1].expand(-1, others, -1, -1, -1).flatten(0, 2) for each in by_view[1:]]
        # The same tokens with weights a and b equal tokens of weight a + b.
        anchor = ExtraTokens(anchors[0], anchors[1], sum(self.shared.values()))
        views = [
            self._by_view(with_references(first), 1),
            self._by_view(with_references(rest, anchor), others),
        ]
        return torch.cat(views, dim=1).flatten(0, 2)

    def _by_view(self, rows: torch.Tensor, views: int) -> torch.Tensor:
        """(chunks * views * tiles, ...) -> (chunks, views, tiles, ...)."""
        return rows.unflatten(0, (self._chunks, views, -1))
