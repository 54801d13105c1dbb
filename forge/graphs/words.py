"""The one place that puts words together: who + view + family -> positive and negative prompt.

Text encoders weigh early tokens most, so the order is: quality, view, who, clothing, style. The
view stands early because a back view that shows a face is the commonest complaint.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..families import FAMILIES
from ..spec.views import VIEWS


@dataclass(frozen=True)
class Words:
    """Who is to be seen, in a user's words; empty where nothing was said."""

    prompt: str
    clothing: str
    style: str
    realism: bool
    negative_prompt: str
    family: str


def compose(words: Words, view_name: str | None) -> tuple[str, str]:
    """(positive, negative) prompt text for one picture."""
    family = FAMILIES[words.family]
    good, bad = family.realistic if words.realism else family.anime
    view = VIEWS[view_name] if view_name else None
    positive = [
        good,
        view.positive if view else "",
        "solo, full body",
        words.prompt,
        f"wearing {words.clothing}" if words.clothing else "",
        f"{words.style} style" if words.style else "",
    ]
    negative = [view.negative if view else "", words.negative_prompt, bad]
    return _join(positive), _join(negative)


def _join(parts: list[str]) -> str:
    return ", ".join(part.strip().strip(",").strip() for part in parts if part.strip(" ,"))
