"""Composes the positive and negative prompt text from a user's texts, a view and the words of a family.

Text encoders weigh early words most, so the order is: pictures, quality, view, clothing, character,
expression, what the request adds, style. The view comes early because a back view that shows a face is the
most common complaint. What an earlier text has said about a saved character is not
said twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..spec.avatar import AvatarSpec
from ..spec.expressions import expression_words
from ..spec.views import LEVEL, VIEWS


@dataclass(frozen=True)
class QualityWords:
    """The (positive, negative) words that come first in a prompt, for a photo and for a drawing. `sentences`:
    the text encoder understands sentences, otherwise tags."""

    realistic: tuple[str, str]
    anime: tuple[str, str]
    sentences: bool = False


#: For families whose text encoder understands sentences: without guidance, and with a negative prompt.
SENTENCES = QualityWords(
    realistic=("A photorealistic photograph with natural light, sharp focus and fine detail", ""),
    anime=("A clean anime illustration with crisp line art and soft shading", ""),
    sentences=True,
)
_FLAWS = "low quality, blurry, bad anatomy"
GUIDED_SENTENCES = QualityWords(
    realistic=(SENTENCES.realistic[0], _FLAWS), anime=(SENTENCES.anime[0], _FLAWS), sentences=True
)


@dataclass(frozen=True)
class PromptParts:
    """The user's words for a picture. A text that was not given is empty.

    `pictures` are sentences about numbered reference pictures. `character` is the description of a saved
    character, to which `prompt` adds. `expression` is the name of a built-in one, or words. `elevation` is
    one of `spec.views.ELEVATIONS`.
    """

    prompt: str
    clothing: str
    style: str
    realism: bool
    negative_prompt: str
    pictures: str = ""
    character: str = ""
    expression: str = ""
    elevation: str = LEVEL


@dataclass(frozen=True)
class Words:
    """The words of a prompt for these views, one text per view. `kind` is the family and variant as
    AvatarForgePrompt names them. `label` is for the titles of nodes."""

    parts: PromptParts
    quality: QualityWords
    kind: str
    views: tuple[str | None, ...]
    label: str


@dataclass(frozen=True)
class _Elevation:
    """A height of the camera as (tags for it, tags against it, sentence)."""

    positive: str = ""
    negative: str = ""
    sentence: str = ""


_ELEVATIONS = {
    "above": _Elevation("from above", "from below", "The camera looks down at the character from above"),
    "below": _Elevation("from below", "from above", "The camera looks up at the character from below"),
}


def prompt_parts(spec: AvatarSpec, pictures: str = "") -> PromptParts:
    """The words of a spec; `pictures` are sentences about numbered reference pictures."""
    return PromptParts(
        spec.prompt,
        spec.clothing or "",
        spec.style or "",
        spec.realism,
        spec.negative_prompt or "",
        pictures,
        spec.description,
        spec.expression_words or spec.expression or "",
        spec.elevation or LEVEL,
    )


def compose_prompt(parts: PromptParts, view_name: str | None, quality: QualityWords) -> tuple[str, str]:
    """(positive, negative) prompt text for one picture."""
    good, bad = quality.realistic if parts.realism else quality.anime
    words = _words_of(parts, view_name, sentences=quality.sentences)
    if quality.sentences:
        who = " ".join(filter(None, ["A full-body picture of one character", words.worn]))
        description = (words.character or words.prompt).strip(" .,")
        return _sentences(
            parts.pictures,
            *words.seen,
            f"{who}: {description}" if description else who,
            words.expression,
            words.prompt if words.character else "",
            f"Drawn in the style {words.style}" if words.style else "",
            good,
        ), _join([*(words.against if bad else ()), parts.negative_prompt, bad])
    positive = [
        parts.pictures,
        good,
        *words.seen,
        "solo, full body",
        words.worn,
        words.character,
        words.expression,
        words.prompt,
        f"{words.style} style" if words.style else "",
    ]
    return _join(positive), _join([*words.against, parts.negative_prompt, bad])


def compose_plain(parts: PromptParts, view_name: str | None) -> tuple[str, str]:
    """(positive, negative) tags for one picture of a model whose family is not known: without words for
    quality, and without `parts.negative_prompt`."""
    words = _words_of(parts, view_name, sentences=False)
    style = f"{words.style} style" if words.style else ""
    positive = [*words.seen, words.worn, words.character, words.expression, words.prompt, style]
    return _join(positive), _join(words.against)


@dataclass(frozen=True)
class _PictureWords:
    """The words of one picture: how it is seen and what it must not show, who is seen, and the style."""

    seen: tuple[str, ...]
    against: tuple[str, ...]
    worn: str
    character: str
    expression: str
    prompt: str
    style: str


def _words_of(parts: PromptParts, view_name: str | None, *, sentences: bool) -> _PictureWords:
    view = VIEWS[view_name] if view_name else None
    elevation = _ELEVATIONS.get(parts.elevation, _Elevation())
    clothing, character, prompt, style = _without_repeats(parts)
    # A face on a back view is the most common complaint, so the words do not mention one.
    shows_face = view is None or view.shows_face
    directions = (view, elevation) if view else (elevation,)
    return _PictureWords(
        seen=tuple(item.sentence if sentences else item.positive for item in directions),
        against=(view.negative if view else "", elevation.negative),
        worn=f"wearing {clothing}" if clothing else "",
        character=character,
        expression=expression_words(parts.expression, sentences=sentences) if shows_face else "",
        prompt=prompt,
        style=style,
    )


def _without_repeats(parts: PromptParts) -> tuple[str, str, str, str]:
    """(clothing, character, prompt, style), without what an earlier one has already said.

    Only with a saved character: what a request without one repeats, it means to emphasise.
    """
    texts = (parts.clothing, parts.character, parts.prompt, parts.style)
    if not parts.character:
        return texts
    said: set[str] = set()
    kept = []
    for text in texts:
        clauses = split_clauses(text)
        kept.append(", ".join(clause for clause in clauses if clause_key(clause) not in said))
        said.update(map(clause_key, clauses))
    return kept[0], kept[1], kept[2], kept[3]


def split_clauses(text: str) -> list[str]:
    """Split at the commas outside of parentheses, brackets and braces, which prompts use for weights and
    alternatives. A backslash makes the next character an ordinary one."""
    clauses, depth, start, at = [], 0, 0, 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth = max(0, depth - 1)
        elif character == "," and depth == 0:
            clauses.append(text[start:at])
            start = at + 1
        at += 1
    clauses.append(text[start:])
    return [stripped for clause in clauses if (stripped := clause.strip())]


def clause_key(clause: str) -> str:
    """The form in which clauses are compared."""
    return " ".join(clause.casefold().strip(" .").split())


def describe_pictures(shown: Sequence[str], noun: str = "image") -> str:
    """Sentences that say what each numbered reference picture shows: "person" or "pose"."""
    persons = [f"{noun} {number}" for number, what in enumerate(shown, 1) if what == "person"]
    poses = [f"{noun} {number}" for number, what in enumerate(shown, 1) if what == "pose"]
    sentences = []
    if persons:
        sentences.append(f"Show the same person with the same clothing as in {' and '.join(persons)}")
    if poses:
        sentences.append(
            f"The person has exactly the pose of the skeleton in {poses[0]}; do not draw the skeleton itself"
        )
    return _sentences(*sentences)


def _sentences(*parts: str) -> str:
    return " ".join(f"{part.strip().rstrip('.')}." for part in parts if part.strip(" ."))


def _join(texts: Iterable[str]) -> str:
    return ", ".join(text.strip().strip(",").strip() for text in texts if text.strip(" ,"))
