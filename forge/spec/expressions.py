"""The built-in expressions of a face, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ExpressionName = Literal[
    "neutral", "happy", "sad", "angry", "surprised", "afraid", "disgusted", "embarrassed"
]
EXPRESSION_NAMES: tuple[ExpressionName, ...] = get_args(ExpressionName)


@dataclass(frozen=True)
class Expression:
    """An expression as tags, and as a sentence for text encoders that understand sentences."""

    tags: str
    sentence: str


EXPRESSIONS: dict[str, Expression] = {
    "neutral": Expression(
        "neutral expression, closed mouth", "The face is calm and neutral, with a closed mouth"
    ),
    "happy": Expression("happy, smile, bright eyes", "The face is happy, with a broad smile and bright eyes"),
    "sad": Expression(
        "sad, frown, downcast eyes", "The face is sad, with downcast eyes and the corners of the mouth down"
    ),
    "angry": Expression(
        "angry, v-shaped eyebrows, clenched teeth",
        "The face is angry, with lowered eyebrows, narrowed eyes and clenched teeth",
    ),
    "surprised": Expression(
        "surprised, wide-eyed, open mouth, raised eyebrows",
        "The face is surprised, with wide eyes, raised eyebrows and an open mouth",
    ),
    "afraid": Expression(
        "scared, wide-eyed, trembling, open mouth",
        "The face is afraid, with wide eyes, eyebrows drawn up and together, and a tense open mouth",
    ),
    "disgusted": Expression(
        "disgust, wrinkled nose, raised upper lip, narrowed eyes",
        "The face is disgusted, with a wrinkled nose, a raised upper lip and narrowed eyes",
    ),
    "embarrassed": Expression(
        "embarrassed, blush, averted eyes, wavy mouth",
        "The face is embarrassed, blushing, with averted eyes and an awkward smile",
    ),
}


def expression_words(words: str, *, sentences: bool) -> str:
    """The words of an expression: of a built-in one by its name, otherwise the given words.

    `sentences`: for a text encoder that understands sentences.
    """
    built_in = EXPRESSIONS.get(words.strip().lower())
    if built_in is not None:
        return built_in.sentence if sentences else built_in.tags
    return f"The expression of the face: {words.strip(' .')}" if sentences and words.strip() else words
