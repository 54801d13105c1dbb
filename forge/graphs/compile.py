"""spec -> the API prompt that ComfyUI runs. Pure: the same spec gives the same prompt."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UnprocessableError
from ..ports import Prompt
from ..spec.avatar import AvatarSpec
from ..spec.views import VIEWS
from .stable_diffusion import AppliedInput, StableDiffusionGraph

LATENT_STEP = 8  # pixels per latent cell, for every family here
NARROW = 5 / 8  # share of the height that a profile of a standing figure needs at most
ANCHOR = 0  # the view that the others look at: the first, which is the front


@dataclass(frozen=True)
class CompiledPrompt:
    """A prompt, the lines of its receipt, and what its user should know."""

    prompt: Prompt
    inputs: tuple[AppliedInput, ...]
    warnings: tuple[str, ...]


def view_size(spec: AvatarSpec, view_name: str | None) -> tuple[int, int]:
    """(width, height) in pixels; a narrow view keeps the height."""
    if view_name is None or not VIEWS[view_name].narrow:
        return spec.width, spec.height
    widest = int(spec.height * NARROW) // LATENT_STEP * LATENT_STEP
    return min(spec.width, max(widest, LATENT_STEP)), spec.height


def compile_prompt(
    spec: AvatarSpec, generation_id: str, *, spare_controlnet: str | None = None
) -> CompiledPrompt:
    """Build the whole generation: the models loaded once, every view saved by a node of its own.

    Several views run as one batch, or one after another with the first one's latent as the reference
    of the others. An image of strength 0 is left out altogether, so that 0 is the same as absent.
    `spare_controlnet` is not used, but kept if it is loaded.
    """
    graph = StableDiffusionGraph(spec)
    graph.refer()
    if spec.turnaround == "batch" and len(spec.views) > 1:
        graph.share_views()
        samples = graph.sample(spec.views, (spec.width, spec.height), spec.seed)
        for position, view in enumerate(spec.views):
            taken = graph.take(samples, position, view_size(spec, view)[0])
            graph.save(taken, view, generation_id, position)
    else:
        for position, view in enumerate(spec.views):
            samples = graph.sample((view,), view_size(spec, view), spec.seed_of(view))
            graph.save(samples, view, generation_id, position)
            if position == ANCHOR and len(spec.views) > 1:
                graph.look_at(samples, spec.consistency)
    graph.keep_loaded(spare_controlnet)
    return _checked(spec, graph)


def compile_reroll(spec: AvatarSpec, generation_id: str, position: int) -> CompiledPrompt:
    """Build a re-roll of one view, with its seed of `spec.reseeded`. It attends to the saved first view, so
    that it stays the same character also after a restart."""
    view = spec.views[position]
    graph = StableDiffusionGraph(spec)
    graph.refer()
    if position != ANCHOR:
        graph.look_at_saved(generation_id, ANCHOR, spec.consistency)
    samples = graph.sample((view,), view_size(spec, view), spec.seed_of(view))
    graph.save(samples, view, generation_id, position)
    return _checked(spec, graph)


def _checked(spec: AvatarSpec, graph: StableDiffusionGraph) -> CompiledPrompt:
    """No input is dropped in silence: what was given stands in the receipt, or the request fails."""
    applied = {line.role for line in graph.inputs}
    for role, given in (("pose", spec.pose), ("reference", spec.reference)):
        if given is not None and given.strength > 0 and role not in applied and not graph.excused(role):
            raise UnprocessableError(
                f"The {role} image was given, but nothing here can apply it.",
                ("body", f"{role}_file_id"),
                code="field_not_applicable",
                parameters={"field": f"{role}_file_id"},
            )
    return CompiledPrompt(graph.prompt, tuple(graph.inputs), tuple(graph.warnings))
