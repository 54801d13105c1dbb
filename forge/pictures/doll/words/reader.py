"""Reads the words of a request into a description of the character."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..character.description import Description, Garment, Slot
from .phrases import Reader
from .said import Said
from .split import COMMA, MAX_TEXT, split_words
from .vocabulary.garment_words import GROUPS
from .vocabulary.garments import GARMENTS
from .vocabulary.styles import REALISM
from .vocabulary.terms import ROLE, longest_term, terms

_SLOTS: tuple[Slot, ...] = tuple(dict.fromkeys(kind.slot for kind in GARMENTS.values()))
#: Slots that something is worn in whatever is ruled out: another kind takes its place.
_ALWAYS_WORN: frozenset[Slot] = frozenset(("top", "bottom", "dress", "outer", "feet"))


def read_description(
    prompt: str,
    clothing: str | None = None,
    style: str | None = None,
    realism: bool = False,
    negative_prompt: str | None = None,
) -> Description:
    """What the words of a request say about the character. Never raises; takes linear time.

    `clothing` replaces the prompt's garments in each slot that it names something for, and `style` the
    prompt's style. What `negative_prompt` names is removed and not chosen by the seed either, except words
    that the doll does not know.
    """
    said = Said()
    Reader(said).read(prompt)
    _drop_covered(said)
    if clothing:
        _add_clothing(said, clothing)
    unwanted = Said()
    if negative_prompt:
        Reader(unwanted, unwanted=True).read(negative_prompt)
    said.excluded |= unwanted.excluded
    said.excluded_colours |= unwanted.excluded_colours
    if style:
        _read_style(said, style)
    return _described(said, realism)


def _drop_covered(said: Said) -> None:
    """A dress covers top and bottom: whichever is said more firmly stays."""
    dress = said.slots.get("dress", (0, None))[0]
    if dress:
        others = max(said.slots.get(slot, (0, None))[0] for slot in ("top", "bottom"))
        for slot in ("top", "bottom") if dress >= others else ("dress",):
            said.slots.pop(slot, None)


def _add_clothing(said: Said, clothing: str) -> None:
    worn = Said(unknown=said.unknown, realism=said.realism)
    Reader(worn).read(clothing)
    said.unknown = worn.unknown
    _drop_covered(worn)
    replaced: set[Slot] = set(worn.slots)
    if "dress" in worn.slots:
        replaced |= {"top", "bottom"}
    if "top" in worn.slots or "bottom" in worn.slots:
        replaced.add("dress")
    kept = {slot: what for slot, what in said.slots.items() if slot not in replaced}
    said.slots = {**kept, **worn.slots}
    said.excluded = {
        name for name in said.excluded if name not in GARMENTS or GARMENTS[name].slot not in replaced
    }
    said.excluded |= worn.excluded
    said.excluded_colours = {
        item
        for item in said.excluded_colours
        if item[0] not in GARMENTS or GARMENTS[item[0]].slot not in replaced
    } | worn.excluded_colours
    said.realism = worn.realism
    for name, (strength, value) in worn.features.items():
        said.say(name, value, strength)


def _read_style(said: Said, style: str) -> None:
    """The style words of `style`, before the prompt's. Other phrases are noted as unknown, whole."""
    found: str | None = None
    phrase: list[str] = []
    for word in [*split_words(style[:MAX_TEXT]), COMMA]:
        if word.isalnum():
            phrase.append(word)
            continue
        names, other = _styles_in(phrase)
        said.realism = said.realism or "realism" in names
        styles = [name for name in names if name != "realism"]
        found = found or (styles[0] if styles else None)
        if other and not names:
            said.note_unknown(" ".join(phrase))
        phrase = []
    if found is not None:
        said.features["style"] = (ROLE, found)


def _styles_in(phrase: list[str]) -> tuple[list[str], bool]:
    """(the styles that a phrase names, "realism" for words of REALISM; whether it has other words)."""
    names: list[str] = []
    other = False
    at = 0
    while at < len(phrase):
        length = 1
        for length in range(min(longest_term(), len(phrase) - at), 0, -1):
            term = terms().get(" ".join(phrase[at : at + length]))
            if term is not None:
                break
        text = " ".join(phrase[at : at + length])
        if term is not None and term.part == "style":
            names.append(term.features[0][1])
        elif text in REALISM:
            names.append("realism")
        elif term is None or term.part not in ("filler", "and", "link", "determiner", "preposition"):
            other = True
        at += length
    return names, other


def _described(said: Said, realism: bool) -> Description:
    excluded = said.excluded
    features: dict[str, Any] = {
        name: value
        for name, (_, value) in said.features.items()
        if f"{name}:{value}" not in excluded
        and ({"eye_colour": "eyes"}.get(name, name.removesuffix("_colour")), value)
        not in said.excluded_colours
    }
    beard = said.features.get("beard", (0, None))[0]
    if beard == ROLE and (features.get("figure") == "feminine" or features.get("age") == "child"):
        features.pop("beard", None)
    garments: list[Garment] = []
    bare: set[Slot] = set()
    for slot in _SLOTS:
        strength, worn = said.slots.get(slot, (0, None))
        if worn is None:
            if strength:
                bare.add(slot)
        elif worn.kind in excluded or (worn.kind, worn.colour) in said.excluded_colours:
            if slot not in _ALWAYS_WORN:
                bare.add(slot)
        else:
            garments.append(worn)
    garments = _matched_armour(garments)
    worn_slots = {GARMENTS[garment.kind].slot for garment in garments}
    for name in excluded & GARMENTS.keys():
        if GARMENTS[name].slot not in _ALWAYS_WORN:
            bare.add(GARMENTS[name].slot)
    if excluded.issuperset(GROUPS["shoes"]):
        bare.add("feet")
    return Description(
        **features,
        garments=tuple(garments),
        bare=frozenset(bare - worn_slots),
        realism=realism or said.realism,
        unknown=tuple(said.unknown),
        excluded=frozenset(excluded),
        excluded_colours=frozenset(said.excluded_colours),
    )


def _matched_armour(garments: list[Garment]) -> list[Garment]:
    """In "silver armour and a helmet", the helmet is silver too."""
    cuirass = next((garment for garment in garments if garment.kind == "cuirass"), None)
    if cuirass is None or cuirass.material not in (None, "metal"):
        return garments
    return [
        replace(garment, colour=garment.colour or cuirass.colour)
        if garment.kind in GROUPS["armour"] and garment.material in (None, "metal")
        else garment
        for garment in garments
    ]
