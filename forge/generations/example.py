"""The graph of a family for a plain request: a starting point for a graph of one's own."""

from __future__ import annotations

from ..errors import NotFoundError
from ..families import FAMILIES
from ..graphs.compile import compile_prompt
from ..ports import InstalledModels, Prompt
from ..settings import Settings
from ..spec.request import AvatarRequest
from .resolve import resolve_request

WORDS = "a knight in silver armor"


def example_prompt(family: str, installed: InstalledModels, settings: Settings) -> Prompt:
    """One front view, with the family's best installed model and its defaults. Raises NotFoundError for an
    unknown family, and UnavailableError if nothing of it is installed."""
    if family not in FAMILIES:
        raise NotFoundError(
            f"There is no family {family[:80]!r}. There are: {', '.join(FAMILIES)}.", code="not_found"
        )
    request = AvatarRequest(prompt=WORDS, family=family, seed=0)
    resolved = resolve_request(request, ("front",), None, (), installed, settings)
    return compile_prompt(resolved.spec, "").prompt
