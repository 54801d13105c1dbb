"""The one place that puts words together: request + view + family -> positive and negative prompt.

Text encoders weigh early tokens most, so the order is: quality, view, who, clothing, style. The
view stands early because a back view that shows a face is the commonest complaint.
"""

from __future__ import annotations

from ..generations.spec import AvatarSpec
from ..views import VIEWS
from .families import FAMILIES


def compose(spec: AvatarSpec, view_name: str | None) -> tuple[str, str]:
    """(positive, negative) prompt text for one picture."""
    family = FAMILIES[spec.family]
    good, bad = family.realistic if spec.realism else family.anime
    view = VIEWS[view_name] if view_name else None
    positive = [
        good,
        view.positive if view else "",
        "solo, full body",
        spec.prompt,
        f"wearing {spec.clothing}" if spec.clothing else "",
        f"{spec.style} style" if spec.style else "",
    ]
    negative = [view.negative if view else "", spec.negative_prompt or "", bad]
    return _join(positive), _join(negative)


def _join(parts: list[str]) -> str:
    return ", ".join(part.strip().strip(",").strip() for part in parts if part.strip(" ,"))
