"""Compiles a spec into the prompt that ComfyUI runs. Pure: the same spec gives the same prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import UnprocessableError
from ..families import FAMILIES
from ..ports import Prompt
from ..spec.avatar import AvatarSpec
from ..spec.receipt import AppliedInput
from ..spec.views import view_width
from ..spec.warning import GenerationWarning, without_repeats
from .drawn_graph import DrawnGraph
from .generation_graph import GenerationGraph
from .receipt import require_references
from .redraw import RedrawGraph, begin_redraw
from .view_graph import ViewGraph

#: Samplers that add no noise while they run, so that a row of a batch becomes the picture that it is alone,
#: up to rounding. The others draw noise for all rows together (comfy/k_diffusion/sampling.py), or take steps
#: that depend on all of them.
ROW_SAMPLERS = frozenset(
    {
        "euler",
        "euler_cfg_pp",
        "heun",
        "heunpp2",
        "dpm_2",
        "lms",
        "dpmpp_2m",
        "dpmpp_2m_cfg_pp",
        "ipndm",
        "ipndm_v",
        "deis",
        "ddim",
        "uni_pc",
        "uni_pc_bh2",
        "res_multistep",
        "res_multistep_cfg_pp",
        "gradient_estimation",
        "gradient_estimation_cfg_pp",
    }
)
ANCHOR = 0  # position of the view that the others attend to: the front


@dataclass(frozen=True)
class CompiledPrompt:
    """A prompt, the lines of its receipt, and warnings for the user."""

    prompt: Prompt
    inputs: tuple[AppliedInput, ...]
    warnings: tuple[GenerationWarning, ...]


def view_size(spec: AvatarSpec, view_name: str | None) -> tuple[int, int]:
    """(width, height) in pixels; a narrow view keeps the height."""
    step = FAMILIES[spec.family].latent.step
    return view_width(view_name, spec.width, spec.height, step), spec.height


def compile_prompt(
    spec: AvatarSpec, generation_id: str, *, spare_controlnet: str | None = None
) -> CompiledPrompt:
    """Compile a whole generation: loads each model once and saves each view with its own node.

    Several views run as one batch, or one after another, each after the first also seeing the first. Several
    sheets run one after another, and several pictures of one view as one batch, if the spec says so: each is
    what a request with its seed alone would give. An input of strength 0 is left out, so 0 is the same as
    absent. `spare_controlnet` is not used; it is named only to keep it loaded. Raises UnprocessableError if a
    given input cannot be applied.
    """
    if spec.redraw is not None:
        return _compile_redraw(spec, generation_id, range(len(spec.views)))
    graph = _begin(spec)
    graph.apply_references(spec.views)
    if _is_batch(spec):
        graph.share_views()
    if samples_rows(spec):
        _add_rows(graph, spec, generation_id)
    else:
        for sheet in range(spec.count):
            _add_sheet(graph, spec, generation_id, sheet)
    graph.keep_loaded(spare_controlnet)
    return _checked(spec, graph, spec.views)


def compile_reroll(spec: AvatarSpec, generation_id: str, position: int) -> CompiledPrompt:
    """Compile a re-roll of one view, with its seed from `spec.reseeded`. It attends to the saved front, so
    that the character stays the same, also after a restart. Raises like `compile_prompt`."""
    if spec.redraw is not None:
        return _compile_redraw(spec, generation_id, [position])
    sheet, place = spec.place(position)
    view, anchor = spec.views[place], position - place + ANCHOR
    graph = _begin(spec)
    graph.apply_references((view,))
    graph.begin_sheet(spec.sheet_seed(sheet))
    if position != anchor:
        graph.show_saved_anchor(generation_id, anchor)
    graph.use_saved_palette(generation_id, anchor)
    samples = graph.sample((view,), view_size(spec, view), [spec.seed_at(position)])
    graph.save(samples, view, generation_id, position)
    _number_lines(spec, graph.inputs, 0, position - place)
    return _checked(spec, graph, (view,))


def _is_batch(spec: AvatarSpec) -> bool:
    return spec.turnaround == "batch" and len(spec.views) > 1


def samples_rows(spec: AvatarSpec) -> bool:
    """Whether several pictures of one view are sampled as one batch."""
    several = spec.count > 1 and not spec.has_several_views and spec.template is None
    return several and spec.turnaround == "batch" and spec.sampler in ROW_SAMPLERS and not spec.is_drawn


def _add_rows(graph: ViewGraph, spec: AvatarSpec, generation_id: str) -> None:
    """Add all pictures of the only view."""
    (view,) = spec.views
    size = view_size(spec, view)
    seeds = [spec.seed_at(position) for position in range(spec.count)]
    graph.begin_sheet(spec.seed)
    samples = graph.sample((view,), size, seeds)
    for position in range(spec.count):
        row = graph.take_view(samples, position, size[0])
        graph.save(row, view, generation_id, position)
    graph.inputs[:] = [
        replace(line, picture=position + 1) for position in range(spec.count) for line in graph.inputs
    ]


def _add_sheet(graph: ViewGraph, spec: AvatarSpec, generation_id: str, sheet: int) -> None:
    """Add all views of a sheet, from 0."""
    first, lines = sheet * len(spec.views), len(graph.inputs)
    graph.begin_sheet(spec.sheet_seed(sheet))
    if _is_batch(spec):
        samples = graph.sample(spec.views, (spec.width, spec.height), [spec.seed_at(first)])
        for place, view in enumerate(spec.views):
            row = graph.take_view(samples, place, view_size(spec, view)[0])
            graph.save(row, view, generation_id, first + place)
    else:
        for place, view in enumerate(spec.views):
            samples = graph.sample((view,), view_size(spec, view), [spec.seed_at(first + place)])
            image = graph.save(samples, view, generation_id, first + place)
            if place == ANCHOR and len(spec.views) > 1:
                graph.show_anchor(samples, image)
    _number_lines(spec, graph.inputs, lines, first)


def _number_lines(spec: AvatarSpec, lines: list[AppliedInput], start: int, first: int) -> None:
    """Say which picture each new line of the receipt is about, where there are several of a view. `first` is
    the position of the first picture of their sheet."""
    if spec.count > 1:
        lines[start:] = [
            replace(line, picture=first + spec.views.index(line.view) + 1) for line in lines[start:]
        ]


def _compile_redraw(spec: AvatarSpec, generation_id: str, positions: Sequence[int]) -> CompiledPrompt:
    graph = begin_redraw(spec)
    for position in positions:
        graph.redraw(position, generation_id)
    frame = replace(spec, views=spec.redraw.views if spec.redraw else ())
    # Warnings are about the views of that generation, which gave them.
    return replace(_checked(frame, graph, spec.views[:1]), warnings=())


def _begin(spec: AvatarSpec) -> ViewGraph:
    return DrawnGraph(spec) if FAMILIES[spec.family].drawn else GenerationGraph(spec)


def _checked(spec: AvatarSpec, graph: ViewGraph | RedrawGraph, views: Sequence[str | None]) -> CompiledPrompt:
    """No input is dropped silently: every given one is in the receipt of its views, or the request fails."""
    posed = any(line.role == "pose" for line in graph.inputs)
    if spec.pose is not None and spec.pose.strength > 0 and not posed and not graph.is_skipped("pose"):
        raise UnprocessableError(
            "The pose image was given, but nothing here can apply it.",
            ("body", "pose_file_id"),
            code="field_not_applicable",
            parameters={"field": "pose_file_id"},
        )
    require_references(spec, graph.inputs, views, "nothing here can apply it")
    return CompiledPrompt(graph.prompt, tuple(graph.inputs), without_repeats(graph.warnings))
