"""Headwear, eyewear, capes and what is held: measured by the masks and colours of drawings."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy
import pytest
from doll_pictures import PLAIN
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from avatarforge.forge.pictures.body import seen_from, standing_body
from avatarforge.forge.pictures.doll.character.character import Character, Worn
from avatarforge.forge.pictures.doll.character.description import Slot
from avatarforge.forge.pictures.doll.drawing import DollOrder, Drawing, draw_doll
from avatarforge.forge.pictures.doll.figure.head import head_of
from avatarforge.forge.pictures.doll.figure.physique import Figure
from avatarforge.forge.pictures.doll.held.held import held
from avatarforge.forge.pictures.doll.painting.detail import Details
from avatarforge.forge.pictures.doll.parts import PARTS
from avatarforge.forge.pictures.doll.poses.complete import complete, unit_of
from avatarforge.forge.pictures.doll.poses.person import Person, Point

pytestmark = [pytest.mark.slow, pytest.mark.doll]

SIZE = (256, 384)
UNIT = 320.0
EIGHT_TURNS = (0, 45, 90, 135, 180, -135, -90, -45)
FRONT_TURNS = (0, 45, -45, 90, -90)
COLOUR, ACCENT = (58, 112, 196), (238, 190, 60)
HEADWEAR = (
    *("hat", "wizardhat", "cap", "beanie", "helmet"),
    *("crown", "tiara", "headband", "hood", "strawhat"),
)
EYEWEAR = ("glasses", "sunglasses", "eyepatch")
CAPES = ("cape", "cloak", "wings")
RIGHT_HAND = ("sword", "staff", "axe", "spear", "bow", "wand", "dagger", "hammer")
LEFT_HAND = ("shield", "book", "lantern")
KINDS: tuple[tuple[Slot, str], ...] = (
    *(("head", kind) for kind in HEADWEAR),
    *(("eyes", kind) for kind in EYEWEAR),
    *(("cape", kind) for kind in CAPES),
    *(("right_hand", kind) for kind in RIGHT_HAND),
    *(("left_hand", kind) for kind in LEFT_HAND),
)
FACE_ONLY = {"glasses", "sunglasses", "tiara"}


def standing(turn: float, size: tuple[int, int] = SIZE, unit: float = UNIT) -> Person:
    return Person(
        {
            name: (size[0] / 2 + x * unit, size[1] * 0.94 - y * unit)
            for name, (x, y) in seen_from(standing_body(), turn).items()
        }
    )


def wearing(slot: Slot, kind: str, **changes: object) -> Character:
    character = dataclasses.replace(
        PLAIN, background=(250, 250, 250), garments={slot: Worn(kind, COLOUR, ACCENT, "cloth")}
    )
    return dataclasses.replace(character, **changes)  # type: ignore[arg-type]


def drawn(character: Character, turn: float, person: Person | None = None) -> Drawing:
    return draw_doll(DollOrder((person or standing(turn),), turn, character, SIZE, 3))


def places(mask: Image.Image, part: str) -> list[Point]:
    rows, columns = numpy.nonzero(numpy.asarray(mask) == PARTS.index(part))
    return list(zip(columns.tolist(), rows.tolist(), strict=True))


def middle(points: list[Point]) -> Point:
    return (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))


def colours(drawing: Drawing, part: str) -> Counter[tuple[int, int, int]]:
    pixels = numpy.asarray(drawing.picture)[numpy.asarray(drawing.parts) == PARTS.index(part)]
    return Counter(map(tuple, pixels.tolist()))


def posed(turn: float, angles: tuple[float, ...], tilt: float) -> Person:
    """The standing body, its arms in any direction, all of it tilted about the hips."""
    body = dict(standing(turn).body)
    for side, (upper, lower) in (("right", angles[:2]), ("left", angles[2:])):
        x, y = body[f"{side}_shoulder"]
        elbow = (x + 0.18 * UNIT * math.cos(upper), y + 0.18 * UNIT * math.sin(upper))
        body[f"{side}_elbow"] = elbow
        body[f"{side}_wrist"] = (
            elbow[0] + 0.14 * UNIT * math.cos(lower),
            elbow[1] + 0.14 * UNIT * math.sin(lower),
        )
    cosine, sine = math.cos(tilt), math.sin(tilt)
    centre = (SIZE[0] / 2, SIZE[1] / 2)
    return Person(
        {
            name: (
                centre[0] + (x - centre[0]) * cosine - (y - centre[1]) * sine,
                centre[1] + (x - centre[0]) * sine + (y - centre[1]) * cosine,
            )
            for name, (x, y) in body.items()
        }
    )


def figure_of(person: Person, turn: float, character: Character) -> Figure:
    joints = complete(person, turn)
    return Figure(person, joints, turn, unit_of(person, joints, turn), character)


@cache
def shown(slot: Slot, kind: str, turn: float) -> Drawing:
    return drawn(wearing(slot, kind), turn)


@cache
def bare(turn: float) -> Drawing:
    return drawn(wearing("head", "hat", garments={}), turn)


def hidden(slot: Slot, turn: float) -> bool:
    """Whether the body is in front of the hand."""
    return (slot, turn) in (("right_hand", 90), ("left_hand", -90))


@pytest.mark.parametrize("turn", EIGHT_TURNS)
@pytest.mark.parametrize(("slot", "kind"), KINDS)
def test_a_kind_is_seen_where_it_can_be(slot: Slot, kind: str, turn: float) -> None:
    found = places(shown(slot, kind, turn).parts, slot)
    if kind in FACE_ONLY and turn not in FRONT_TURNS:
        assert not found
    elif not hidden(slot, turn):
        assert len(found) > 20


@pytest.mark.parametrize("turn", EIGHT_TURNS)
@pytest.mark.parametrize(("slot", "kind"), KINDS)
def test_the_main_colour_is_the_most_frequent_of_its_part(slot: Slot, kind: str, turn: float) -> None:
    drawing = shown(slot, kind, turn)
    found = colours(drawing, slot)
    if found.total() > 60 and not hidden(slot, turn):
        assert found.most_common(1)[0][0] == COLOUR
        assert drawing.palette[slot] == COLOUR


@pytest.mark.parametrize("kind", ["sword", "axe", "spear", "shield", "helmet", "cape", "hat", "crown"])
def test_the_second_colour_is_seen(kind: str) -> None:
    slot = next(slot for slot, each in KINDS if each == kind)
    assert colours(shown(slot, kind, 0), slot)[ACCENT] > 5


@pytest.mark.parametrize("turn", [0, 45, -45, 180])
@pytest.mark.parametrize(("slot", "kind"), [pair for pair in KINDS if pair[0].endswith("_hand")])
def test_things_are_on_the_side_of_their_hand(slot: Slot, kind: str, turn: float) -> None:
    x, _ = middle(places(shown(slot, kind, turn).parts, slot))
    persons_left = 1 if math.cos(math.radians(turn)) > 0 else -1
    assert (x - SIZE[0] / 2) * persons_left * (1 if slot == "left_hand" else -1) > 10


@pytest.mark.parametrize("turn", [*FRONT_TURNS, 20, -70, 100])
@pytest.mark.parametrize(("slot", "kind"), [pair for pair in KINDS if pair[0].endswith("_hand")])
def test_a_standing_figure_does_not_hide_its_face(slot: Slot, kind: str, turn: float) -> None:
    def face(drawing: Drawing) -> int:
        parts = ("left_eye", "right_eye", "mouth", "nose")
        return sum(len(places(drawing.parts, part)) for part in parts)

    assert face(shown(slot, kind, turn)) == face(bare(turn))


@settings(max_examples=40, deadline=None)
@given(
    pair=st.sampled_from([pair for pair in KINDS if pair[0].endswith("_hand")]),
    turn=st.integers(-180, 180),
    angles=st.tuples(*[st.floats(0, 2 * math.pi)] * 4),
    tilt=st.floats(-1.0, 1.0),
)
def test_what_is_held_touches_the_hand(
    pair: tuple[Slot, str], turn: int, angles: tuple[float, ...], tilt: float
) -> None:
    slot, kind = pair
    side = slot.removesuffix("_hand")
    character = wearing(slot, kind)
    figure = figure_of(posed(turn, angles, tilt), turn, character)
    behind, in_front = held(figure, head_of(figure), character.garments[slot], Details(1), side)
    wrist = figure.joints[f"{side}_wrist"]
    layers = [*behind, *in_front]
    assert {layer.part for layer in layers} == {slot}
    nearest = min(_to_area(wrist, shape.outline) for layer in layers for shape in layer.shapes)
    assert nearest < 0.10 * figure.unit


def _to_area(point: Point, outline: Sequence[Point]) -> float:
    """The distance of a point from an area; 0 inside of it, as a wrist is behind a shield."""
    edges = list(zip(outline, (*outline[1:], outline[0]), strict=True))
    crossed = sum(
        (start[1] > point[1]) != (end[1] > point[1])
        and point[0] < start[0] + (point[1] - start[1]) / (end[1] - start[1]) * (end[0] - start[0])
        for start, end in edges
    )
    return 0.0 if crossed % 2 else min(_to_line(point, start, end) for start, end in edges)


def _to_line(point: Point, start: Point, end: Point) -> float:
    """The distance of a point from a line."""
    x, y = end[0] - start[0], end[1] - start[1]
    length = x * x + y * y
    share = ((point[0] - start[0]) * x + (point[1] - start[1]) * y) / length if length else 0.0
    share = max(0.0, min(1.0, share))
    return math.dist(point, (start[0] + x * share, start[1] + y * share))


@pytest.mark.parametrize("kind", EYEWEAR)
def test_eyewear_is_at_the_eyes(kind: str) -> None:
    person = standing(0)
    drawing = drawn(wearing("eyes", kind), 0)
    x, y = middle(places(drawing.parts, "eyes"))
    left, right = person.body["left_eye"], person.body["right_eye"]
    assert abs(y - left[1]) < 0.03 * UNIT
    assert right[0] - 2 < x < left[0] + 2


@pytest.mark.parametrize("turn", [0, 25, -25])
def test_the_eyepatch_is_over_the_left_eye(turn: float) -> None:
    mask = drawn(wearing("eyes", "eyepatch"), turn).parts
    assert len(places(mask, "right_iris")) > 3
    assert not places(mask, "left_iris")


@pytest.mark.parametrize("turn", EIGHT_TURNS)
@pytest.mark.parametrize("kind", ["helmet", "hood"])
def test_helmets_and_hoods_show_the_face_only(kind: str, turn: float) -> None:
    mask, without = shown("head", kind, turn).parts, bare(turn).parts
    eyes = [part for part in ("left_eye", "right_eye") if places(mask, part)]
    assert eyes == [part for part in ("left_eye", "right_eye") if places(without, part)]
    if turn in (180, 135, -135):
        assert len(places(mask, "hair")) < 0.1 * len(places(without, "hair"))


@pytest.mark.parametrize("kind", CAPES)
def test_what_hangs_at_the_back_covers_it_from_behind_only(kind: str) -> None:
    def skin(turn: float) -> int:
        return len(places(shown("cape", kind, turn).parts, "skin"))

    assert skin(180) < 0.85 * skin(0)


@pytest.mark.parametrize("kind", ["cape", "cloak"])
@pytest.mark.parametrize(("turn", "back"), [(90, 1), (-90, -1)])
def test_a_cape_hangs_behind_the_back_in_profile(kind: str, turn: float, back: int) -> None:
    x, _ = middle(places(shown("cape", kind, turn).parts, "cape"))
    assert (x - SIZE[0] / 2) * back > 5


@pytest.mark.parametrize(("slot", "kind"), KINDS)
def test_nothing_raises_for_small_pictures_and_coincident_joints(slot: Slot, kind: str) -> None:
    character = wearing(slot, kind)
    # Every kind with every turn and every person, and all pairs of turn and person over the kinds.
    for at, turn in enumerate((0, 90, 135, -20)):
        people = (
            standing(turn, (64, 64), 54.0),
            Person({name: (30.0, 30.0) for name in standing(0).body}),
            Person({"nose": (32.0, 12.0), "neck": (32.0, 22.0)}),
        )
        person = people[(at + KINDS.index((slot, kind))) % len(people)]
        order = DollOrder((person,), turn, character, (64, 64), 1)
        assert draw_doll(order).picture.size == (64, 64)


@settings(max_examples=25, deadline=None)
@given(
    turn=st.integers(-180, 180),
    angles=st.tuples(*[st.floats(0, 2 * math.pi)] * 4),
    tilt=st.floats(-math.pi, math.pi),
    hand=st.sampled_from(RIGHT_HAND),
    head=st.sampled_from(HEADWEAR),
    cape=st.sampled_from(CAPES),
)
def test_any_pose_is_drawn(
    turn: int, angles: tuple[float, ...], tilt: float, hand: str, head: str, cape: str
) -> None:
    garments = {
        slot: Worn(kind, COLOUR, ACCENT, "metal")
        for slot, kind in (("right_hand", hand), ("head", head), ("cape", cape), ("left_hand", "shield"))
    }
    character = wearing("head", head, garments=garments)
    drawing = drawn(character, turn, posed(turn, angles, tilt))
    assert len(places(drawing.parts, "cape")) > 20


@pytest.mark.parametrize(("slot", "kind"), KINDS)
def test_the_same_seed_draws_the_same(slot: Slot, kind: str) -> None:
    again = drawn(wearing(slot, kind), 45)
    assert again.picture.tobytes() == shown(slot, kind, 45).picture.tobytes()
