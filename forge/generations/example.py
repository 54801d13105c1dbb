"""The graph of a family for a plain request: a starting point for a graph of one's own."""

from __future__ import annotations

from dataclasses import replace

from ..graphs.compile import compile_prompt
from ..ports import InstalledModels, Prompt
from ..settings import Settings
from ..spec.request import AvatarRequest
from .resolve import resolve_request

_REQUEST = AvatarRequest("a knight", seed=0)


def example_prompt(family: str, installed: InstalledModels, settings: Settings) -> Prompt:
    """One front view, with the family's best installed model and defaults. Raises UnavailableError if none
    of its models is installed, UnprocessableError for an unknown family."""
    request = replace(_REQUEST, family=family)
    resolved = resolve_request(request, ("front",), None, None, installed, settings)
    return compile_prompt(resolved.spec, "").prompt
