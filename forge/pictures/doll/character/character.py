"""A character: what the words say, and what the seed and the reference decide where they say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from ..words.vocabulary.colours import (
    COLOURS,
    EYE_COLOURS,
    HAIR_COLOURS,
    OLD_HAIR_COLOURS,
    SKIN_COLOURS,
    Shade,
)
from ..words.vocabulary.hair import LENGTHS_OF_STYLES
from .choices import Choices, blend
from .description import (
    Age,
    Beard,
    Build,
    Colour,
    Description,
    Ears,
    Expression,
    Figure,
    HairLength,
    HairStyle,
    Slot,
    StyleName,
)
from .outfit import dress
from .reference import WeightedPalette, reference_colour
from .worn import Worn

__all__ = ["BACKGROUND", "Character", "Worn", "choose_character"]

#: The background that the words leave open: the same for every seed, so that views go together.
BACKGROUND: Colour = (240, 238, 233)

_FIGURES = {"feminine": 1, "masculine": 1}
_AGES = {"adult": 8, "teen": 1, "old": 1, "child": 0}
_BUILDS = {"average": 5, "slim": 3, "athletic": 2, "stout": 1}
_EXPRESSIONS = {
    **{"neutral": 3, "happy": 2},
    **dict.fromkeys(("surprised", "sad", "angry", "afraid", "disgusted", "embarrassed"), 0),
}
_BEARDS = {"none": 5, "stubble": 1, "full": 1, "goatee": 1, "moustache": 1}
_NO_BEARD = {"none": 1, "stubble": 0, "full": 0, "goatee": 0, "moustache": 0}
_LENGTHS = {
    "feminine": {"long": 5, "medium": 4, "short": 1, "bald": 0},
    "masculine": {"short": 6, "medium": 2, "long": 1, "bald": 0},
}
_STYLES = {
    "feminine": {
        "straight": 4,
        "wavy": 4,
        "loose": 3,
        "curly": 3,
        "ponytail": 3,
        "braid": 2,
        "bun": 2,
        "bob": 2,
    }
    | {"pigtails": 1, "spiky": 0, "mohawk": 0},
    "masculine": {
        "loose": 5,
        "straight": 4,
        "wavy": 3,
        "curly": 3,
        "spiky": 2,
        "ponytail": 1,
        "bob": 0,
        "bun": 0,
    }
    | {"braid": 0, "pigtails": 0, "mohawk": 0},
}


@dataclass(frozen=True)
class Character:
    """Everything about a character that its pictures show. `garments` are by slot, in the order of `Slot`."""

    hair_length: HairLength
    hair_style: HairStyle
    hair_colour: Colour
    eye_colour: Colour
    skin_colour: Colour
    build: Build
    age: Age
    figure: Figure
    beard: Beard
    ears: Ears
    expression: Expression
    garments: Mapping[Slot, Worn]
    background: Colour
    style: StyleName
    realism: bool


def choose_character(
    description: Description,
    *,
    seed: int,
    view_seed: int | None = None,
    view: str = "",
    consistency: float = 1.0,
    palette: WeightedPalette | None = None,
) -> Character:
    """Make the choices that the words leave open. What they say is never changed.

    With `consistency` 1 all choices come from `seed`, with 0 from `view_seed` (`seed`, if that is None) and
    `view`; in between colours are blended and some of the other choices are the shared ones. Each choice
    depends on its own name only: words for one feature leave all others as they were.

    `palette` has colours of references by the names of `parts.PARTS`. They replace colours that no word
    names, each by its weight.
    """
    choices = Choices(seed, seed if view_seed is None else view_seed, view, consistency)
    palette = palette or {}
    open_to = _Open(description, choices, palette)
    figure = cast(Figure, description.figure or open_to.pick("figure", _FIGURES))
    age = cast(Age, description.age or open_to.pick("age", _AGES))
    hairless = figure == "feminine" or age == "child"
    length, style = _hair(description, open_to, figure)
    hair = {name: (shade.colour, shade.weight) for name, shade in HAIR_COLOURS.items()}
    if age == "old":
        hair = {name: (HAIR_COLOURS[name].colour, weight) for name, weight in OLD_HAIR_COLOURS.items()}
    return Character(
        hair_length=length,
        hair_style=style,
        hair_colour=open_to.colour("hair", description.hair_colour, hair),
        eye_colour=open_to.colour("eyes", description.eye_colour, _options(EYE_COLOURS)),
        skin_colour=open_to.colour("skin", description.skin_colour, _options(SKIN_COLOURS)),
        build=cast(Build, description.build or open_to.pick("build", _BUILDS)),
        age=age,
        figure=figure,
        beard=cast(Beard, description.beard or open_to.pick("beard", _NO_BEARD if hairless else _BEARDS)),
        ears=cast(Ears, description.ears or open_to.pick("ears", {"round": 1, "pointed": 0})),
        expression=cast(Expression, description.expression or open_to.pick("expression", _EXPRESSIONS)),
        garments=dress(description, choices, figure, age, palette),
        background=description.background or _background(description),
        style=description.style or "clean",
        realism=description.realism,
    )


def _background(description: Description) -> Colour:
    if ("background", COLOURS["white"]) in description.excluded_colours:
        return COLOURS["silver"]
    return BACKGROUND


def _options(shades: Mapping[str, Shade]) -> Mapping[str, tuple[Colour, int]]:
    return {name: (shade.colour, shade.weight) for name, shade in shades.items()}


@dataclass(frozen=True)
class _Open:
    """Makes the choices that a description leaves open."""

    description: Description
    choices: Choices
    palette: WeightedPalette

    def pick(self, feature: str, options: Mapping[str, int]) -> str:
        prefix = f"{feature}:"
        excluded = [
            name.removeprefix(prefix) for name in self.description.excluded if name.startswith(prefix)
        ]
        return self.choices.pick(feature, options, excluded)

    def colour(
        self,
        of: Literal["hair", "eyes", "skin"],
        said: Colour | None,
        options: Mapping[str, tuple[Colour, int]],
    ) -> Colour:
        if said is not None:
            return said
        excluded = [colour for what, colour in self.description.excluded_colours if what == of]
        chosen = self.choices.colour(of, options, excluded)
        reference = reference_colour(of, self.palette)
        return chosen if reference is None else blend(chosen, *reference)


def _hair(description: Description, open_to: _Open, figure: Figure) -> tuple[HairLength, HairStyle]:
    length, style = description.hair_length, description.hair_style
    if length is None:
        lengths = _LENGTHS[figure]
        if style is not None:
            lengths = {name: max(lengths[name], 1) for name in LENGTHS_OF_STYLES[style]}
        length = cast(HairLength, open_to.pick("hair_length", lengths))
    if length == "bald":
        return length, "loose"
    if style is None:
        fitting = {
            name: weight
            for name, weight in _STYLES[figure].items()
            if length in LENGTHS_OF_STYLES[cast(HairStyle, name)]
        }
        style = cast(HairStyle, open_to.pick("hair_style", fitting))
    return length, style
