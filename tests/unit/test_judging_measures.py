"""The measures of a judge, on pictures and keypoints whose right answer is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from colours import PUBLISHED, colour_difference
from doll_people import mirrored, standing
from doll_pictures import character_of, doll, person_at
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image, ImageDraw

from avatarforge.forge.judging.clean import measure_clean
from avatarforge.forge.judging.colour import difference, lab_of
from avatarforge.forge.judging.evidence import Evidence, Shown
from avatarforge.forge.judging.identity import cosine, measure_identity
from avatarforge.forge.judging.measures import measure
from avatarforge.forge.judging.palette import FURTHEST, assign, measure_palette
from avatarforge.forge.judging.pose import NEAR, measure_pose
from avatarforge.forge.judging.view import measure_view
from avatarforge.forge.pictures.doll.poses.person import Person
from avatarforge.forge.spec.scores import MEASURES
from avatarforge.forge.spec.views import VIEWS

pytestmark = pytest.mark.doll
GREY = Image.new("RGB", (512, 768), (128, 128, 128))
WHITE = (255, 255, 255)


def posed(people: Sequence[Person] | None, found: Sequence[Person] | None, **changes: Any) -> Evidence:
    shown = Shown(GREY, tuple(people) if people is not None else None)
    looked = tuple(found) if found is not None else None
    return Evidence(shown, None, looked, "sdpose", "sdpose.safetensors", **changes)


def moved(person: Person, joint: str, right: float, down: float = 0.0) -> Person:
    x, y = person.body[joint]
    return Person({**person.body, joint: (x + right, y + down)})


# Pose


def test_the_share_of_joints_agrees_with_a_count_by_hand() -> None:
    """Torso: left shoulder (80, 50) to right hip (50, 90), so 50 pixels; 0.2 of it are 10."""
    wanted = Person(
        {
            "neck": (65, 50),
            "left_shoulder": (80, 50),
            "right_shoulder": (50, 50),
            "right_hip": (50, 90),
            "left_hip": (80, 90),
        }
    )
    found = Person(
        {
            "neck": (65, 60),  # 10 away: right
            "left_shoulder": (86, 58),  # 6 and 8, so 10 away: right
            "right_shoulder": (43, 43.2),  # 9.76 away: right
            "right_hip": (50, 100.1),  # 10.1 away: wrong
        }  # no left hip: wrong
    )
    measured = measure_pose(posed([wanted], [found]))
    assert measured.value == 3 / 5
    assert measured.model == "sdpose.safetensors"
    assert measured.details["missing_joints"] == ["left_hip"]
    assert (measured.details["joints"], measured.details["right"]) == (5, 3)


def test_missing_and_extra_people_are_reported() -> None:
    left, right = person_at(0), Person({name: (x + 200, y) for name, (x, y) in person_at(0).body.items()})
    left = Person({name: (x - 100, y) for name, (x, y) in left.body.items()})
    right = Person({name: (x - 100, y) for name, (x, y) in right.body.items()})
    both = measure_pose(posed([left, right], [right, left]))
    assert (both.value, both.details["missing_people"], both.details["extra_people"]) == (1.0, 0, 0)
    one = measure_pose(posed([left, right], [right]))
    assert one.value == pytest.approx(0.5, abs=0.01)
    assert (one.details["missing_people"], one.details["extra_people"]) == (1, 0)
    extra = measure_pose(posed([left], [right, left]))
    assert (extra.value, extra.details["missing_people"], extra.details["extra_people"]) == (1.0, 0, 1)
    crowd = [Person({name: (x + 9 * at, y) for name, (x, y) in left.body.items()}) for at in range(7)]
    assert measure_pose(posed(crowd, crowd[::-1])).value == 1.0
    assert measure_pose(posed([left], [])).value == 0.0


@pytest.mark.parametrize(
    ("people", "found"),
    [
        (None, [standing(0)]),
        ([], [standing(0)]),
        ([person_at(0)], None),
        ([Person({"left_wrist": (9, 9), "nose": (20, 20)})], [person_at(0)]),
        ([Person({"neck": (-9, 9), "left_hip": (-20, 20)})], [person_at(0)]),
    ],
    ids=["no pose", "nobody asked", "nobody looked", "no torso", "outside"],
)
def test_a_pose_that_cannot_be_measured_has_a_reason_and_no_zero(people: Any, found: Any) -> None:
    measured = measure_pose(posed(people, found))
    assert measured.value is None
    assert measured.reason


@given(some.lists(some.sampled_from(sorted(person_at(0).body)), unique=True), some.floats(0.1, 3.0))
@settings(max_examples=40)
def test_more_joints_in_the_wrong_place_lower_the_pose_at_any_size(joints: list[str], scale: float) -> None:
    wanted = person_at(0)
    far = 2 * NEAR * 400
    values = []
    found = wanted
    for joint in [None, *joints]:
        if joint is not None:
            found = moved(found, joint, far)
        values.append(measure_pose(posed([wanted], [found])).value)
    assert values == [
        pytest.approx(1 - wrong / len(wanted.body), abs=1e-3) for wrong in range(len(joints) + 1)
    ]
    small = [
        Person({name: (x * scale, y * scale) for name, (x, y) in one.body.items()}) for one in (wanted, found)
    ]
    size = (round(512 * scale) + 1, round(768 * scale) + 1)
    evidence = replace(posed(small[:1], small[1:]), shown=Shown(GREY.resize(size), (small[0],)))
    assert measure_pose(evidence).value == values[-1]


# View


def viewed(view: str, person: Person) -> Any:
    return measure_view(replace(posed(None, [person]), view=view)).value


@pytest.mark.parametrize("view", VIEWS)
def test_the_asked_side_is_right_and_the_opposite_one_wrong(view: str) -> None:
    turn = VIEWS[view].turn
    assert viewed(view, standing(turn)) == "right"
    opposite = "right" if view == "side" else "wrong"  # either side will do
    assert viewed(view, standing(turn - 180)) == opposite


def test_a_face_on_a_back_and_swapped_sides_are_wrong() -> None:
    back, front = standing(180), standing(0)
    assert viewed("back", back) == "right"
    face = {name: front.body[name] for name in ("nose", "left_eye", "right_eye")}
    assert viewed("back", Person({**back.body, **face})) == "wrong"
    swapped = mirrored(front, swapped=False)
    assert viewed("front", swapped) == "wrong"
    assert measure_view(replace(posed(None, [swapped]), view="front")).details["faults"] == [
        "left_and_right_swapped"
    ]
    assert viewed("front", mirrored(front, swapped=True)) == "right"


def test_profiles_are_not_fronts_and_both_sides_are_a_side() -> None:
    assert viewed("front", standing(90)) == "wrong"
    assert viewed("side", standing(0)) == "wrong"
    assert viewed("side", standing(90)) == viewed("side", standing(-90)) == "right"
    assert viewed("left", standing(-90)) == "wrong"
    assert viewed("front", standing(50)) == "unsure"


def test_a_view_that_cannot_be_told_has_a_reason() -> None:
    for evidence in (
        posed(None, [standing(0)]),
        replace(posed(None, None), view="front"),
        replace(posed(None, []), view="front"),
        replace(posed(None, [Person({"nose": (5, 5)})]), view="front"),
    ):
        measured = measure_view(evidence)
        assert measured.value is None
        assert measured.reason


# Colours


@pytest.mark.parametrize("number", PUBLISHED)
def test_the_difference_is_the_published_one(number: int) -> None:
    one, other, expected = PUBLISHED[number]
    pair = np.array(one, float), np.array(other, float)
    assert float(difference(*pair)) == pytest.approx(expected, abs=5e-5)
    assert float(difference(*pair[::-1])) == pytest.approx(expected, abs=5e-5)


@given(some.lists(some.tuples(*[some.integers(0, 255)] * 6), min_size=1, max_size=20))
@settings(max_examples=40)
def test_arrays_of_colours_are_compared_like_single_ones(rows: list[tuple[int, ...]]) -> None:
    colours = np.array(rows)
    found = difference(lab_of(colours[:, :3]), lab_of(colours[:, 3:]))
    for row, value in zip(rows, found, strict=True):
        assert value == pytest.approx(colour_difference(row[:3], row[3:]), abs=1e-6)  # type: ignore[arg-type]


@given(some.lists(some.integers(0, 50), min_size=36, max_size=36))
@settings(max_examples=40)
def test_colours_are_moved_over_the_least_distance(numbers: list[int]) -> None:
    costs = np.array(numbers, float).reshape(6, 6)
    assigned = assign(costs)
    assert sorted(assigned) == list(range(6))
    least = min(
        sum(costs[row, column] for row, column in enumerate(order)) for order in permutations(range(6))
    )
    assert costs[np.arange(6), assigned].sum() == least


def block(*colours: tuple[int, int, int]) -> Image.Image:
    """A figure of equal stripes on a white background."""
    picture = Image.new("RGB", (96, 144), WHITE)
    draw = ImageDraw.Draw(picture)
    height = 96 // len(colours)
    for at, colour in enumerate(colours):
        draw.rectangle((24, 24 + at * height, 71, 23 + (at + 1) * height), fill=colour)
    return picture


def palette_score(picture: Image.Image, *references: Image.Image) -> float:
    value = measure_palette(Evidence(Shown(picture), None, references=references)).value
    assert isinstance(value, float)
    return value


def test_a_known_difference_gives_a_known_score() -> None:
    red, orange, blue = (200, 30, 30), (220, 90, 30), (30, 60, 200)
    assert palette_score(block(red), block(red)) == 100.0
    expected = 100 * (1 - colour_difference(red, orange) / FURTHEST)
    # The edges of the stripes are mixed with the background when the picture is reduced.
    assert palette_score(block(red), block(orange)) == pytest.approx(expected, abs=1.5)
    half = palette_score(block(red, blue), block(red, orange))
    whole = palette_score(block(blue), block(orange))
    assert whole < half < 100
    # The order of stripes does not count, and the closest reference does.
    assert palette_score(block(red, blue), block(blue, red)) == pytest.approx(100, abs=1)
    assert palette_score(block(red), block(blue), block(red)) == 100.0
    # What there is of each colour counts.
    assert palette_score(block(red, red, red, blue), block(red, blue, blue, blue)) < 60


def test_parts_of_a_doll_are_compared_part_by_part() -> None:
    knight = character_of("female knight, silver armor, red cape, brown hair")
    queen = character_of("queen, purple dress, black hair")
    front = Shown(doll(knight, 0).picture, (person_at(0),))

    def against(character: Any, turn: float) -> Any:
        shown = Shown(doll(character, turn).picture, (person_at(turn),))
        return measure_palette(Evidence(shown, None, front=front))

    same, turned, other = against(knight, 0), against(knight, 90), against(queen, 0)
    assert same.value == 100.0
    assert set(same.details) >= {"front", "head", "torso", "legs"}
    assert 60 < turned.value < 100
    assert other.value < turned.value - 10


def test_colours_that_cannot_be_compared_have_a_reason() -> None:
    noise = Image.effect_noise((96, 96), 90).convert("RGB")
    for evidence in (
        Evidence(Shown(block((1, 2, 3))), None),
        Evidence(Shown(noise), None, references=(block((1, 2, 3)),)),
        Evidence(Shown(block((1, 2, 3))), None, references=(noise,)),
    ):
        measured = measure_palette(evidence)
        assert measured.value is None
        assert measured.reason


# Identity


def identity(numbers: Mapping[int, Sequence[float]], picture: Image.Image, *others: Image.Image) -> Any:
    """Measured by a model that knows these reds."""

    def embed(image: Image.Image) -> Sequence[float]:
        middle = image.getpixel((image.width // 2, image.height // 2))
        assert isinstance(middle, tuple)
        assert image.width == image.height
        return numbers[middle[0]]

    evidence = Evidence(
        Shown(picture), None, references=others, embed=embed, embedding_model="dinov2_b.safetensors"
    )
    return measure_identity(evidence)


def test_the_closest_reference_of_the_same_framing_counts() -> None:
    numbers = {10: (1.0, 0.0), 20: (0.6, 0.8), 30: (0.0, 1.0), 40: (-1.0, 0.0)}
    own, near, far, opposite = (block((red, 0, 0)) for red in (10, 20, 30, 40))
    assert identity(numbers, own, near, far).value == 60.0
    assert identity(numbers, own, opposite).value == 0.0
    found = identity(numbers, own, far, own)
    assert found.value == 100.0
    assert found.details["medians"] == {"genuine": 59.6, "impostor": 37.2}
    wide = Image.new("RGB", (144, 96), WHITE)
    ImageDraw.Draw(wide).rectangle((10, 38, 130, 58), fill=(10, 0, 0))
    assert identity(numbers, own, wide).value is None
    assert identity(numbers, own, wide, near).details["left_out"] == 1


def test_an_identity_that_cannot_be_measured_has_a_reason() -> None:
    own = block((10, 0, 0))
    assert measure_identity(Evidence(Shown(own), None, references=(own,))).value is None
    assert measure_identity(Evidence(Shown(own), None, embed=lambda _: (1.0,))).value is None
    for broken in ((0.0, 0.0), (math.nan, 1.0)):
        measured = identity({10: broken}, own, own)
        assert (measured.value, bool(measured.reason)) == (None, True)
    assert math.isnan(cosine((1.0,), (1.0, 2.0)))


# Clean


def faults(picture: Image.Image, *people: Person) -> list[str]:
    measured = measure_clean(Evidence(Shown(picture, people or None), None))
    assert measured.value is (not measured.details["faults"])
    found: list[str] = measured.details["faults"]
    return found


def test_blank_and_burnt_out_pictures_are_found() -> None:
    assert faults(GREY) == ["blank"]
    rng = np.random.default_rng(1)
    burnt = Image.fromarray(rng.choice(np.array([0, 255], np.uint8), (96, 96, 3)))
    assert faults(burnt) == ["saturated"]
    assert faults(block((200, 30, 30))) == []
    assert faults(block((0, 0, 0), (120, 90, 60))) == []  # line art on white
    assert faults(doll(character_of("queen, purple dress"), 0).picture, person_at(0)) == []


def test_a_figure_that_the_frame_cuts_off_is_found() -> None:
    shown = block((200, 30, 30), (30, 60, 200))
    joints = Person({"neck": (48, 40), "left_hip": (50, 80), "right_ankle": (46, 100)})
    for edge, box in (
        ("left", (30, 0, 96, 144)),
        ("top", (0, 30, 96, 144)),
        ("right", (0, 0, 66, 144)),
        ("bottom", (0, 0, 96, 110)),
    ):
        cut = shown.crop(box)
        here = Person({name: (x - box[0], y - box[1]) for name, (x, y) in joints.body.items()})
        assert faults(cut, here) == [f"cut_off_{edge}"]
        assert faults(cut) == (["cut_off_top"] if edge == "top" else [])
    # A pose that goes over the edge itself may be cut off there.
    low = Person({**joints.body, "right_ankle": (46, 200)})
    assert faults(shown.crop((0, 0, 96, 110)), low) == []


def test_every_measure_is_there_whatever_is_known() -> None:
    bare = measure(Evidence(Shown(GREY), None))
    assert tuple(bare) == MEASURES
    assert {name: each.value for name, each in bare.items()} == {
        **dict.fromkeys(MEASURES),
        "clean": False,
    }
    assert all(each.reason for name, each in bare.items() if name != "clean")
