"""Preset styles bring their words; any other style is used as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from avatarforge.forge.families import MODEL_FAMILIES
from avatarforge.forge.families.prompt_text import (
    PromptParts,
    QualityWords,
    compose_plain,
    compose_prompt,
    split_clauses,
)
from avatarforge.forge.pictures.doll.words.reader import read_description
from avatarforge.forge.spec.settings import SETTINGS
from avatarforge.forge.spec.styles import STYLE_NAMES, STYLES, Style, find_style

KNIGHT = PromptParts("a knight", clothing="", style="", realism=False, negative_prompt="")
SD15 = MODEL_FAMILIES["sd15"].words
FLUX2 = MODEL_FAMILIES["flux2"].words
QWEN = MODEL_FAMILIES["qwen_image"].words
each_style = pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)


def test_the_suggestions_are_the_presets() -> None:
    assert [style.name for style in STYLES] == list(STYLE_NAMES)
    assert getattr(SETTINGS["style"].rule, "suggestions", None) == STYLE_NAMES
    assert len({name for style in STYLES for name in (style.name.casefold(), *style.spellings)}) == sum(
        1 + len(style.spellings) for style in STYLES
    )


@each_style
def test_a_preset_brings_its_words_for_and_against_it(style: Style) -> None:
    parts = replace(KNIGHT, style=style.name)
    tags, against = compose_prompt(parts, "front", SD15)
    assert tags.endswith(style.tags)
    assert set(split_clauses(style.negative)) <= set(split_clauses(against))
    sentences, none = compose_prompt(parts, "front", FLUX2)
    assert f"{style.sentence}." in sentences
    assert none == ""  # the family has no negative prompt
    assert style.negative in compose_prompt(parts, "front", QWEN)[1]
    plain, plain_against = compose_plain(parts, "front")
    assert plain.endswith(style.tags)
    assert plain_against.endswith(style.negative)


@each_style
def test_a_preset_is_not_asked_for_as_something_else(style: Style) -> None:
    for realism, medium in ((True, "photo"), (False, "anime")):
        parts = replace(KNIGHT, style=style.name, realism=realism)
        for words in (SD15, QWEN):
            positive, negative = compose_prompt(parts, "front", words)
            contradicts = medium in style.contradicts
            asked = (words.realistic if realism else words.anime)[0] in positive
            assert asked is not contradicts
            assert ("realistic proportions" in positive) is (contradicts and realism)
            # Nothing that the style says of itself stands against it.
            assert not set(split_clauses(negative)) & {*split_clauses(style.tags), style.name}
            assert "bad anatomy" in negative
    assert style.contradicts


@pytest.mark.parametrize("family", sorted(MODEL_FAMILIES))
def test_every_family_has_words_for_pictures_of_any_kind(family: str) -> None:
    words: QualityWords = MODEL_FAMILIES[family].words
    good, bad = words.any_medium
    assert (bad == "") is (words.anime[1] == "")
    assert words.sentences or good
    for medium in ("photo", "anime", "cartoon", "drawing"):
        assert medium not in good + bad
    assert set(split_clauses(bad)) <= set(split_clauses(words.anime[1]))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("watercolor", "watercolor"),
        ("  Watercolour  ", "watercolor"),
        ("WATER  COLOR style", "watercolor"),
        ("cel-shading", "cel shading"),
        ("Cel shaded", "cel shading"),
        ("3d render", "3D render"),
        ("pixelart", "pixel art"),
        ("Stained-Glass Style", "stained glass"),
        ("ink", None),
        ("watercolor and ink", None),
        ("(watercolor:1.2)", None),
        ("style", None),
        ("", None),
    ],
)
def test_a_preset_is_found_by_its_name_in_a_few_spellings(text: str, name: str | None) -> None:
    found = find_style(text)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    "style", ["ukiyo-e", "muted  colours,grain", "(oil painting:1.2)", "watercolor and ink"]
)
def test_any_other_style_is_used_as_it_is(style: str) -> None:
    parts = replace(KNIGHT, style=style, realism=True)
    positive, _ = compose_prompt(parts, None, SD15)
    assert positive == f"{SD15.realistic[0]}, solo, full body, a knight, {style} style"
    sentences, _ = compose_prompt(parts, None, FLUX2)
    assert f"a knight. Drawn in the style {style}. A photorealistic" in sentences
    assert compose_plain(parts, None)[0] == f"a knight, {style} style"


def test_a_list_may_name_presets_among_other_styles() -> None:
    parts = replace(KNIGHT, style="muted colours, Watercolour, 3D render, water color, grain")
    watercolor, render = STYLES[STYLE_NAMES.index("watercolor")], STYLES[STYLE_NAMES.index("3D render")]
    positive, negative = compose_prompt(parts, None, SD15)
    assert positive.endswith(f"a knight, {watercolor.tags}, {render.tags}, muted colours, grain style")
    # What one of them is stands not against the other.
    assert "3d render" not in negative
    assert "line art" in split_clauses(negative)
    assert split_clauses(negative).count("photo") == 1
    sentences, _ = compose_prompt(parts, None, FLUX2)
    assert sentences.endswith(
        f"{watercolor.sentence}. {render.sentence}. Drawn in the style muted colours, grain."
    )


def test_what_a_saved_character_says_is_not_said_again_by_a_preset() -> None:
    parts = replace(KNIGHT, character="Mira, paper texture", style="watercolor, Mira")
    positive, _ = compose_prompt(parts, None, SD15)
    clauses = split_clauses(positive)
    assert clauses.count("paper texture") == 1
    assert "watercolor painting" in clauses
    assert "Mira style" not in clauses


@each_style
def test_the_list_says_which_presets_the_paper_doll_paints_in(style: Style) -> None:
    read = read_description("a knight", "", style.name, False, "")
    assert (read.style is not None) is style.drawn
    if style.drawn:
        assert read.unknown == ()


def test_what_the_paper_doll_does_with_the_other_presets() -> None:
    read = {name: read_description("a knight", "", name, False, "") for name in STYLE_NAMES}
    assert {name for name, each in read.items() if each.unknown} == {
        "oil painting",
        "3D render",
        "stained glass",
    }
    assert {name for name, each in read.items() if each.realism} == {"vintage photograph"}


def test_the_presets_have_names_and_descriptions_in_chinese_and_no_other_text_is_kept() -> None:
    path = Path(__file__).resolve().parents[2] / "locales" / "zh" / "main.json"
    texts = json.loads(path.read_text(encoding="utf-8"))["avatarforge"]
    presets = {f"preset_{style.name.replace(' ', '_')}" for style in STYLES}
    assert {key for key in texts if key.startswith("preset_")} == presets | {f"{key}_hint" for key in presets}
