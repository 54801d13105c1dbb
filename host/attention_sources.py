"""Extends self-attention to a reference picture, or to the first view of the batch.

The hooks leave other packs working, and no state outlives a call of the model:

- The nodes append a source to the model's `transformer_options`; the hooks read the sources from there.
- An APPLY_MODEL wrapper puts the state of one call into the call's own copy of the options.
- In a UNet, an attn1 patch, one of a list, marks the next attention as a self-attention; an attn1 output
  patch clears the mark. (`attn1_replace` allows only one user, so it is left to others.) A transformer's
  self-attention is told by its block and its number of tokens, and where that could be another one by such
  patches too (`picture_tokens`).
- `optimized_attention_override` handles the self-attention, and calls an earlier override if there is one.
- An OUTER_SAMPLE wrapper fails the run if a source never reached any self-attention.

The reference works like "reference-only" (sd-webui-controlnet discussion 1236): the model runs on the
reference with as much noise as the picture has, and the picture's self-attention gets the keys and values of
that run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from comfy.patcher_extension import WrappersMP
from torch.nn.functional import interpolate

from .attention_calls import CALL, Applying, Place, Recording, Tokens, override
from .picture_tokens import PictureTokens, picture_tokens

KEY = "avatarforge"
SOURCES = "avatarforge_sources"
PICTURE = "avatarforge_picture"
RUN = "avatarforge_run"
OVERRIDE = "optimized_attention_override"

# The noise on a reference has the same pattern at every step, so that only its strength changes. An unusual
# seed: with the sampler's seed, the picture's own noise would be the same.
NOISE_SEED = int.from_bytes(b"avatar", "big")


@dataclass(frozen=True, eq=False)
class Reference:
    """Latents (pictures, channels, [1,] height, width) from a VAE, with the dimensions of the model's own,
    attended to with a weight above 0 during a part of sampling, from `start_percent` to `end_percent` in
    0..1."""

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
    """A clone of the model patcher whose self-attention also attends to the source, besides earlier ones.

    Raises ValueError for a model whose attention is not known.
    """
    picture = picture_tokens(model)
    patched = model.clone()
    options = patched.model_options["transformer_options"]
    if SOURCES not in options:
        if picture is None:
            patched.set_model_attn1_patch(_arm)
            patched.set_model_attn1_output_patch(_disarm)
        elif picture.alone:
            patched.set_model_attn1_patch(_arm_transformer)
            patched.set_model_attn2_patch(_disarm_transformer)
        patched.add_wrapper_with_key(WrappersMP.APPLY_MODEL, KEY, _apply_model)
        patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, KEY, _outer_sample)
        options[PICTURE] = picture
    options[SOURCES] = (*options.get(SOURCES, ()), source)
    # Another pack may have replaced the override since. Installing it twice is harmless: the first handles
    # all.
    previous = options.get(OVERRIDE)
    if getattr(previous, "func", None) is not override:
        options[OVERRIDE] = partial(override, previous)
    return patched


def _outer_sample(executor: Any, *args: Any, **kwargs: Any) -> Any:
    options = executor.class_obj.model_options["transformer_options"]
    run = options[RUN] = _Run()  # the guider created these options for this run
    samples = executor(*args, **kwargs)
    missed = {options[SOURCES][index].name for index in run.due - run.applied}
    if missed:
        raise RuntimeError(
            f"AvatarForge could not apply the {' and the '.join(sorted(missed))}: no self-attention of this "
            "model took it. Another node replaces all self-attention, or overrides attention without "
            "calling the override before it."
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
    applying = Applying(chunks, transformer_options[PICTURE], x, run.applied)
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

    Uses each chunk's first conditioning. Leaves out what belongs to the picture: ControlNet's hints, which
    for transformers can also be patches of other packs and of ComfyUI, and a mask over the picture's tokens.
    Also leaves out other packs' wrappers, because one that caches between steps would mix up the two
    pictures.
    """
    model, count = executor.class_obj, len(source.latent)
    picture: PictureTokens | None = transformer_options[PICTURE]

    def for_reference(value: Any) -> Any:
        if isinstance(value, list):
            return [for_reference(each) for each in value]
        if isinstance(value, torch.Tensor) and value.ndim and len(value) == len(x):
            return value[:: len(x) // chunks].repeat_interleave(count, dim=0)
        return value

    ones = [1] * (x.ndim - 1)
    clean = model.process_latent_in(source.latent.to(x)).repeat(chunks, *ones)
    generator = torch.Generator("cpu").manual_seed(NOISE_SEED)
    noise = torch.randn(source.latent.shape, generator=generator).to(x).repeat(chunks, *ones)
    sigma = for_reference(t)
    noised = model.model_sampling.noise_scaling(sigma.view(-1, *ones), noise, clean)
    conditioning = {name: for_reference(value) for name, value in conditioning.items()}
    if conditioning["c_concat"] is not None:  # of an inpainting model, in the size of the picture
        conditioning["c_concat"] = interpolate(conditioning["c_concat"], size=noised.shape[2:])
    recording = Recording(chunks, picture, noised)
    options = {**transformer_options, "wrappers": {}, CALL: recording}
    if picture is not None:
        options["patches"] = {
            name: [patch for patch in patches if patch in _OURS]
            for name, patches in transformer_options.get("patches", {}).items()
        }
        if picture.masked:
            conditioning.pop("attention_mask", None)
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


def _arm_transformer(*_tensors: Any, extra_options: dict[str, Any], **_others: Any) -> dict[str, Any]:
    if CALL in extra_options:
        extra_options[CALL].armed = True
    return {}


def _disarm_transformer(*_tensors: Any, extra_options: dict[str, Any], **_others: Any) -> dict[str, Any]:
    if CALL in extra_options:
        extra_options[CALL].armed = False
    return {}


_OURS = (_arm_transformer, _disarm_transformer)
