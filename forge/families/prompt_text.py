"""Composes the positive and negative prompt text from a user's texts, a view and the words of a family.

Text encoders weigh early words most, so the order is: pictures, quality, view, character, clothing, style.
The view comes early because a back view that shows a face is the most common complaint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..spec.views import ALL_FOUR, ANY_VIEW, VIEWS


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
    """The user's description of a character. A text that was not given is empty. `pictures` are sentences
    about numbered reference pictures."""

    prompt: str
    clothing: str
    style: str
    realism: bool
    negative_prompt: str
    pictures: str = ""


@dataclass(frozen=True)
class Words:
    """The words of a prompt for these views, one text per view. `kind` is the family and variant as
    AvatarForgePrompt names them. `label` is for the titles of nodes."""

    parts: PromptParts
    quality: QualityWords
    kind: str
    views: tuple[str | None, ...]
    label: str

    @property
    def view_choice(self) -> str:
        """The views as an option of AvatarForge's nodes."""
        return ALL_FOUR if len(self.views) > 1 else self.views[0] or ANY_VIEW


def compose_prompt(parts: PromptParts, view_name: str | None, quality: QualityWords) -> tuple[str, str]:
    """(positive, negative) prompt text for one picture."""
    good, bad = quality.realistic if parts.realism else quality.anime
    view = VIEWS[view_name] if view_name else None
    if quality.sentences:
        clothing = f"wearing {parts.clothing}" if parts.clothing else ""
        return _sentences(
            parts.pictures,
            view.sentence if view else "",
            _join([f"A full-body picture of one character: {parts.prompt.strip(' .,')}", clothing]),
            f"Drawn in the style {parts.style}" if parts.style else "",
            good,
        ), _join([view.negative if view and bad else "", parts.negative_prompt, bad])
    positive = [
        parts.pictures,
        good,
        view.positive if view else "",
        "solo, full body",
        parts.prompt,
        f"wearing {parts.clothing}" if parts.clothing else "",
        f"{parts.style} style" if parts.style else "",
    ]
    negative = [view.negative if view else "", parts.negative_prompt, bad]
    return _join(positive), _join(negative)


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


def _join(texts: list[str]) -> str:
    return ", ".join(text.strip().strip(",").strip() for text in texts if text.strip(" ,"))
