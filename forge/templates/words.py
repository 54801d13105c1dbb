"""The words of a request for a graph that is not ours: no quality words, because its family is not known. And
what our own nodes in it get, which compose the words themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..families.prompt_text import compose_plain, prompt_parts
from ..graphs.drawn_words import drawn_prompt
from ..graphs.links import PAPER_DOLL, link_of
from ..spec.avatar import AvatarSpec
from ..spec.expressions import EXPRESSIONS
from ..spec.views import LEVEL, node_views

_OUR_PROMPT = "AvatarForgePrompt"
#: Our nodes that compose the words of a view themselves.
OUR_PROMPTS = (_OUR_PROMPT, "AvatarForgeCharacterPrompt", PAPER_DOLL)


def words_of_node(
    spec: AvatarSpec, view_name: str | None, class_type: str, own: Mapping[str, Any]
) -> dict[str, Any]:
    """The inputs of one of OUR_PROMPTS for a view. `own` are those that it has in the graph: a link, and what
    the graph says about the character, stay unless the request says something else; so does the height of its
    camera, unless that of the request is not the usual one."""
    parts = prompt_parts(spec)
    words: dict[str, Any] = {"prompt": drawn_prompt(spec) if class_type == PAPER_DOLL else parts.prompt}
    for name, text in (("clothing", parts.clothing), ("style", parts.style)):
        if text or link_of(own.get(name)) is None:
            words[name] = text
    if class_type == _OUR_PROMPT:
        if spec.character is not None:
            words["character"] = parts.character
        if spec.expression is not None:
            words["expression"] = parts.expression
    if class_type != PAPER_DOLL and spec.elevation not in (None, LEVEL):
        words["elevation"] = spec.elevation
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


def inputs_of_character(spec: AvatarSpec, own: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a node gets that shows a saved character; None if it shows its own as it is. An expression of the
    graph stays if every character has it."""
    shown, wanted = spec.character, spec.expression
    if shown is None:
        return None if wanted is None else {"expression": wanted}
    if wanted is None:
        mine = own.get("expression")
        wanted = mine if isinstance(mine, str) and mine.strip().lower() in EXPRESSIONS else ""
    return {
        "character": shown.id,
        "version": shown.version,
        "outfit": shown.outfit or "",
        "expression": wanted,
    }
