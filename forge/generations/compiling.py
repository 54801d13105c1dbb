"""The steps from a spec to its graph that single requests and batches share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from ..families import FAMILIES
from ..graphs.compile import CompiledPrompt, compile_prompt, samples_rows
from ..graphs.drawn_words import words_warnings
from ..graphs.judging import with_judges
from ..ports import InstalledModels
from ..settings import Settings
from ..spec.avatar import AvatarSpec
from ..spec.warning import GenerationWarning
from ..templates.fill import compile_template
from ..templates.template import Template
from .resolve import ResolvedRequest

Resolve = Callable[[InstalledModels, Settings], ResolvedRequest]
#: `Host.batch_fits`.
BatchFits = Callable[[str, str, int, int, int], Awaitable[bool]]


def compile_new(
    spec: AvatarSpec, generation_id: str, template: Template | None, spare: str | None
) -> CompiledPrompt:
    """The graph of a spec. `spare` is a ControlNet to be kept loaded."""
    if template is not None:
        compiled = compile_template(template, spec, generation_id)
    else:
        compiled = compile_prompt(spec, generation_id, spare_controlnet=spare)
    return judged(compiled, spec, generation_id)


def judged(compiled: CompiledPrompt, spec: AvatarSpec, generation_id: str) -> CompiledPrompt:
    """The same graph with judges of its pictures, if the spec has one."""
    return replace(compiled, prompt=with_judges(compiled.prompt, spec, generation_id))


async def choose_turnaround(fits: BatchFits, spec: AvatarSpec, requested: str | None) -> AvatarSpec:
    """Run several views, or several pictures of one view, as one batch if the GPU's memory allows it, unless
    the request decides that. What is drawn needs no GPU, and the graph of a template has its own way."""
    rows = spec.count if samples_rows(spec) else len(spec.views)
    if rows == 1 or spec.turnaround == "sequential" or requested == "batch" or spec.is_drawn:
        return spec
    if spec.template is not None:
        return spec
    fit = await fits(spec.model_folder, spec.checkpoint, spec.width, spec.height, rows)
    return spec if fit else replace(spec, turnaround="sequential")


def is_drawn_by_words(spec: AvatarSpec) -> bool:
    """Whether a family draws it, so that it can have words that the family does not understand."""
    return spec.template is None and FAMILIES[spec.family].drawn


def new_words_warnings(spec: AvatarSpec) -> tuple[GenerationWarning, ...]:
    """What a family that draws does not understand. Blocks: long texts take it too long for the event
    loop."""
    return words_warnings(spec) if is_drawn_by_words(spec) else ()
