"""Composes the positive and negative prompt text from a user's texts, a view and the words of a family.

Text encoders weigh early words most, so the order is: pictures, quality, view, clothing, character,
expression, what the request adds, style. The view comes early because a back view that shows a face is the
most common complaint. What an earlier text has said about a saved character is not
said twice.

A preset style (`spec.styles`) has words of its own, for and against it. Where it contradicts what `realism`
asks for, such as a watercolor a photo, only the words of the family that hold for any picture are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..spec.avatar import AvatarSpec
from ..spec.expressions import expression_words
from ..spec.styles import Style, styles_among
from ..spec.views import LEVEL, VIEWS

#: What a numbered picture shows: a reference by its role, the front that the view looks at, or a skeleton.
Shown = Literal["person", "face", "outfit", "style", "front", "pose"]


@dataclass(frozen=True)
class QualityWords:
    """The (positive, negative) words that come first in a prompt, for a photo and for a drawing, and those
    for a picture of any kind. `sentences`: the text encoder understands sentences, otherwise tags."""

    realistic: tuple[str, str]
    anime: tuple[str, str]
    any_medium: tuple[str, str] = ("", "")
    sentences: bool = False


#: For families whose text encoder understands sentences: without guidance, and with a negative prompt.
SENTENCES = QualityWords(
    realistic=("A photorealistic photograph with natural light, sharp focus and fine detail", ""),
    anime=("A clean anime illustration with crisp line art and soft shading", ""),
    sentences=True,
)
_FLAWS = "low quality, blurry, bad anatomy"
GUIDED_SENTENCES = QualityWords(
    realistic=(SENTENCES.realistic[0], _FLAWS),
    anime=(SENTENCES.anime[0], _FLAWS),
    any_medium=("", _FLAWS),
    sentences=True,
)
#: What `realism` asks for in a style that is no photo.
_REALISTIC = ("realistic proportions", "The character has realistic proportions")


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
    words = _words_of(parts, view_name, sentences=quality.sentences)
    good, bad = _quality(parts, quality, words.styles)
    if quality.sentences:
        who = " ".join(filter(None, ["A full-body picture of one character", words.worn]))
        description = (words.character or words.prompt).strip(" .,")
        return _sentences(
            parts.pictures,
            *words.seen,
            f"{who}: {description}" if description else who,
            words.expression,
            words.prompt if words.character else "",
            *words.style,
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
        *words.style,
    ]
    return _join(positive), _join([*words.against, parts.negative_prompt, bad])


def compose_plain(parts: PromptParts, view_name: str | None) -> tuple[str, str]:
    """(positive, negative) tags for one picture of a model whose family is not known: without words for
    quality, and without `parts.negative_prompt`."""
    words = _words_of(parts, view_name, sentences=False)
    positive = [*words.seen, words.worn, words.character, words.expression, words.prompt, *words.style]
    return _join(positive), _join(words.against)


@dataclass(frozen=True)
class _PictureWords:
    """The words of one picture: how it is seen and what it must not show, who is seen, and the style with the
    presets that it names."""

    seen: tuple[str, ...]
    against: tuple[str, ...]
    worn: str
    character: str
    expression: str
    prompt: str
    style: tuple[str, ...]
    styles: tuple[Style, ...]


def _quality(parts: PromptParts, quality: QualityWords, styles: Sequence[Style]) -> tuple[str, str]:
    """The words of the family that agree with the preset styles."""
    medium = "photo" if parts.realism else "anime"
    if not any(medium in style.contradicts for style in styles):
        return quality.realistic if parts.realism else quality.anime
    good, bad = quality.any_medium
    if not parts.realism:
        return good, bad
    tags, sentence = _REALISTIC
    return _sentences(good, sentence) if quality.sentences else _join([good, tags]), bad


def _words_of(parts: PromptParts, view_name: str | None, *, sentences: bool) -> _PictureWords:
    view = VIEWS[view_name] if view_name else None
    elevation = _ELEVATIONS.get(parts.elevation, _Elevation())
    styles, others = styles_among(split_clauses(parts.style))
    plain = ", ".join(others) if styles else parts.style
    tags = "" if sentences else ", ".join(style.tags for style in styles)
    clothing, character, prompt, tags, plain = _without_repeats(parts, tags, plain)
    # A face on a back view is the most common complaint, so the words do not mention one.
    shows_face = view is None or view.shows_face
    directions = (view, elevation) if view else (elevation,)
    return _PictureWords(
        seen=tuple(item.sentence if sentences else item.positive for item in directions),
        against=(view.negative if view else "", elevation.negative, _against(styles)),
        worn=f"wearing {clothing}" if clothing else "",
        character=character,
        expression=expression_words(parts.expression, sentences=sentences) if shows_face else "",
        prompt=prompt,
        style=(
            *((style.sentence for style in styles) if sentences else (tags,)),
            _plain_style(plain, sentences=sentences),
        ),
        styles=styles,
    )


def _plain_style(style: str, *, sentences: bool) -> str:
    """A style that is no preset."""
    if not style:
        return ""
    return f"Drawn in the style {style}" if sentences else f"{style} style"


def _against(styles: Sequence[Style]) -> str:
    """What pictures in these styles must not show: of several, nothing that one of them is."""
    wanted = {clause_key(clause) for style in styles for clause in (style.name, *split_clauses(style.tags))}
    clauses = dict.fromkeys(clause for style in styles for clause in split_clauses(style.negative))
    return ", ".join(clause for clause in clauses if clause_key(clause) not in wanted)


def _without_repeats(parts: PromptParts, *styles: str) -> tuple[str, ...]:
    """(clothing, character, prompt, and each text about the style), without what an earlier one has already
    said.

    Only with a saved character: what a request without one repeats, it means to emphasise.
    """
    texts = (parts.clothing, parts.character, parts.prompt, *styles)
    if not parts.character:
        return texts
    said: set[str] = set()
    kept = []
    for text in texts:
        clauses = split_clauses(text)
        kept.append(", ".join(clause for clause in clauses if clause_key(clause) not in said))
        said.update(map(clause_key, clauses))
    return tuple(kept)


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


def describe_pictures(shown: Sequence[Shown], noun: str = "image", *, shows_face: bool = True) -> str:
    """Sentences that say what to take from each numbered reference picture. `shows_face`: more of the face
    than its outline is to be seen."""
    named: dict[Shown, list[str]] = {}
    for number, what in enumerate(shown, 1):
        named.setdefault(what, []).append(f"{noun} {number}")

    def those(*what: Shown) -> str:
        return " and ".join(name for each in what for name in named.get(each, ()))

    sentences = []
    # The front is drawn already: it wears what the person of the reference only puts on.
    dressed: tuple[Shown, ...] = ("front",) if "outfit" in named else ("person", "front")
    if "outfit" in named and "person" in named:
        sentences.append(f"Show the same person as in {those('person')}, in other clothes")
    if names := those(*dressed):
        sentences.append(f"Show the same person with the same clothing as in {names}")
    if names := those("face"):
        seen = "face and the hair" if shows_face else "hair"
        sentences.append(
            f"Take the {seen} of the person in {names}, and neither the clothes nor the background"
        )
    if names := those("outfit"):
        sentences.append(
            f"The clothes are those in {names}: take only the clothes, and not the person who wears them"
        )
    if names := those("style"):
        sentences.append(
            f"Draw the picture in the manner of {names}: take its technique and colours, and nothing that it "
            "shows"
        )
    if names := those("pose"):
        sentences.append(
            f"The person has exactly the pose of the skeleton in {names}; do not draw the skeleton itself"
        )
    return _sentences(*sentences)


def _sentences(*parts: str) -> str:
    return " ".join(f"{part.strip().rstrip('.')}." for part in parts if part.strip(" ."))


def _join(texts: Iterable[str]) -> str:
    return ", ".join(text.strip().strip(",").strip() for text in texts if text.strip(" ,"))
