"""The seed decides what words leave open, each word changes what it should, a reference lends its colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatarforge.forge.pictures.doll.character.character import BACKGROUND, Character, Worn, choose_character
from avatarforge.forge.pictures.doll.character.description import Colour, Description, Slot
from avatarforge.forge.pictures.doll.character.reference import weighted
from avatarforge.forge.pictures.doll.words.reader import read_description
from avatarforge.forge.pictures.doll.words.vocabulary import colours, garment_words, hair, person, styles
from avatarforge.forge.pictures.doll.words.vocabulary.garments import GARMENTS
from avatarforge.forge.pictures.doll.words.vocabulary.outfits import OUTFITS
from avatarforge.forge.pictures.doll.words.vocabulary.roles import ROLES
from avatarforge.forge.pictures.doll.words.vocabulary.sets import SETS

pytestmark = [pytest.mark.slow, pytest.mark.doll]

SEEDS = range(40)
BODY = {"top", "bottom", "dress"}
#: What a seed puts over or around clothes that no word names.
EXTRAS = {"outer", "neck", "belt"}
#: A figure has its own outfits and haircuts, an age its own hair and beards.
BY_FIGURE = {"figure", "hair_length", "hair_style", "beard", "feet", *BODY, *EXTRAS}
BY_AGE = {"age", "hair_colour", "beard"}
PALETTE: dict[str, Colour] = {
    **{"skin": (200, 150, 120), "hair": (10, 200, 30), "left_iris": (1, 2, 200), "right_iris": (1, 2, 200)},
    **{"top": (250, 20, 120), "bottom": (20, 120, 250), "feet": (90, 10, 90), "background": (1, 1, 1)},
    **{"outer": (30, 80, 60), "cape": (200, 200, 10)},
}


def chosen(text: str = "", seed: int = 1, **kwargs: object) -> Character:
    return choose_character(read_description(text), seed=seed, **kwargs)  # type: ignore[arg-type]


@cache
def unsaid(seed: int) -> Character:
    return chosen("", seed)


def values(character: Character) -> dict[str, object]:
    """Every choice by its name: fields, and slots of garments."""
    found = {field.name: getattr(character, field.name) for field in fields(character)}
    worn: dict[str, object] = {slot: worn for slot, worn in character.garments.items()}
    return {**{name: value for name, value in found.items() if name != "garments"}, **worn}


def changed(one: Character, other: Character) -> set[str]:
    before, after = values(one), values(other)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def own_fields(slots: set[str]) -> set[str]:
    """What clothes in these slots may change: the outfit that a seed chose makes way for them."""
    return slots | (BODY | EXTRAS if slots & BODY else set())


CLOTHES = [
    *((word, {GARMENTS[kind].slot}) for kind in GARMENTS for word in GARMENTS[kind].words),
    *((word, {GARMENTS[row[0]].slot}) for word, row in garment_words.VARIANTS.items()),
    *(
        (f"red {word}", {GARMENTS[piece.kind].slot for piece in row.pieces})
        for row in SETS.values()
        for word in row.words
    ),
]
HAIRCUT = {"hair_length", "hair_style"}


def words_of(*tables: Mapping[Any, tuple[str, ...]]) -> list[str]:
    return [word for table in tables for words in table.values() for word in words]


def colour_words(table: Mapping[str, colours.Shade]) -> list[str]:
    return words_of({name: shade.words for name, shade in table.items()})


FEATURES = [
    *((f"{word} hair", HAIRCUT) for word in words_of(hair.HAIR_LENGTHS, hair.HAIR_STYLES)),
    *((word, HAIRCUT) for row in hair.HAIRCUTS.values() for word in row[2]),
    *((f"{word} hair", {"hair_colour"}) for word in colour_words(colours.HAIR_COLOURS)),
    *((f"{word} eyes", {"eye_colour"}) for word in colour_words(colours.EYE_COLOURS)),
    *((f"{word} skin", {"skin_colour"}) for word in colour_words(colours.SKIN_COLOURS)),
    *((word, {"beard"}) for word in words_of(hair.BEARDS)),
    *((word, {"ears"}) for word in words_of(hair.EARS)),
    *((word, {"expression"}) for word in words_of(person.EXPRESSIONS)),
    *((word, {"build"}) for word in words_of(person.BUILDS)),
    # Old hair is grey, and children have no beard.
    *((word, {"age", "hair_colour", "beard"}) for word in words_of(person.AGES)),
    *((word, {"style"}) for words in styles.STYLES.values() for word in words),
    *((word, {"realism"}) for word in styles.REALISM),
    *((f"{name} background", {"background"}) for name in colours.COLOURS),
    *((word, BY_FIGURE | BY_AGE) for word in person.PERSONS),
]
ROLE_WORDS = [
    (
        word,
        own_fields({str(GARMENTS[piece.kind].slot) for piece in role.pieces})
        | set(role.features or {})
        | (BY_FIGURE if "figure" in (role.features or {}) else set())
        | (BY_AGE if "age" in (role.features or {}) else set()),
    )
    for role in ROLES.values()
    for word in role.words
]
WORDS = [*FEATURES, *ROLE_WORDS, *((text, own_fields(set(slots))) for text, slots in CLOTHES)]


@pytest.mark.parametrize(
    ("text", "may_change"),
    [*FEATURES, *ROLE_WORDS, *((text, own_fields(set(slots))) for text, slots in CLOTHES)],
)
def test_a_word_changes_its_own_fields_and_no_others(text: str, may_change: set[str]) -> None:
    read = read_description(text)
    for seed in range(4):
        assert changed(unsaid(seed), choose_character(read, seed=seed)) <= may_change


@pytest.mark.parametrize(("text", "slots"), CLOTHES)
def test_clothes_that_words_name_are_worn(text: str, slots: set[Slot]) -> None:
    read = read_description(text)
    character = chosen(text, 3)
    for garment in read.garments:
        worn = character.garments[GARMENTS[garment.kind].slot]
        assert worn.kind == garment.kind
        assert garment.colour in (None, worn.colour)
        assert garment.material in (None, worn.material)
        assert garment.accent in (None, worn.accent)
    assert {GARMENTS[garment.kind].slot for garment in read.garments} == slots


@pytest.mark.parametrize(
    "text", ["", "woman", "a witch", "a knight, red cape", "long red hair, blue eyes, boots"]
)
def test_what_words_say_is_never_changed(text: str) -> None:
    read = read_description(text)
    for seed in SEEDS:
        character = choose_character(read, seed=seed, palette=weighted(PALETTE, 0.0))
        for field in fields(read):
            said = getattr(read, field.name)
            if said is not None and hasattr(character, field.name) and field.name != "garments":
                assert getattr(character, field.name) == said


def test_seeds_make_different_characters() -> None:
    people = [chosen("", seed) for seed in range(200)]
    assert len({repr(values(person)) for person in people}) > 190
    for field in (
        "hair_length",
        "hair_style",
        "hair_colour",
        "eye_colour",
        "skin_colour",
        "build",
        "beard",
        "age",
    ):
        assert len({getattr(person, field) for person in people}) > 1, field
    assert {person.figure for person in people} == {"feminine", "masculine"}
    assert {person.background for person in people} == {BACKGROUND}


def test_the_same_seed_makes_the_same_character_on_every_python() -> None:
    # By value: a change would redraw every stored character.
    character = chosen("a woman, red cape", 7)
    assert (character.hair_length, character.hair_style, character.build) == EXPECTED_CHOICES
    assert character.garments["cape"] == EXPECTED_CAPE


EXPECTED_CHOICES = ("short", "wavy", "slim")
EXPECTED_CAPE = Worn("cape", colours.COLOURS["red"], colours.COLOURS["sand"], "cloth")


@pytest.mark.parametrize("figure", ["woman", "man"])
def test_outfits_belong_together(figure: str) -> None:
    seen: Counter[tuple[str, ...]] = Counter()
    for seed in range(300):
        character = chosen(figure, seed)
        kinds = {slot: worn.kind for slot, worn in character.garments.items()}
        assert kinds in [dict(outfit.kinds) for outfit in OUTFITS.values()]
        assert not kinds.keys() & {"head", "hands", "eyes", "cape", "right_hand", "left_hand"}
        seen[tuple(kinds.values())] += 1
        assert character.beard == "none" or figure == "man"
    fitting = [row for row in OUTFITS.values() if row.figure in (None, {"woman": "feminine"}.get(figure))]
    assert len(seen) == len(fitting)


def test_children_have_no_beard_unless_words_say_so() -> None:
    assert {chosen("little boy", seed).beard for seed in range(100)} == {"none"}
    assert chosen("little boy with a moustache").beard == "moustache"


def test_old_people_have_grey_hair_unless_words_say_otherwise() -> None:
    grey = {colours.HAIR_COLOURS[name].colour for name in colours.OLD_HAIR_COLOURS}
    assert {chosen("old man", seed).hair_colour for seed in SEEDS} == grey
    assert chosen("old man, black hair").hair_colour == colours.HAIR_COLOURS["black"].colour


def test_styles_and_lengths_of_hair_fit_each_other() -> None:
    for text in (
        "",
        "short hair",
        "medium hair",
        "long hair",
        *(f"hair, {style}" for style in hair.HAIRCUTS),
    ):
        for seed in SEEDS:
            character = chosen(text, seed)
            assert character.hair_length in hair.LENGTHS_OF_STYLES[character.hair_style]
    assert chosen("bald").hair_style == "loose"


@pytest.mark.parametrize(
    "text", ["shirtless", "topless", "no shirt", "no clothes", "no dress, no trousers", "nude"]
)
@pytest.mark.parametrize("who", ["woman", "man", "little boy", "little girl", "teenage boy", "old man"])
def test_everybody_is_dressed(who: str, text: str) -> None:
    for seed in SEEDS:
        slots = chosen(f"{who}, {text}", seed).garments.keys()
        assert slots & {"dress", "bottom"}
        if "less" not in text or who not in ("man", "old man"):
            assert slots & {"dress", "top"}


@pytest.mark.parametrize("kind", GARMENTS)
def test_a_kind_that_is_ruled_out_is_never_worn(kind: str) -> None:
    for seed in SEEDS:
        read = read_description("", negative_prompt=GARMENTS[kind].words[0])
        assert kind not in {worn.kind for worn in choose_character(read, seed=seed).garments.values()}


@pytest.mark.parametrize(
    ("negative", "field", "value"),
    [
        ("long hair", "hair_length", "long"),
        ("curly hair", "hair_style", "curly"),
        ("beard", "beard", "full"),
        ("moustache", "beard", "moustache"),
        ("smile", "expression", "happy"),
        ("neutral, happy", "expression", "neutral"),
        ("old", "age", "old"),
        ("woman", "figure", "feminine"),
        ("slim", "build", "slim"),
        ("blonde hair", "hair_colour", colours.HAIR_COLOURS["blonde"].colour),
        ("blue eyes", "eye_colour", colours.EYE_COLOURS["blue"].colour),
        ("dark skin", "skin_colour", colours.SKIN_COLOURS["dark"].colour),
        ("white background", "background", BACKGROUND),
    ],
)
def test_a_feature_that_is_ruled_out_is_never_chosen_and_others_stay(
    negative: str, field: str, value: object
) -> None:
    read = read_description("", negative_prompt=negative)
    usual = {seed: unsaid(seed) for seed in range(100)}
    assert value in {getattr(character, field) for character in usual.values()}
    for seed, before in usual.items():
        character = choose_character(read, seed=seed)
        assert getattr(character, field) != value
        if getattr(before, field) != value and negative in ("beard", "smile", "old", "slim", "dark skin"):
            assert character == before or getattr(before, field) in ("stubble", "goatee", "moustache")


def test_no_hair_at_all_is_bald() -> None:
    assert choose_character(read_description("", negative_prompt="hair"), seed=1).hair_length == "bald"


# Views and consistency.


def view_of(view: str, consistency: float, seed: int = 5, text: str = "") -> Character:
    return chosen(text, seed, view_seed=99, view=view, consistency=consistency)


def test_views_are_one_person_at_consistency_1_and_different_ones_at_0() -> None:
    for seed in SEEDS:
        assert view_of("front", 1.0, seed) == view_of("back", 1.0, seed) == chosen("", seed)
    assert sum(view_of("front", 0.0, seed) == view_of("back", 0.0, seed) for seed in SEEDS) == 0
    # At 0 the shared seed counts for nothing.
    assert len({repr(view_of("front", 0.0, seed)) for seed in SEEDS}) == 1


def test_more_consistency_makes_views_more_alike() -> None:
    features = ("hair_length", "hair_style", "build", "beard", "figure", "expression")

    def differences(consistency: float) -> int:
        count = 0
        for seed in range(60):
            one, other = (
                chosen("", seed, view_seed=seed + 1000, view=view, consistency=consistency)
                for view in ("front", "back")
            )
            count += sum(getattr(one, name) != getattr(other, name) for name in features)
        return count

    counts = [differences(consistency) for consistency in (0.2, 0.6, 0.9, 1.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[2] > counts[3] == 0


def test_colours_are_blended_by_consistency() -> None:
    text = "woman, long straight hair"
    own, shared = view_of("side", 0.0, text=text).hair_colour, view_of("side", 1.0, text=text).hair_colour
    half = view_of("side", 0.5, text=text).hair_colour
    assert own != shared
    assert half == tuple(round(a + (b - a) * 0.5) for a, b in zip(own, shared, strict=True))


def test_words_hold_in_every_view() -> None:
    for view in ("front", "back"):
        character = view_of(view, 0.0, text="a knight in silver armour, red hair")
        assert character.hair_colour == colours.HAIR_COLOURS["ginger"].colour
        assert character.garments["top"].colour == colours.COLOURS["silver"]


# References.


def test_a_reference_lends_its_colours_at_strength_1_and_nothing_at_0() -> None:
    read = read_description("a man in a t-shirt, trousers and boots")
    without = choose_character(read, seed=4)
    assert choose_character(read, seed=4, palette=weighted(PALETTE, 0.0)) == without
    full = choose_character(read, seed=4, palette=weighted(PALETTE, 1.0))
    assert (full.hair_colour, full.skin_colour) == (PALETTE["hair"], PALETTE["skin"])
    assert full.eye_colour == PALETTE["left_iris"]
    for part in ("top", "bottom", "feet"):
        assert full.garments[part].colour == PALETTE[part]
    assert full.background == BACKGROUND
    half = choose_character(read, seed=4, palette=weighted(PALETTE, 0.5))
    expected = tuple(
        round(a + (b - a) * 0.5) for a, b in zip(without.skin_colour, PALETTE["skin"], strict=True)
    )
    assert half.skin_colour == expected
    # Only colours come from a reference.
    same = {"hair_colour", "skin_colour", "eye_colour", "top", "bottom", "feet"}
    assert changed(without, full) == same
    kinds = [[(worn.kind, worn.material) for worn in who.garments.values()] for who in (without, full)]
    assert kinds[0] == kinds[1]


def test_words_win_over_a_reference() -> None:
    text = "red hair, green eyes, dark skin, blue shirt, black trousers, brown boots, white cape"
    assert chosen(text, palette=weighted(PALETTE, 1.0)) == chosen(text)


def test_a_reference_wins_over_colours_that_words_only_suggest() -> None:
    witch = chosen("a witch", palette=weighted(PALETTE, 1.0))
    assert witch.garments["dress"].colour == PALETTE["top"]
    assert chosen("jeans", palette=weighted(PALETTE, 1.0)).garments["bottom"].colour == PALETTE["bottom"]


@pytest.mark.parametrize(
    ("text", "palette", "expected"),
    [
        ("a dress", {"top": (1, 2, 3), "bottom": (4, 5, 6)}, {"dress": (1, 2, 3)}),
        ("a dress", {"bottom": (4, 5, 6)}, {"dress": (4, 5, 6)}),
        ("a dress", {"outer": (7, 8, 9)}, {"dress": (7, 8, 9)}),
        ("shirt, skirt", {"dress": (1, 2, 3)}, {"top": (1, 2, 3), "bottom": (1, 2, 3)}),
        ("shirt, skirt", {"outer": (7, 8, 9), "bottom": (4, 5, 6)}, {"top": (7, 8, 9), "bottom": (4, 5, 6)}),
        ("coat, shirt", {"top": (1, 2, 3)}, {"outer": (1, 2, 3)}),
        ("coat, shirt", {"outer": (7, 8, 9), "top": (1, 2, 3)}, {"outer": (7, 8, 9), "top": (1, 2, 3)}),
        ("coat, shirt", {"dress": (1, 2, 3)}, {"outer": (1, 2, 3)}),
        ("hat, scarf", {"head": (1, 2, 3), "neck": (4, 5, 6)}, {"head": (1, 2, 3), "neck": (4, 5, 6)}),
    ],
)
def test_parts_of_a_reference_reach_the_garments_that_take_their_place(
    text: str, palette: dict[str, Colour], expected: dict[Slot, Colour]
) -> None:
    character = chosen(text, palette=weighted(palette, 1.0))
    assert {slot: character.garments[slot].colour for slot in expected} == expected


CHANNELS = st.integers(0, 255)


@given(
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.text(max_size=20),
    st.floats(0, 1),
    st.dictionaries(st.sampled_from(sorted(PALETTE)), st.tuples(CHANNELS, CHANNELS, CHANNELS)),
    st.floats(0, 1),
    st.sampled_from(["", "woman", "a knight", "no dress, shirtless", "old elf in red"]),
)
def test_any_seed_view_and_reference_make_a_character(
    seed: int,
    view_seed: int,
    view: str,
    consistency: float,
    palette: dict[str, Colour],
    strength: float,
    text: str,
) -> None:
    character = choose_character(
        read_description(text),
        seed=seed,
        view_seed=view_seed,
        view=view,
        consistency=consistency,
        palette=weighted(palette, strength),
    )
    found = [character.hair_colour, character.skin_colour, character.eye_colour, character.background]
    for slot, worn in character.garments.items():
        assert GARMENTS[worn.kind].slot == slot
        found += [worn.colour, worn.accent]
    assert all(0 <= channel <= 255 for colour in found for channel in colour)
    assert all(type(channel) is int for colour in found for channel in colour)


def test_everything_ruled_out_still_makes_a_character() -> None:
    excluded = {*GARMENTS, *(f"hair_style:{name}" for name in hair.LENGTHS_OF_STYLES)}
    excluded |= {f"hair_length:{name}" for name in hair.HAIR_LENGTHS} | {
        f"age:{name}" for name in person.AGES
    }
    read = replace(Description(), excluded=frozenset(excluded))
    assert choose_character(read, seed=1).garments
