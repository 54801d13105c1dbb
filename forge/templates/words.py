"""The words of a request for a graph that is not ours: no quality words, because its family is not known."""

from __future__ import annotations

from ..families.prompt_text import compose_plain, prompt_parts
from ..spec.avatar import AvatarSpec


def positive_words(spec: AvatarSpec, view_name: str | None) -> str:
    """The prompt of one view."""
    return compose_plain(prompt_parts(spec), view_name)[0]


def negative_words(spec: AvatarSpec, view_name: str | None, own: str) -> str:
    """What the picture of one view must not show. `own` is the template's text, used unless the request has
    one."""
    view = compose_plain(prompt_parts(spec), view_name)[1]
    words = own if spec.negative_prompt is None else spec.negative_prompt
    return ", ".join(stripped for text in (view, words) if (stripped := text.strip().strip(",").strip()))
