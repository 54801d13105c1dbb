"""The words of a request for a graph that is not ours: no quality words, because its family is not known."""

from __future__ import annotations

from ..families.prompt_text import compose_plain, prompt_parts
from ..graphs.drawn_words import drawn_prompt
from ..graphs.links import PAPER_DOLL
from ..spec.avatar import AvatarSpec
from ..spec.views import node_views

#: Our nodes that compose the words of a view themselves.
OUR_PROMPTS = ("AvatarForgePrompt", PAPER_DOLL)


def words_of_node(spec: AvatarSpec, view_name: str | None, class_type: str) -> dict[str, str]:
    """The inputs of one of OUR_PROMPTS for a view."""
    parts = prompt_parts(spec)
    words = {"prompt": parts.prompt, "clothing": parts.clothing, "style": parts.style}
    if class_type == PAPER_DOLL:
        words["prompt"] = drawn_prompt(spec)
    else:
        words |= {
            "character": parts.character,
            "expression": parts.expression,
            "elevation": parts.elevation,
        }
    return words | node_views((view_name,))


def positive_words(spec: AvatarSpec, view_name: str | None) -> str:
    """The prompt of one view."""
    return compose_plain(prompt_parts(spec), view_name)[0]


def negative_words(spec: AvatarSpec, view_name: str | None, own: str) -> str:
    """What the picture of one view must not show. `own` is the template's text, used unless the request has
    one."""
    view = compose_plain(prompt_parts(spec), view_name)[1]
    words = own if spec.negative_prompt is None else spec.negative_prompt
    return ", ".join(stripped for text in (view, words) if (stripped := text.strip().strip(",").strip()))
