from __future__ import annotations

from dataclasses import replace

import pytest

from avatarforge.forge.families import MODEL_FAMILIES
from avatarforge.forge.families.prompt_text import (
    PromptParts,
    QualityWords,
    compose_plain,
    compose_prompt,
    describe_pictures,
    split_clauses,
)
from avatarforge.forge.spec.expressions import EXPRESSIONS
from avatarforge.forge.spec.views import VIEWS

KNIGHT = PromptParts("a knight", clothing="", style="", realism=False, negative_prompt="")
SD15 = MODEL_FAMILIES["sd15"].words
FLUX2 = MODEL_FAMILIES["flux2"].words
BEHIND = [view.name for view in VIEWS.values() if not view.shows_face]


def test_every_part_of_the_request_is_in_the_words_in_order() -> None:
    positive, negative = compose_prompt(
        replace(
            KNIGHT, clothing="full plate armor, red cape", style="watercolor", negative_prompt="hat, helmet"
        ),
        "back",
        SD15,
    )
    parts = [
        "masterpiece, best quality, anime",
        VIEWS["back"].positive,
        "wearing full plate armor, red cape",
        "a knight",
        "watercolor painting",
    ]
    places = [positive.index(part) for part in parts]
    assert places == sorted(places)
    unwanted = [negative.index(part) for part in (VIEWS["back"].negative, "hat, helmet", "worst quality")]
    assert unwanted == sorted(unwanted)


def test_a_back_view_asks_for_no_face_and_a_front_view_does_not_forbid_it() -> None:
    _, back = compose_prompt(KNIGHT, "back", SD15)
    _, front = compose_prompt(KNIGHT, "front", SD15)
    assert "face" in back.split(", ")
    assert "face" not in front.split(", ")
    assert "from behind" in front


def test_without_a_view_no_view_words_appear() -> None:
    positive, negative = compose_prompt(KNIGHT, None, SD15)
    assert not any(view.positive in positive or view.negative in negative for view in VIEWS.values())


@pytest.mark.parametrize("family", sorted(MODEL_FAMILIES))
def test_realism_changes_the_quality_words_of_each_family(family: str) -> None:
    words = MODEL_FAMILIES[family].words
    real, unreal = compose_prompt(replace(KNIGHT, realism=True), "front", words)
    anime, unanime = compose_prompt(replace(KNIGHT, realism=False), "front", words)
    assert "photorealistic" in real
    assert "anime" in anime
    assert "photo" not in anime
    if not words.sentences:
        assert "anime" in unreal
        assert "photo" in unanime


def test_a_text_encoder_that_understands_sentences_gets_sentences() -> None:
    words = MODEL_FAMILIES["flux2"].words
    full = replace(KNIGHT, clothing="a red cape", style="watercolor", pictures="Image 1 shows the person.")
    positive, negative = compose_prompt(full, "back", words)
    parts = ["Image 1 shows", VIEWS["back"].sentence, "wearing a red cape: a knight", "watercolor", "anime"]
    places = [positive.index(part) for part in parts]
    assert places == sorted(places)
    assert positive.count(". ") >= 3
    assert negative == ""


def test_numbered_pictures_are_described_in_their_order() -> None:
    both = describe_pictures(["person", "pose"])
    assert both.index("image 1") < both.index("skeleton in image 2")
    assert "image 1 and Picture 2" not in describe_pictures(["person", "person"], "Picture")
    assert "Picture 1 and Picture 2" in describe_pictures(["person", "person", "pose"], "Picture")
    assert "skeleton in Picture 3" in describe_pictures(["person", "person", "pose"], "Picture")
    assert describe_pictures([]) == ""


def test_each_numbered_picture_is_told_what_to_take_from_it() -> None:
    assert describe_pictures(["person"]) == "Show the same person with the same clothing as in image 1."
    assert describe_pictures(["person", "front"]) == describe_pictures(["person", "person"])
    said = describe_pictures(["person", "face", "outfit", "style", "front", "pose"], "Picture")
    sentences = said.split(". ")
    assert len(sentences) == 6
    for sentence, words in zip(
        sentences,
        (
            "same person as in Picture 1, in other clothes",
            "same clothing as in Picture 5",  # the front wears the outfit already
            "the face and the hair of the person in Picture 2",
            "The clothes are those in Picture 3",
            "in the manner of Picture 4",
            "pose of the skeleton in Picture 6",
        ),
        strict=True,
    ):
        assert words in sentence
        assert sentence.count("Picture") == 1
    behind = describe_pictures(["face"], shows_face=False)
    assert "the hair of the person in image 1" in behind
    assert "face" not in behind
    assert "image 1 and image 2" in describe_pictures(["outfit", "outfit"])


def test_empty_parts_leave_no_stray_commas() -> None:
    positive, negative = compose_prompt(
        replace(KNIGHT, prompt=" knight, ", negative_prompt=" , "), "front", SD15
    )
    for text in (positive, negative):
        assert ", ," not in text
        assert ",," not in text
        assert text == text.strip(" ,")


@pytest.mark.parametrize("words", [SD15, FLUX2], ids=["tags", "sentences"])
@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize("view", VIEWS)
def test_only_a_view_that_shows_the_face_has_an_expression(
    view: str, expression: str, words: QualityWords
) -> None:
    positive, _ = compose_prompt(replace(KNIGHT, expression=expression), view, words)
    said = EXPRESSIONS[expression].sentence if words.sentences else EXPRESSIONS[expression].tags
    assert (said in positive) is (view not in BEHIND)
    # Another pack's names, and those of characters, are words.
    own, _ = compose_prompt(replace(KNIGHT, expression="smug grin"), view, words)
    assert ("smug grin" in own) is (view not in BEHIND)


def test_views_from_behind_are_known() -> None:
    assert BEHIND == ["back", "back_left", "back_right"]


@pytest.mark.parametrize(
    "view", ["left", "right", "quarter_left", "back_right", "back_left", "quarter_right"]
)
@pytest.mark.parametrize("words", [SD15, FLUX2], ids=["tags", "sentences"])
def test_left_and_right_are_not_confused(view: str, words: QualityWords) -> None:
    side = view.rpartition("_")[2]
    other = {"left": "right", "right": "left"}[side]
    positive, negative = compose_prompt(KNIGHT, view, words)
    assert side in positive
    assert other not in positive
    if negative:
        assert f"to the {other}" in negative or f"facing {other}" in negative


@pytest.mark.parametrize("words", [SD15, FLUX2], ids=["tags", "sentences"])
def test_the_height_of_the_camera_is_in_the_words(words: QualityWords) -> None:
    level, above, below = (
        compose_prompt(replace(KNIGHT, elevation=elevation), "front", words)
        for elevation in ("level", "above", "below")
    )
    assert "from above" in above[0]
    assert "from below" in below[0]
    assert level == compose_prompt(KNIGHT, "front", words)
    assert "above" not in level[0]
    assert ("from below" in above[1]) is not words.sentences


MIRA = "a young woman, red hair, (green eyes:1.2)"


def test_what_a_request_adds_to_a_character_is_said_once() -> None:
    parts = replace(
        KNIGHT,
        character=MIRA,
        prompt="Red  Hair, in the rain, (green eyes:1.2), blue coat",
        clothing="blue coat, boots",
    )
    positive, _ = compose_prompt(parts, "front", SD15)
    clauses = split_clauses(positive)
    for said in ("red hair", "(green eyes:1.2)", "boots", "in the rain", "wearing blue coat"):
        assert clauses.count(said) == 1, said
    assert "blue coat" not in clauses
    assert positive.index("boots") < positive.index("young woman") < positive.index("in the rain")
    sentences, _ = compose_prompt(parts, "front", FLUX2)
    assert sentences.count("blue coat") == sentences.lower().count("red hair") == 1


def test_without_a_character_repeated_words_stay() -> None:
    positive, _ = compose_prompt(replace(KNIGHT, prompt="a knight, a knight"), "front", SD15)
    assert split_clauses(positive).count("a knight") == 2


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("a, b", ["a", "b"]),
        ("(a, b:1.1), {c|d, e}, [f, g]", ["(a, b:1.1)", "{c|d, e}", "[f, g]"]),
        (r"\(a, b\), c", [r"\(a", r"b\)", "c"]),
        (" , ,", []),
        ("a), b", ["a)", "b"]),
        ("(a, b", ["(a, b"]),
    ],
)
def test_clauses_are_split_outside_of_parentheses(text: str, clauses: list[str]) -> None:
    assert split_clauses(text) == clauses


def test_a_family_that_is_not_known_gets_no_words_of_ours_but_the_view() -> None:
    parts = replace(KNIGHT, clothing="a cape", style="ink", negative_prompt="hat", expression="sad")
    assert compose_plain(parts, "back") == (
        f"{VIEWS['back'].positive}, wearing a cape, a knight, ink style",
        VIEWS["back"].negative,
    )
    assert compose_plain(KNIGHT, None) == ("a knight", "")
