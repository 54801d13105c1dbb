"""The words of a request are read as what docs/doll.md says, in every spelling of every table."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatarforge.forge.pictures.doll.character.description import (
    MAX_UNKNOWN,
    MAX_UNKNOWN_LENGTH,
    Colour,
    Description,
    Garment,
)
from avatarforge.forge.pictures.doll.words.reader import read_description
from avatarforge.forge.pictures.doll.words.vocabulary import (
    colours,
    filler,
    garment_words,
    hair,
    person,
    styles,
)
from avatarforge.forge.pictures.doll.words.vocabulary.colours import COLOURS, modify
from avatarforge.forge.pictures.doll.words.vocabulary.garments import GARMENTS
from avatarforge.forge.pictures.doll.words.vocabulary.roles import ROLES
from avatarforge.forge.pictures.doll.words.vocabulary.sets import SETS
from avatarforge.forge.pictures.doll.words.vocabulary.terms import terms

pytestmark = [pytest.mark.slow, pytest.mark.doll]

SILVER, RED, BLUE, GOLD, BLACK = (COLOURS[name] for name in ("silver", "red", "blue", "gold", "black"))
SYNONYMS = colours.COLOUR_SYNONYMS.items()
GINGER = colours.HAIR_COLOURS["ginger"].colour


def kinds(description: Description) -> set[str]:
    return {garment.kind for garment in description.garments}


def garment(description: Description, kind: str) -> Garment:
    return next(item for item in description.garments if item.kind == kind)


def spoken(table: Mapping[Any, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(word, name) for name, words in table.items() for word in words]


# Every word of every table.


@pytest.mark.parametrize(("word", "kind"), spoken({kind: row.words for kind, row in GARMENTS.items()}))
def test_every_word_for_a_garment_names_its_kind_with_a_colour(word: str, kind: str) -> None:
    read = read_description(f"a person with a red {word}")
    assert read.garments == (Garment(kind, RED),)
    assert read.unknown == ()


@pytest.mark.parametrize(("word", "row"), garment_words.VARIANTS.items())
def test_every_variant_has_its_kind_material_and_colour(
    word: str, row: tuple[str, str | None, str | None]
) -> None:
    kind, material, colour = row
    usual = COLOURS[colour] if colour else None
    assert read_description(word).garments == (Garment(kind, None, material, None, usual),)  # type: ignore[arg-type]


@pytest.mark.parametrize(("word", "name"), spoken({name: row.words for name, row in SETS.items()}))
def test_every_word_for_a_set_has_its_garments_in_the_colour(word: str, name: str) -> None:
    read = read_description(f"red {word}")
    assert kinds(read) == {piece.kind for piece in SETS[name].pieces}
    assert {item.kind for item in read.garments if item.colour == RED} == set(SETS[name].coloured)
    assert read.unknown == ()


@pytest.mark.parametrize(("word", "name"), spoken({name: row.words for name, row in ROLES.items()}))
def test_every_role_has_its_garments_and_features(word: str, name: str) -> None:
    role = ROLES[name]
    read = read_description(f"a {word}")
    assert kinds(read) == {piece.kind for piece in role.pieces}
    for field, value in (role.features or {}).items():
        shades = colours.SKIN_COLOURS
        skin = shades[value].colour if value in shades else COLOURS.get(value)
        assert getattr(read, field) == (skin if field == "skin_colour" else value)
    assert read.unknown == ()
    if role.coloured:
        changed = {item.kind for item in read_description(f"{word} in red").garments if item.colour == RED}
        assert changed <= {"tunic", "trousers"}
        read = read_description(f"a red {word}")
        assert {item.kind for item in read.garments if item.colour == RED} == set(role.coloured)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        *((f"{word} hair", "hair_length", name) for word, name in spoken(hair.HAIR_LENGTHS)),
        *((f"{word} hair", "hair_style", name) for word, name in spoken(hair.HAIR_STYLES)),
        *((word, "age", name) for word, name in spoken(person.AGES)),
        *((f"{word} woman", "age", name) for word, name in spoken(person.AGES)),
        *((word, "build", name) for word, name in spoken(person.BUILDS)),
        *((f"a {word} man", "build", name) for word, name in spoken(person.BUILDS)),
        *((word, "expression", name) for word, name in spoken(person.EXPRESSIONS)),
        *((word, "beard", name) for word, name in spoken(hair.BEARDS)),
        *((word, "ears", name) for word, name in spoken(hair.EARS)),
        *((word, "style", name) for word, name in spoken(styles.STYLES)),
        *((word, "figure", row[0]) for word, row in person.PERSONS.items()),
        *((word, "age", row[1]) for word, row in person.PERSONS.items()),
        *((word, "hair_style", row[0]) for row in hair.HAIRCUTS.values() for word in row[2]),
        *((word, "hair_length", row[1]) for row in hair.HAIRCUTS.values() for word in row[2]),
    ],
)
def test_every_word_for_a_feature_says_it(text: str, field: str, value: str | None) -> None:
    read = read_description(text)
    assert getattr(read, field) == value
    assert read.unknown == ()


@pytest.mark.parametrize(
    ("text", "field", "colour"),
    [
        *(
            (f"{word} {noun}", field, shade.colour)
            for table, field, nouns in (
                (colours.HAIR_COLOURS, "hair_colour", ("hair", "haired woman", "ponytail")),
                (colours.EYE_COLOURS, "eye_colour", ("eyes", "eyed man", "irises")),
                (colours.SKIN_COLOURS, "skin_colour", ("skin", "skinned", "complexion")),
            )
            for shade in table.values()
            for word in shade.words
            for noun in nouns
        ),
        *((f"{name} background", "background", colour) for name, colour in COLOURS.items()),
        *(
            (f"{word} backdrop", "background", COLOURS[name])
            for word, name in colours.COLOUR_SYNONYMS.items()
        ),
        *((f"{name} hair", "hair_colour", COLOURS[name]) for name in ("pink", "blue", "teal", "lavender")),
        ("a redhead", "hair_colour", GINGER),
        ("a blonde", "hair_colour", colours.HAIR_COLOURS["blonde"].colour),
        ("a short brunette", "hair_colour", colours.HAIR_COLOURS["dark brown"].colour),
        ("bright red hair", "hair_colour", colours.HAIR_COLOURS["bright red"].colour),
        ("dark blue hair", "hair_colour", modify(BLUE, "dark")),
        ("a dark elf", "skin_colour", colours.SKIN_COLOURS["dark"].colour),
        ("a pale woman", "skin_colour", colours.SKIN_COLOURS["pale"].colour),
        ("green skin", "skin_colour", COLOURS["green"]),
        ("plain white background", "background", COLOURS["white"]),
        ("background: dark green", "background", modify(COLOURS["green"], "dark")),
    ],
)
def test_every_colour_of_a_feature_is_its_own(text: str, field: str, colour: Colour) -> None:
    read = read_description(text)
    assert getattr(read, field) == colour
    assert read.unknown == ()


@pytest.mark.parametrize(("word", "modifier"), [(w, m) for w, m in spoken(colours.MODIFIERS)])
@pytest.mark.parametrize("name", ["red", "forest green", "black", "white"])
def test_every_modifier_changes_a_colour(word: str, modifier: str, name: str) -> None:
    changed = modify(COLOURS[name], modifier)
    assert garment(read_description(f"a {word} {name} cape"), "cape").colour == changed
    assert all(0 <= channel <= 255 for channel in changed)


@pytest.mark.parametrize(("word", "material"), spoken(garment_words.MATERIALS))
def test_every_material_is_that_of_the_garment_after_it(word: str, material: str) -> None:
    read = read_description(f"blue {word} tunic")
    assert read.garments == (Garment("tunic", BLUE, material),)  # type: ignore[arg-type]


@pytest.mark.parametrize("word", garment_words.TRIM)
def test_every_word_for_a_trim_colours_the_garment_before_it(word: str) -> None:
    for text in (f"a blue dress with gold {word}", f"blue dress, gold {word}"):
        assert read_description(text).garments == (Garment("dress", BLUE, None, GOLD),)


@pytest.mark.parametrize(("word", "slots"), garment_words.BARE.items())
def test_every_word_for_nothing_leaves_its_slots_empty(word: str, slots: tuple[str, ...]) -> None:
    read = read_description(f"a pirate, {word}")
    assert read.bare == set(slots)
    assert not {GARMENTS[kind].slot for kind in kinds(read)} & set(slots)


@pytest.mark.parametrize(
    "word", sorted(filler.FILLER | filler.BODY | filler.DETERMINERS | filler.PREPOSITIONS | filler.LINKS)
)
def test_filler_says_nothing(word: str) -> None:
    assert read_description(word) == Description()


def test_no_word_has_two_meanings() -> None:
    # The order of the tables decides for these; all others must be told apart by their table alone.
    said = [
        *(word for row in GARMENTS.values() for word in row.words),
        *(word for row in SETS.values() for word in row.words),
        *(word for row in ROLES.values() for word in row.words),
        *(
            word
            for table in (hair.EARS, hair.BEARDS, person.EXPRESSIONS)
            for words in table.values()
            for word in words
        ),
        *(word for words in styles.STYLES.values() for word in words),
        *(word for row in hair.HAIRCUTS.values() for word in row[2]),
        *person.PERSONS,
        *garment_words.VARIANTS,
        *garment_words.BARE,
        *garment_words.TRIM,
        *styles.REALISM,
        *filler.FILLER,
        *filler.BODY,
        *filler.FILLER_PHRASES,
    ]
    assert sorted(word for word in set(said) if said.count(word) > 1) == []


def test_every_term_is_found_by_what_the_text_is_split_into() -> None:
    for text in terms():
        assert text == text.lower()
        assert text.replace(" ", "").isalnum(), text


# How words go together.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("silver armour, red cape", {"cuirass": SILVER, "platelegs": SILVER, "cape": RED}),
        ("silver-armoured, red-caped", {"cuirass": SILVER, "gauntlets": SILVER, "cape": RED}),
        ("silver armor and helmet", {"sabatons": SILVER, "helmet": SILVER}),
        ("blue and red boots", {"boots": BLUE}),
        ("red boots and a hat", {"boots": RED, "hat": None}),
        ("red boots and hat", {"boots": RED, "hat": None}),
        ("a red cape, boots", {"cape": RED, "boots": None}),
        ("the cape is red", {"cape": RED}),
        ("a cape of red silk", {"cape": RED}),
        ("cape: red", {"cape": RED}),
        ("cape red", {"cape": RED}),
        ("(red cape:1.3), [blue boots]", {"cape": RED, "boots": BLUE}),
        ("{red cape|blue cape}", {"cape": RED}),
        ("red cape BREAK blue boots", {"cape": RED, "boots": BLUE}),
        ("red_cape, blue-boots", {"cape": RED, "boots": BLUE}),
        ("<lora:blue cape:0.8> red cape", {"cape": RED}),
        ("a woman in red", {"tunic": RED, "trousers": RED}),
        ("dressed in black", {"tunic": BLACK, "trousers": BLACK}),
        ("black clothes, red scarf", {"tunic": BLACK, "scarf": RED}),
        ("a black knight", {"cuirass": BLACK, "gauntlets": BLACK, "sword": None}),
        ("steel armour", {"cuirass": COLOURS["steel"]}),
        ("blue steel armour", {"cuirass": BLUE}),
        ("a knight, brown boots", {"boots": COLOURS["brown"], "cuirass": None}),
        ("red cape, blue cape", {"cape": RED}),
        ("the wizard's hat is red", {"wizardhat": RED}),
        ("RED CAPE", {"cape": RED}),
        ("a robe with golden stars, pointy hat", {"robe": None, "wizardhat": None}),
        ("blue warpaint and a red cape, boots", {"cape": RED, "boots": None}),
        ("blue warpaint and red cape", {"cape": RED}),
        ("red lips, blue cape, boots", {"cape": BLUE, "boots": None}),
        ("red, blue cape", {"cape": BLUE}),
        ("red, wibbly cape", {"cape": RED}),
    ],
)
def test_colours_belong_to_their_garments(text: str, expected: dict[str, Colour | None]) -> None:
    read = read_description(text)
    assert {kind: garment(read, kind).colour for kind in expected} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red and gold robe", Garment("robe", RED, None, GOLD)),
        ("black leather boots", Garment("boots", BLACK, "leather")),
        ("gold trimmed blue cape", Garment("cape", BLUE, None, GOLD)),
        ("blue cape trimmed in gold", Garment("cape", BLUE)),
        ("a long blue dress with gold trim", Garment("dress", BLUE, None, GOLD)),
    ],
)
def test_materials_and_second_colours(text: str, expected: Garment) -> None:
    assert read_description(text).garments == (expected,)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("hair: long, silver", {"hair_length": "long", "hair_colour": (200, 204, 214)}),
        ("long, curly, red hair", {"hair_length": "long", "hair_style": "curly", "hair_colour": GINGER}),
        ("boots and long, red hair", {"hair_length": "long", "hair_colour": GINGER}),
        ("her eyes are green and hair is red", {"eye_colour": (82, 142, 92), "hair_colour": GINGER}),
        ("hair in a long red braid", {"hair_style": "braid", "hair_length": "long", "hair_colour": GINGER}),
        ("blonde, blue eyes", {"hair_colour": (228, 192, 118), "eye_colour": (72, 124, 186)}),
        ("slim, red hair", {"build": "slim", "hair_colour": GINGER}),
        ("heavy armour, thin belt, old boots", {"build": None, "age": None}),
        ("short skirt", {"hair_length": None}),
        ("a man with a grey beard", {"beard": "full", "hair_colour": (152, 152, 158)}),
        ("grey beard, black hair", {"hair_colour": (44, 38, 42)}),
        ("12 years old girl", {"age": "child", "figure": "feminine"}),
        ("a 15 year old", {"age": "teen"}),
        ("aged 30", {"age": "adult"}),
        ("72yo man", {"age": "old"}),
        ("a dwarf", {"build": "stout", "beard": "full"}),
        ("a dwarf woman", {"build": "stout", "beard": None}),
        ("a dwarf woman with a beard", {"beard": "full"}),
        ("male witch", {"figure": "masculine"}),
        ("a thin dwarf", {"build": "slim"}),
        ("1girl, solo, smiling", {"figure": "feminine", "expression": "happy"}),
        ("photorealistic", {"realism": True}),
        ("strong arms, shaved head", {"build": "athletic", "hair_length": "bald"}),
        ("red lips, simple background", {"background": None}),
    ],
)
def test_features_are_read_in_sentences_and_tags(text: str, fields: dict[str, object]) -> None:
    read = read_description(text)
    assert {field: getattr(read, field) for field in fields} == fields
    assert read.unknown == ()


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("a dragon in a dark forest, castle", ("dragon", "forest", "castle")),
        ("dragon, Dragon, DRAGON", ("dragon",)),
        ("a red cape, blue", ("blue",)),
        ("an oddity, red, a strange thing, leather", ("oddity", "red", "strange", "thing", "leather")),
        ("no dragon", ()),
        ("golden stars, a red gizmo", ("stars", "gizmo")),
        ("提示词, red cape", ("提示词",)),
        ("a\u0000b \ud800 \u202e", ("ab",)),
        ("x" * 100, ("x" * MAX_UNKNOWN_LENGTH,)),
        ("!!! ... ((())) *** '' \"\"", ()),
    ],
)
def test_words_without_a_meaning_are_listed(text: str, unknown: tuple[str, ...]) -> None:
    assert read_description(text).unknown == unknown


def test_unknown_words_of_all_texts_are_listed() -> None:
    read = read_description("a wyvern", "a jetpack", "fresco", False, "gremlin")
    assert read.unknown == ("wyvern", "jetpack", "fresco")


def test_the_list_of_unknown_words_is_limited() -> None:
    read = read_description(" ".join(f"word{number}" for number in range(900)))
    assert read.unknown == tuple(f"word{number}" for number in range(MAX_UNKNOWN))


# What is not wanted.


@pytest.mark.parametrize(
    ("text", "bare", "excluded", "left"),
    [
        ("a wizard, no hat", {"head"}, {"hat", "wizardhat", "cap", "beanie", "strawhat"}, {"robe"}),
        ("a wizard without hat and belt", {"head", "belt"}, {"wizardhat", "belt"}, {"robe", "staff"}),
        ("a wizard without hat and red cape", {"head"}, {"wizardhat"}, {"cape"}),
        ("no gloves or helmet, red boots", {"hands", "head"}, {"gloves", "helmet"}, {"boots"}),
        ("no helmet, hood", set(), {"helmet"}, {"hood"}),
        ("not wearing a cape but boots", {"cape"}, {"cape", "cloak"}, {"boots"}),
        ("no shoes", {"feet"}, {"shoes", "boots", "sandals"}, set()),
        ("no boots", set(), {"boots", "highboots"}, set()),
        ("no trousers", set(), {"trousers"}, set()),
        ("no clothes", set(), set(), set()),
        ("barefoot pirate", {"feet"}, set(), {"shirt", "coat"}),
    ],
)
def test_no_in_a_prompt_leaves_out(text: str, bare: set[str], excluded: set[str], left: set[str]) -> None:
    read = read_description(text)
    assert read.bare == bare
    assert read.excluded >= excluded
    assert kinds(read) >= left
    assert not kinds(read) & read.excluded


@pytest.mark.parametrize("kind", GARMENTS)
def test_a_negative_prompt_removes_each_kind(kind: str) -> None:
    word = GARMENTS[kind].words[0]
    read = read_description(f"red {word}", negative_prompt=f"ugly, {word}, blurry")
    assert read.garments == ()
    assert kind in read.excluded
    assert read.unknown == ()


@pytest.mark.parametrize(
    ("prompt", "negative", "field", "excluded"),
    [
        ("long hair", "long hair", "hair_length", "hair_length:long"),
        ("curly hair", "curly hair", "hair_style", "hair_style:curly"),
        ("a ponytail", "ponytail", "hair_style", "hair_style:ponytail"),
        ("a beard", "beard", "beard", "beard:goatee"),
        ("a goatee", "facial hair", "beard", "beard:goatee"),
        ("smiling", "smile", "expression", "expression:happy"),
        ("an elf", "pointed ears", "ears", "ears:pointed"),
        ("muscular", "muscular", "build", "build:athletic"),
        ("an old man", "old", "age", "age:old"),
        ("a man", "man", "figure", "figure:masculine"),
        ("watercolour", "watercolor", "style", "style:watercolour"),
        ("long hair", "hair", "hair_length", "hair_length:long"),
    ],
)
def test_a_negative_prompt_removes_features(prompt: str, negative: str, field: str, excluded: str) -> None:
    assert getattr(read_description(prompt), field) is not None
    read = read_description(prompt, negative_prompt=negative)
    assert getattr(read, field) is None
    assert excluded in read.excluded


@pytest.mark.parametrize(
    ("prompt", "negative", "field", "of"),
    [
        ("red hair", "red hair", "hair_colour", "hair"),
        ("blonde", "blonde", "hair_colour", "hair"),
        ("green eyes", "green eyes", "eye_colour", "eyes"),
        ("pale skin", "pale skin", "skin_colour", "skin"),
        ("white background", "white background", "background", "background"),
    ],
)
def test_a_negative_prompt_removes_colours(prompt: str, negative: str, field: str, of: str) -> None:
    colour = getattr(read_description(prompt), field)
    read = read_description(prompt, negative_prompt=negative)
    assert getattr(read, field) is None
    assert (of, colour) in read.excluded_colours
    other = read_description("blue hair, brown eyes, dark skin, pink background", negative_prompt=negative)
    assert getattr(other, field) is not None


def test_a_negative_colour_leaves_the_garment_in_another_one() -> None:
    assert kinds(read_description("red cape", negative_prompt="red cape")) == set()
    assert kinds(read_description("blue cape", negative_prompt="red cape")) == {"cape"}


def test_negatives_that_people_paste_change_nothing() -> None:
    pasted = "(worst quality, low quality:1.4), bad anatomy, extra fingers, blurry, watermark, text, cropped"
    assert read_description("a knight in red", negative_prompt=pasted) == read_description("a knight in red")


# Clothing and style.


@pytest.mark.parametrize(
    ("prompt", "clothing", "expected"),
    [
        (
            "a wizard",
            "green tunic, brown trousers",
            {"tunic", "trousers", "boots", "wizardhat", "belt", "staff"},
        ),
        ("red shirt, blue trousers, boots", "a dress", {"dress", "boots"}),
        ("a red dress, boots", "shirt", {"shirt", "boots"}),
        ("a knight, red cape", "full plate armor", {*SETS["armour"].coloured, "cape", "sword", "shield"}),
        ("no hat", "red hat", {"hat"}),
        ("red hat", "no hat", set()),
        ("red hat", "dragon", {"hat"}),
    ],
)
def test_clothing_replaces_the_garments_that_it_names(prompt: str, clothing: str, expected: set[str]) -> None:
    assert kinds(read_description(prompt, clothing)) == expected


def test_clothing_wins_a_colour_but_not_over_the_negative_prompt() -> None:
    assert garment(read_description("red cape", "blue cape"), "cape").colour == BLUE
    assert garment(read_description("red cape", "cape"), "cape").colour is None
    assert kinds(read_description("boots", "red cape", negative_prompt="cape")) == {"boots"}


def test_a_dress_and_its_parts_never_come_together() -> None:
    assert kinds(read_description("a red dress and a shirt")) == {"dress"}
    assert kinds(read_description("a princess in armour")) >= {"cuirass", "crown"}
    assert "gown" not in kinds(read_description("a princess in armour"))
    assert kinds(read_description("a knight in a red dress")) >= {"dress", "sword"}


@pytest.mark.parametrize(
    ("prompt", "style", "expected", "unknown"),
    [
        ("", "pixel art", "pixel art", ()),
        ("watercolour", "ink drawing", "ink", ()),
        ("watercolour", "oil painting", "watercolour", ("oil painting",)),
        ("", "oil painting, watercolor", "watercolour", ("oil painting",)),
        ("", "muted low poly style, soft light", "low poly", ("soft light",)),
        ("", "cel-shading", "clean", ()),
        ("", "best quality", None, ()),
        ("", "red cape", None, ("red cape",)),
    ],
)
def test_the_style(prompt: str, style: str, expected: str | None, unknown: tuple[str, ...]) -> None:
    read = read_description(prompt, style=style)
    assert read.style == expected
    assert read.unknown == unknown
    assert read.garments == ()


def test_realism_comes_from_the_request_or_its_words() -> None:
    assert read_description("a knight", realism=True).realism
    assert read_description("a knight", style="realistic").realism
    assert not read_description("a knight").realism


# Hostile texts.

SYNTAX = [*",:.()[|{<>", "no", "and", "or", "with", "is", "in", "BREAK", "<lora:x:1>", "(red", "12", "years"]
ODD = ["hair:1.2)", "\ud800", "\u0000", "\ufdfa", "\U0001f642", "'s"]
PIECES = st.sampled_from([*list(terms())[::7], *SYNTAX, *ODD])


@settings(deadline=None)
@given(st.lists(PIECES, max_size=60), st.text(max_size=200), st.lists(PIECES, max_size=20))
def test_any_text_is_read(words: list[str], text: str, negative: list[str]) -> None:
    read = read_description(" ".join(words) + text, text, text, False, " ".join(negative) + text)
    assert read == read_description(" ".join(words) + text, text, text, False, " ".join(negative) + text)
    assert len(read.unknown) <= MAX_UNKNOWN
    assert all(0 < len(word) <= MAX_UNKNOWN_LENGTH and word.isprintable() for word in read.unknown)
    slots = [GARMENTS[item.kind].slot for item in read.garments]
    assert len(slots) == len(set(slots))
    assert not set(slots) & read.bare
    assert not kinds(read) & read.excluded
    assert "dress" not in slots or not {"top", "bottom"} & set(slots)


@pytest.mark.parametrize(
    "piece",
    [
        "red, ",
        "no ",
        "<",
        "(",
        "a:",
        "hair: ",
        "red ",
        "dark ",
        "x",
        "no hat and ",
        ":1.2",
        "'s",
        "\u0301",
        "<lora:",
    ],
)
def test_work_grows_with_the_length_only(piece: str) -> None:
    read_description("the tables are built once")

    def calls(length: int) -> int:
        count = 0

        def count_call(frame: FrameType, event: str, argument: object) -> None:
            nonlocal count
            count += 1

        text = (piece * length)[:length]
        sys.setprofile(count_call)
        try:
            read_description(text, text[:2000], text[:500], False, text)
        finally:
            sys.setprofile(None)
        return count

    assert calls(8_000) < 10 * calls(1_000) + 1_000
