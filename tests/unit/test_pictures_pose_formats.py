"""One figure in every format that programs write: the same pose each time, or a refusal that says why."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatarforge.forge.pictures.openpose_json import (
    MAX_ENTRIES,
    MAX_PEOPLE,
    InvalidPose,
    NobodyVisible,
    PoseDocument,
    draw_pose,
    parse_pose,
)
from avatarforge.forge.pictures.skeleton import KEYPOINT_NAMES, Keypoint, Skeleton

pytestmark = pytest.mark.slow

CASES = Path(__file__).resolve().parents[1] / "data" / "cases"
WIDTH, HEIGHT = 512, 768
# The figure of the files in tests/data/cases.
FIGURE: tuple[tuple[int, int], ...] = (
    *((256, 80), (256, 140), (210, 140), (190, 220), (180, 300), (302, 140), (322, 220), (332, 300)),
    *((225, 300), (220, 420), (215, 540), (287, 300), (292, 420), (297, 540)),
    *((245, 70), (267, 70), (230, 75), (282, 75)),
)
HIDDEN = 4  # the right wrist, where a format is tried with a keypoint that is not there


def flat(points: Any = FIGURE, confidence: float = 1.0) -> list[float]:
    return [number for x, y in points for number in (x, y, confidence)]


def person(points: Any = FIGURE, **more: Any) -> dict[str, Any]:
    return {"pose_keypoints_2d": flat(points), **more}


def body_25(middle: Any, feet: Any) -> list[Any]:
    return [*FIGURE[:8], middle, *FIGURE[8:], *[feet] * 6]


CANVAS = {"canvas_width": WIDTH, "canvas_height": HEIGHT}
FRACTIONS = [(x / WIDTH, y / HEIGHT) for x, y in FIGURE]
PAIRS = [list(point) for point in FIGURE]
TRIPLES = [[x, y, 0.7] for x, y in FIGURE]
NOBODY = {"pose_keypoints_2d": [0] * 54}
FRAME = {"people": [person()], **CANVAS}
OTHERS = {
    "face_keypoints_2d": [5, 5, 1] * 70,
    "hand_left_keypoints_2d": [5, 5, 1] * 21,
    "hand_right_keypoints_2d": None,
    "foot_keypoints_2d": [5, 5, 1] * 6,
    "pose_keypoints_3d": [],
}

SAME: dict[str, Any] = {
    # OpenPose, doc/02_output.md
    "openpose": {"version": 1.3, "people": [{"person_id": [-1], **person(**OTHERS)}], **CANVAS},
    "openpose-1.0": {"version": 1.0, "people": [{"pose_keypoints": flat()}], **CANVAS},
    "openpose-body-25": {"people": [person(body_25((256, 300), (1, 1)))], **CANVAS},
    # ControlNet, sd-webui-openpose-editor, comfyui_controlnet_aux, ComfyUI's POSE_KEYPOINT
    "controlnet": {"people": [person(**OTHERS)], "animals": [], **CANVAS},
    "controlnet-frames": [FRAME],
    "controlnet-nulls": [{"people": [person(face_keypoints_2d=None, hand_left_keypoints_2d=None)], **CANVAS}],
    "controlnet-fractions": [{"people": [person(FRACTIONS)], **CANVAS}],
    "sdpose-scores": [{"people": [{"pose_keypoints_2d": flat(confidence=0.31), **OTHERS}], **CANVAS}],
    "nested": {"people": [{"pose_keypoints_2d": TRIPLES}], **CANVAS},
    "nested-pairs": {"people": [{"pose_keypoints_2d": PAIRS}], **CANVAS},
    "nested-objects": {
        "people": [{"keypoints": [{"x": x, "y": y, "confidence": 0.5} for x, y in FIGURE]}],
        **CANVAS,
    },
    "nested-objects-score": {
        "people": [{"keypoints": [{"x": x, "y": y, "z": 3, "score": 0.5} for x, y in FIGURE]}],
        **CANVAS,
    },
    "nested-objects-bare": {"people": [{"keypoints": [{"x": x, "y": y} for x, y in FIGURE]}], **CANVAS},
    "flat-pairs": {"people": [{"pose_keypoints_2d": [n for point in FIGURE for n in point]}], **CANVAS},
    "flat-pairs-25": {
        "people": [{"keypoints": [n for point in body_25((256, 300), (1, 1)) for n in point]}],
        **CANVAS,
    },
    "nested-25": {
        "people": [{"pose_keypoints_2d": [[*point, 1] for point in body_25((1, 1), (9, 9))]}],
        **CANVAS,
    },
    # The OpenPose editors of Automatic1111 (one list) and ComfyUI (one list for each person)
    "editor-one-list": {"width": WIDTH, "height": HEIGHT, "keypoints": PAIRS},
    "editor-lists": {"width": WIDTH, "height": HEIGHT, "keypoints": [PAIRS]},
    "editor-triples": {"width": WIDTH, "height": HEIGHT, "keypoints": [TRIPLES]},
    "editor-numbers": {"width": WIDTH, "height": HEIGHT, "keypoints": flat()},
    "editor-numbers-each": {"width": WIDTH, "height": HEIGHT, "keypoints": [flat()]},
    "editor-fractions": {"width": WIDTH, "height": HEIGHT, "keypoints": [[list(p) for p in FRACTIONS]]},
    "editor-with-empty": {"width": WIDTH, "height": HEIGHT, "keypoints": [None, PAIRS, [], [None] * 18]},
    "editor-people": {"people": [person()], "width": WIDTH, "height": HEIGHT},
    "editor-both-empty": {"people": [], "width": WIDTH, "height": HEIGHT, "keypoints": [PAIRS]},
    # People of whom nothing is there
    "null-people": {"people": [None, None, person(), None], **CANVAS},
    "empty-people": {"people": [*[NOBODY] * 29, person(), {}, [], {"pose_keypoints_2d": []}], **CANVAS},
    "empty-null-keypoints": {"people": [{"pose_keypoints_2d": [None] * 54}, person()], **CANVAS},
    "empty-25": {"people": [{"pose_keypoints_2d": [0] * 75}, person()], **CANVAS},
    "hands-only": {"people": [{"hand_left_keypoints_2d": [5, 5, 1] * 21}, person()], **CANVAS},
    "unsure": {"people": [{"pose_keypoints_2d": flat(confidence=-0.5)}, person()], **CANVAS},
    "as-many-empty-as-read": {"people": [*[None] * (MAX_ENTRIES - 1), person()], **CANVAS},
    # Frames of which one shows somebody
    "first-frame-empty": [{"people": [], **CANVAS}, FRAME],
    "first-frame-of-nobody": [{"people": [NOBODY, None], "canvas_width": 99, "canvas_height": 99}, FRAME],
    "null-frames": [None, FRAME, None],
    "null-people-frame": [{"people": None, **CANVAS}, FRAME],
    "frame-of-animals": [{"animals": [[[1, 1, 1]] * 17], **CANVAS}, FRAME],
    # The canvas under other names
    "canvas-camel-case": {"people": [person()], "canvasWidth": WIDTH, "canvasHeight": HEIGHT},
    "canvas-as-object": {"people": [person()], "canvas": {"width": WIDTH, "height": HEIGHT}},
    "canvas-as-list": {"people": [person()], "canvas": [WIDTH, HEIGHT]},
    "canvas-size": {"people": [person()], "canvas_size": [WIDTH, HEIGHT]},
    "size": {"people": [person()], "size": [WIDTH, HEIGHT]},
    "size-object": {"people": [person()], "size": {"w": WIDTH, "h": HEIGHT}},
    "resolution": {"people": [person()], "resolution": [WIDTH, HEIGHT]},
    "image-size-object": {"people": [person()], "image_size": {"width": WIDTH, "height": HEIGHT}},
    "image-width": {"people": [person()], "image_width": WIDTH, "image_height": HEIGHT},
    "image-object": {"people": [person()], "image": {"width": WIDTH, "height": HEIGHT, "file": "a.png"}},
    "w-and-h": {"people": [person()], "w": WIDTH, "h": HEIGHT},
    "floats": {"people": [person()], "canvas_width": 512.0, "canvas_height": 767.6},
    "twice-the-same": {"people": [person()], **CANVAS, "width": WIDTH, "height": HEIGHT, "size": [512, 768]},
    "null-beside": {"people": [person()], **CANVAS, "width": None, "height": None, "resolution": None},
}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def reference(hidden: int | None = None) -> PoseDocument:
    """The figure by its numbers, without the keypoint of that index."""
    points = [None if at == hidden else Keypoint(x / WIDTH, y / HEIGHT) for at, (x, y) in enumerate(FIGURE)]
    return PoseDocument((Skeleton(tuple(points), WIDTH / HEIGHT),), WIDTH, HEIGHT)


def same(pose: PoseDocument, expected: PoseDocument) -> None:
    assert (pose.width, pose.height) == (expected.width, expected.height)
    assert len(pose.people) == len(expected.people)
    for found, wanted in zip(pose.people, expected.people, strict=True):
        assert found.aspect == pytest.approx(wanted.aspect)
        for name in KEYPOINT_NAMES:
            one, other = found[name], wanted[name]
            assert (one is None) == (other is None), name
            if one is not None and other is not None:
                assert (one.x, one.y) == pytest.approx((other.x, other.y)), name
    drawn, shown = draw_pose(pose, WIDTH, HEIGHT), draw_pose(expected, WIDTH, HEIGHT)
    assert drawn.tobytes() == shown.tobytes()


@pytest.mark.parametrize("name", SAME)
def test_every_format_gives_the_same_pose(name: str) -> None:
    same(parse_pose(encoded(SAME[name])), reference())


@pytest.mark.parametrize("path", sorted(CASES.glob("pose-*.json")), ids=lambda path: path.stem)
def test_the_files_from_the_field_give_the_same_pose(path: Path) -> None:
    same(parse_pose(path.read_bytes()), reference())


ABSENT: dict[str, Any] = {
    "flat-zero": {"people": [{"pose_keypoints_2d": [*flat()[:12], 0, 0, 0, *flat()[15:]]}], **CANVAS},
    "flat-minus": {"people": [{"pose_keypoints_2d": [*flat()[:12], -1, -1, 0, *flat()[15:]]}], **CANVAS},
    "flat-null": {
        "people": [{"pose_keypoints_2d": [*flat()[:12], None, None, None, *flat()[15:]]}],
        **CANVAS,
    },
    "flat-null-zero": {
        "people": [{"pose_keypoints_2d": [*flat()[:12], None, None, 0, *flat()[15:]]}],
        **CANVAS,
    },
    "fractions-zero": {
        "people": [{"pose_keypoints_2d": [*flat(FRACTIONS)[:12], 0.0, 0.0, 0.0, *flat(FRACTIONS)[15:]]}],
        **CANVAS,
    },
}
for _name, _absent in {
    "null": None,
    "empty": [],
    "zero": [0, 0],
    "minus": [-1, -1],
    "unsure": [9, 9, 0],
}.items():
    _points = [*PAIRS[:HIDDEN], _absent, *PAIRS[HIDDEN + 1 :]]
    ABSENT[f"editor-{_name}"] = {"width": WIDTH, "height": HEIGHT, "keypoints": [_points]}
    ABSENT[f"one-list-{_name}"] = {"width": WIDTH, "height": HEIGHT, "keypoints": _points}
    ABSENT[f"nested-{_name}"] = {"people": [{"pose_keypoints_2d": _points}], **CANVAS}


@pytest.mark.parametrize("name", ABSENT)
def test_a_keypoint_that_is_not_there_is_left_out(name: str) -> None:
    same(parse_pose(encoded(ABSENT[name])), reference(HIDDEN))


def test_several_people_of_an_editor_are_all_read() -> None:
    moved = [[x + 100, y] for x, y in FIGURE]
    expected = parse_pose(encoded({"people": [person(), person(moved)], **CANVAS}))
    for keypoints in ([PAIRS, moved], [*PAIRS, *moved], [PAIRS, None, moved]):
        same(parse_pose(encoded({"width": WIDTH, "height": HEIGHT, "keypoints": keypoints})), expected)


def test_only_people_who_are_seen_are_counted() -> None:
    most = {"people": [*[None] * 500, *[person()] * MAX_PEOPLE, *[NOBODY] * 100], **CANVAS}
    assert len(parse_pose(encoded(most)).people) == MAX_PEOPLE
    with pytest.raises(InvalidPose, match=f"has {MAX_PEOPLE + 1} people; at most {MAX_PEOPLE}"):
        parse_pose(encoded({"people": [*[None] * 5, *[person()] * (MAX_PEOPLE + 1)], **CANVAS}))


def test_below_the_wanted_confidence_nothing_is_seen() -> None:
    numbers = flat(confidence=0.9)
    numbers[3 * HIDDEN + 2] = 0.29
    data = encoded({"people": [{"pose_keypoints_2d": numbers}], **CANVAS})
    same(parse_pose(data, sure=0.3), reference(HIDDEN))
    same(parse_pose(data), reference())
    with pytest.raises(NobodyVisible):
        parse_pose(data, sure=0.95)


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
