from __future__ import annotations

from dataclasses import replace

import pytest

from avatarforge.forge.families import MODEL_FAMILIES
from avatarforge.forge.families.prompt_text import PromptParts, compose_prompt, describe_pictures
from avatarforge.forge.spec.views import VIEWS

KNIGHT = PromptParts("a knight", clothing="", style="", realism=False, negative_prompt="")
SD15 = MODEL_FAMILIES["sd15"].words


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
        "a knight",
        "wearing full plate armor, red cape",
        "watercolor style",
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
    parts = ["Image 1 shows", VIEWS["back"].sentence, "a knight, wearing a red cape", "watercolor", "anime"]
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


def test_empty_parts_leave_no_stray_commas() -> None:
    positive, negative = compose_prompt(
        replace(KNIGHT, prompt=" knight, ", negative_prompt=" , "), "front", SD15
    )
    for text in (positive, negative):
        assert ", ," not in text
        assert ",," not in text
        assert text == text.strip(" ,")
