"""Compiles a template for a generation: fills its slots and saves one picture for each view. Pure.

What depends on a slot that differs between views is copied for each view after the first. All else is shared.
Only what leads to the output runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import UnprocessableError
from ..graphs.compile import ANCHOR, CompiledPrompt
from ..graphs.links import downstream, upstream
from ..graphs.receipt import require_references
from ..ports import Prompt
from ..spec.avatar import AvatarSpec
from ..spec.receipt import AppliedInput
from .filling import Filling
from .template import Template, trial_spec


def compile_template(
    template: Template, spec: AvatarSpec, generation_id: str, positions: Sequence[int] | None = None
) -> CompiledPrompt:
    """Compile the views at these positions (all by default) of a spec with this template."""
    filling = Filling(template, spec)
    chosen = range(len(spec.pictures)) if positions is None else positions
    values = [filling.values(position) for position in chosen]
    places = {place for view in values for place in view}
    differing = {place for place in places if any(view.get(place) != values[0].get(place) for view in values)}
    start = {node for place in differing for node in filling.changed_nodes(place)}
    output = template.slots["output"][0]
    copies = downstream(template.prompt, start) & set(upstream(template.prompt, [output.node]))
    copies.add(output.node)
    for number, position in enumerate(chosen):
        # The first view gets the ids of the graph itself.
        names = filling.copy(copies, number)
        filling.fill(values[number], names, shared=number == 0)
        first = position - spec.place(position)[1]
        if positions is not None:
            filling.use_saved_palette(generation_id, first + ANCHOR)
        elif position == first:
            filling.begin_sheet()
        filling.save(output, names, spec.pictures[position], generation_id, position)
        filling.record(position, names)
    _require_applied(spec, filling.lines, chosen)
    return CompiledPrompt(filling.prompt(), tuple(filling.lines), tuple(filling.warnings))


def _require_applied(spec: AvatarSpec, lines: Sequence[AppliedInput], positions: Sequence[int]) -> None:
    """No input is dropped silently; a re-roll of one view may not need the pose."""
    problem = "what the template does with it leads to no picture"
    whole = len(positions) == len(spec.pictures)
    if whole and spec.pose is not None and not any(line.role == "pose" for line in lines):
        raise UnprocessableError(
            f"The pose image was given, but {problem}.",
            ("body", "pose_file_id"),
            code="field_not_applicable",
            parameters={"field": "pose_file_id"},
        )
    require_references(spec, lines, [spec.pictures[position] for position in positions], problem)


def trial_prompt(template: Template) -> Prompt:
    """The whole graph with every slot filled, for ComfyUI to validate. Its nodes keep their ids."""
    filling = Filling(template, trial_spec(template))
    names = {node_id: node_id for node_id in template.prompt}
    filling.fill(filling.values(0), names, shared=True)
    filling.save(template.slots["output"][0], names, "front", "", 0)
    return filling.prompt(whole=True)
