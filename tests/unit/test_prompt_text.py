from __future__ import annotations

from dataclasses import replace

import pytest

from avatarforge.forge.families import FAMILIES
from avatarforge.forge.graphs.prompt_text import PromptParts, compose_prompt
from avatarforge.forge.spec.views import VIEWS

KNIGHT = PromptParts("a knight", clothing="", style="", realism=False, negative_prompt="", family="sd15")


def test_every_part_of_the_request_is_in_the_words_in_order() -> None:
    positive, negative = compose_prompt(
        replace(
            KNIGHT, clothing="full plate armor, red cape", style="watercolor", negative_prompt="hat, helmet"
        ),
        "back",
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
    _, back = compose_prompt(KNIGHT, "back")
    _, front = compose_prompt(KNIGHT, "front")
    assert "face" in back.split(", ")
    assert "face" not in front.split(", ")
    assert "from behind" in front


def test_without_a_view_no_view_words_appear() -> None:
    positive, negative = compose_prompt(KNIGHT, None)
    assert not any(view.positive in positive or view.negative in negative for view in VIEWS.values())


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_realism_changes_the_quality_words_of_each_family(family: str) -> None:
    real, unreal = compose_prompt(replace(KNIGHT, family=family, realism=True), "front")
    anime, unanime = compose_prompt(replace(KNIGHT, family=family, realism=False), "front")
    assert "photorealistic" in real
    assert "anime" in unreal
    assert "anime" in anime
    assert "photo" in unanime


def test_empty_parts_leave_no_stray_commas() -> None:
    positive, negative = compose_prompt(replace(KNIGHT, prompt=" knight, ", negative_prompt=" , "), "front")
    for text in (positive, negative):
        assert ", ," not in text
        assert ",," not in text
        assert text == text.strip(" ,")
