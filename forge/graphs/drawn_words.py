"""The words that a drawn family reads, and a warning of those that mean nothing to it."""

from __future__ import annotations

from dataclasses import replace

from ..pictures.doll.words.reader import read_description
from ..spec.avatar import AvatarSpec
from ..spec.warning import GenerationWarning, make_warning

LISTED = 20  # words in the warning


def drawn_prompt(spec: AvatarSpec) -> str:
    """The text that describes the character: who it is, the expression, and what the request adds."""
    texts = (spec.description, spec.expression_words or spec.expression or "", spec.prompt)
    return ", ".join(stripped for text in texts if (stripped := text.strip(" ,")))


def words_warnings(spec: AvatarSpec) -> tuple[GenerationWarning, ...]:
    """One warning with the words that have no effect; none if all were understood."""
    if spec.redraw is not None:
        spec = replace(spec, expression_words=", ".join(spec.redraw.words))
    unknown = read_description(
        drawn_prompt(spec), spec.clothing or "", spec.style or "", spec.realism, spec.negative_prompt or ""
    ).unknown
    if not unknown:
        return ()
    listed = unknown[:LISTED]
    more = f" and {len(unknown) - LISTED} more" if len(unknown) > LISTED else ""
    detail = f"The paper doll does not know these words, which have no effect: {', '.join(listed)}{more}."
    return (make_warning("words_not_understood", detail, words=listed, count=len(unknown)),)
