"""What several nodes let a user choose from."""

from __future__ import annotations

from ..forge.views import ALL_FOUR, ANY_VIEW, VIEW_NAMES

CATEGORY = "AvatarForge"
LARGEST = 16384  # pixels; ComfyUI's own largest
VIEW_CHOICES = [*VIEW_NAMES, ALL_FOUR, ANY_VIEW]


def views_of(choice: str) -> tuple[str | None, ...]:
    """The rows that a choice stands for; None is a row of no particular view."""
    if choice == ALL_FOUR:
        return VIEW_NAMES
    return (None,) if choice == ANY_VIEW else (choice,)
