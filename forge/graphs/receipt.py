"""The lines of the receipt: which node and model apply which input to which view."""

from __future__ import annotations

from dataclasses import dataclass

from ..spec.pose import PoseUse
from ..spec.receipt import AppliedInput
from ..spec.reference import ReferenceUse

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
    )
