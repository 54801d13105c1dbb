"""Composes the positive and negative prompt text from a user's texts, a view and a family.

Text encoders weigh early tokens most, so the order is: quality, view, character, clothing, style. The view
comes early because a back view that shows a face is the most common complaint.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..families import FAMILIES
from ..spec.views import VIEWS


@dataclass(frozen=True)
class PromptParts:
    """The user's description of a character. A text that was not given is empty."""

    prompt: str
    clothing: str
    style: str
    realism: bool
    negative_prompt: str
    family: str


def compose_prompt(parts: PromptParts, view_name: str | None) -> tuple[str, str]:
    """(positive, negative) prompt text for one picture."""
    family = FAMILIES[parts.family]
    quality, flaws = family.realistic if parts.realism else family.anime
    view = VIEWS[view_name] if view_name else None
    positive = [
        quality,
        view.positive if view else "",
        "solo, full body",
        parts.prompt,
        f"wearing {parts.clothing}" if parts.clothing else "",
        f"{parts.style} style" if parts.style else "",
    ]
    negative = [view.negative if view else "", parts.negative_prompt, flaws]
    return _join(positive), _join(negative)


def _join(texts: list[str]) -> str:
    return ", ".join(text.strip().strip(",").strip() for text in texts if text.strip(" ,"))
