"""Poses that cannot be read: a refusal that says why, and never anything else."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pose_formats import CANVAS, FIGURE, FRACTIONS, FRAME, NOBODY, PAIRS, SAME, encoded, flat, person

from avatarforge.forge.pictures.openpose_json import (
    MAX_ENTRIES,
    MAX_PEOPLE,
    InvalidPose,
    draw_pose,
    parse_pose,
)

pytestmark = pytest.mark.slow


def one(keypoints: Any, **more: Any) -> dict[str, Any]:
    return {"people": [{"pose_keypoints_2d": keypoints}], **CANVAS, **more}


BARE = {"people": [person()]}
REFUSED: dict[str, tuple[Any, str]] = {
    "17 keypoints": (one([5, 5, 1] * 17), "18 .*25 .*It has 51 numbers"),
    "20 keypoints": (one([5, 5, 1] * 20), "It has 60 numbers"),
    "133 keypoints": (one([[5, 5, 1]] * 133), "It has 133 keypoints"),
    "half a keypoint": (one(flat()[:-1]), "It has 53 numbers"),
    "editor with 60": ({"width": 64, "height": 64, "keypoints": [[5, 5]] * 60}, "It has 60 keypoints"),
    "editor with 17 each": ({"width": 64, "height": 64, "keypoints": [PAIRS[:17]]}, "It has 17 keypoints"),
    "four numbers": (one([[1, 2, 3, 4]] * 18), "neither x and y, nor x, y and confidence"),
    "named": (one([{"x": 5, "y": 5, "name": "nose"}] * 18), "named"),
    "object without y": (one([{"x": 5}] * 18), "neither x and y"),
    "text as number": (one([["5", 5, 1]] * 18), "numbers only"),
    "texts": (one(["5"] * 54), "numbers only"),
    "true": (one([[5, 5, True]] * 18), "numbers only"),
    "half null": (one([[5, None, 1]] * 18), "numbers only"),
    "keypoints as text": (one("5 5 1"), "54 or 75"),
    "number as person": ({"people": [7]}, "is an object"),
    "person without keypoints": ({"people": [{"points": flat()}]}, 'no list "pose_keypoints_2d"'),
    "three dimensions": ({"people": [{"pose_keypoints_3d": [1] * 72}]}, "three dimensions"),
    "keypoints twice": ({"people": [{"keypoints": flat(), "pose_keypoints_2d": flat()}]}, "twice"),
    "people and keypoints": ({"people": [person()], "keypoints": [PAIRS], **CANVAS}, "both"),
    "animals only": ({"version": "ap10k", "animals": [[[1, 1, 1]] * 17], **CANVAS}, "animals only"),
    "animals and nobody": ({"people": [NOBODY], "animals": [[[1, 1, 1]] * 17]}, "animals only"),
    "nobody": ({"people": [NOBODY, None, {}], **CANVAS}, "shows nobody"),
    "nobody in an editor": ({"width": 64, "height": 64, "keypoints": []}, "shows nobody"),
    "nobody in frames": ([{"people": [None]}, None], "shows nobody"),
    "a scene": ({"header": "Openpose Editor", "version": "0.1", "object": {}}, "not in OpenPose format"),
    "coco": ({"images": [{"width": 5}], "annotations": []}, "not in OpenPose format"),
    "people as object": ({"people": {"0": person()}}, "not in OpenPose format"),
    "list of people": ([person()], "not in OpenPose format"),
    "text": ("pose", "not in OpenPose format"),
    "null": (None, "not in OpenPose format"),
    "very many": ({"people": [None] * (MAX_ENTRIES + 1)}, f"lists {MAX_ENTRIES + 1} people"),
    "very many in an editor": ({"keypoints": [[5, 5]] * 18 * (MAX_ENTRIES + 1)}, "people; at most"),
    "fractions without canvas": ({"people": [person(FRACTIONS)]}, "canvas_width"),
    "from -1 to 1": (one(flat([(2 * x - 1, 2 * y - 1) for x, y in FRACTIONS])), "from -1 to 1"),
    "pixels and fractions": (
        {"people": [person(), person(FRACTIONS)], **CANVAS},
        "in pixels and .* in fractions",
    ),
    "off the canvas": (one(flat([(x + 600, y) for x, y in FIGURE])), "no keypoint on its canvas of 512x768"),
    "far off": (one(flat([(x * 100, y) for x, y in FIGURE])), "far outside"),
    "width alone": ({**BARE, "width": 512}, '"width" alone'),
    "height of another pair": ({**BARE, "width": 512, "canvas_height": 768}, "alone"),
    "two sizes": ({**BARE, **CANVAS, "width": 512, "height": 512}, "not the same: .*512x768.*512x512"),
    "two spellings": (
        {**BARE, **CANVAS, "canvasWidth": 500},
        '"canvas_width" says 512, "canvasWidth" says 500',
    ),
    "two sizes in one": ({**BARE, **CANVAS, "size": [768, 512]}, "not the same"),
    "a canvas elsewhere": ({**BARE, **CANVAS, "image": {"width": 64, "height": 64}}, "not the same"),
    "text as width": ({**BARE, "width": "512", "height": "768"}, "numbers from 1"),
    "resolution as text": ({**BARE, "resolution": "512x768"}, '"resolution", but not as a width'),
    "size as number": ({**BARE, "size": 512}, '"size", but not as a width'),
    "size of three": ({**BARE, "size": [512, 768, 3]}, '"size", but not as a width'),
    "image size": ({**BARE, "image_size": [768, 512]}, "which of the two numbers is the width"),
    "image shape": ({**BARE, "image_shape": [768, 512]}, "image_shape.*not read"),
    "unknown canvas": ({**BARE, "canvas_px": [512, 768]}, "canvas_px.*not read"),
    "zero": ({**BARE, "width": 0, "height": 768}, "numbers from 1"),
    "negative": ({**BARE, "width": -512, "height": 768}, "numbers from 1"),
    "too large": ({**BARE, "width": 512, "height": 99999}, "numbers from 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_by_name(name: str) -> None:
    document, says = REFUSED[name]
    with pytest.raises(InvalidPose, match=says) as refusal:
        parse_pose(encoded(document))
    message = str(refusal.value)
    assert message.endswith(".")
    assert len(message) < 300


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "9" * 400])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    data = encoded(FRAME).replace(b"256", number.encode(), 1)
    with pytest.raises(InvalidPose, match=r"finite|outside"):
        parse_pose(data)


NAMES = st.sampled_from(
    [
        *(
            "people",
            "keypoints",
            "animals",
            "pose_keypoints_2d",
            "pose_keypoints",
            "pose_keypoints_3d",
            "x",
            "y",
        ),
        *(
            "confidence",
            "score",
            "name",
            "canvas",
            "size",
            "resolution",
            "image",
            "image_size",
            "canvas_size",
        ),
        *(
            "canvas_width",
            "canvas_height",
            "canvasWidth",
            "width",
            "height",
            "w",
            "h",
            "meta",
            "hand_keypoints",
        ),
    ]
)
NUMBERS = st.one_of(
    st.integers(-5, 2000), st.floats(-3, 3), st.sampled_from([0, 1, -1, 512, 768, 10**30, -(10**9), 1e-300])
)
POINTS = st.one_of(
    st.lists(NUMBERS, min_size=18 * 3, max_size=18 * 3),
    st.lists(st.lists(NUMBERS, min_size=1, max_size=4), min_size=17, max_size=19),
    st.lists(st.one_of(st.none(), st.tuples(NUMBERS, NUMBERS)), min_size=18, max_size=18),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=3), POINTS),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=20,
)


def drawn_or_refused(data: bytes) -> None:
    with contextlib.suppress(InvalidPose):
        pose = parse_pose(data)
        assert 1 <= len(pose.people) <= MAX_PEOPLE
        assert min(pose.width, pose.height) >= 1
        assert draw_pose(pose, 64, 64).size == (64, 64)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(VALUES, st.dictionaries(NAMES, VALUES, min_size=1), st.lists(st.dictionaries(NAMES, VALUES)))
)
def test_any_json_is_drawn_or_refused(value: Any) -> None:
    drawn_or_refused(encoded(value))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_drawn_or_refused(data: bytes) -> None:
    drawn_or_refused(data)


def altered(value: Any, chance: random.Random) -> Any:
    """The document with one thing in it replaced by something else."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(list(value))
        return {**value, key: altered(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        return [*value[:at], altered(value[at], chance), *value[at + 1 :]]
    return chance.choice([None, True, 0, -1, 1, 0.5, 300, 1e7, "a", [], {}, [1, 2], [[1, 2]], {"x": 1}])


def documents() -> Iterator[Any]:
    chance = random.Random(17)  # noqa: S311 - the same every time, no secret
    for _ in range(40):
        for document in SAME.values():
            if len(json.dumps(document)) < 9000:
                yield altered(altered(document, chance), chance)


def test_every_format_with_something_odd_in_it_is_drawn_or_refused() -> None:
    count = 0
    for document in documents():
        count += 1
        drawn_or_refused(encoded(document))
    assert count > 1000
