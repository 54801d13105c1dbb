"""Stand-in until the poses are merged."""

from __future__ import annotations

from ..skeleton import VIEW_TURNS
from .person import Person


def turn_for(person: Person, view: str | None) -> float:
    return VIEW_TURNS[view] if view else 0.0
