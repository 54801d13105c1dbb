"""The lines of the receipt: which node and model apply which input to which view."""

from __future__ import annotations

from dataclasses import dataclass

from ..spec.avatar import ReferenceUse
from ..spec.pose import PoseUse
from ..spec.receipt import AppliedInput


@dataclass(frozen=True)
class Attended:
    """What the model attends to while it samples, and the node that patches the model for it."""

    role: str
    kind: str
    node: str
    use: ReferenceUse | None
    strength: float


def applied_input(
    role: str,
    view: str | None,
    kind: str,
    use: PoseUse | ReferenceUse | None,
    *,
    node: str,
    node_type: str,
    model: str,
    strength: float,
    steps: int,
) -> AppliedInput:
    """The line of an input that works from the first to the last of `steps`."""
    file = use.file if isinstance(use, PoseUse) else use
    return AppliedInput(
        role=role,
        view=view,
        kind=kind,
        file_id=file.file_id if file else None,
        content_hash=file.content_hash if file else None,
        node=node,
        node_type=node_type,
        model=model,
        strength=strength,
        first_step=1,
        last_step=steps,
    )
