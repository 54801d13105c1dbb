"""The lines of the receipt: which node and model apply which input to which view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UnprocessableError
from ..spec.avatar import AvatarSpec
from ..spec.pose import PoseUse
from ..spec.receipt import AppliedInput
from ..spec.reference import ReferenceUse
from .references import references_of

WHOLE = 1.0  # strength of what cannot be weighed


@dataclass(frozen=True)
class AppliedPicture:
    """An input of a run. `role` and `kind` are those of its receipt line. `node` applies it, where it is the
    same node for all views. `model` is the file that applies it, None for the generation's own model."""

    role: str
    kind: str
    use: PoseUse | ReferenceUse | None
    strength: float
    node: str = ""
    model: str | None = None


def applied_pose(use: PoseUse | None, strength: float, model: str | None = None) -> AppliedPicture:
    """The record of a given pose, or of a built-in skeleton if there is none."""
    if use is None:
        return AppliedPicture("view", "built-in skeleton", None, strength, model=model)
    return AppliedPicture("pose", use.plan.kind, use, strength, model=model)


def applied_reference(use: ReferenceUse) -> AppliedPicture:
    """The record of a reference picture."""
    return AppliedPicture("reference", "picture", use, use.strength, model=use.model)


def applied_input(
    applied: AppliedPicture, view: str | None, *, node: str, node_type: str, model: str, steps: int
) -> AppliedInput:
    """The line of an input that works from the first to the last of `steps`."""
    file = applied.use.file if isinstance(applied.use, PoseUse) else applied.use
    return AppliedInput(
        role=applied.role,
        view=view,
        kind=applied.kind,
        file_id=file.file_id if file else None,
        content_hash=file.content_hash if file else None,
        node=node,
        node_type=node_type,
        model=model,
        strength=applied.strength,
        first_step=1,
        last_step=steps,
        reference_role=file.role if isinstance(file, ReferenceUse) else None,
    )


def require_references(
    spec: AvatarSpec, lines: Sequence[AppliedInput], views: Sequence[str | None], problem: str
) -> None:
    """Raises UnprocessableError unless each reference has a line for each of these views that it is for.
    `problem` follows "but"."""
    applied = {(line.file_id, line.reference_role, line.view) for line in lines if line.role == "reference"}
    for view in views:
        for use in references_of(spec, view):
            if (use.file_id, use.role, view) not in applied:
                field = (
                    "references" if spec.more_references or use.role != "identity" else "reference_file_id"
                )
                raise UnprocessableError(
                    f"The reference image was given, but {problem}: {use.role} {use.file_id}.",
                    ("body", field),
                    code="field_not_applicable",
                    parameters={"field": field},
                )
