"""Skeletons: keypoint order, the four views of one body, and what is drawn where."""

from __future__ import annotations

import math

import pytest
from PIL import Image, ImageChops

from avatarforge.forge.pictures.skeleton import (
    KEYPOINT_COLOURS,
    KEYPOINT_NAMES,
    LIMB_COLOURS,
    LIMBS,
    BoneStyle,
    Keypoint,
    Skeleton,
    draw_skeleton,
    view_skeleton,
)
from avatarforge.forge.spec.views import SHEET_VIEWS

SIDES = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


def place(skeleton: Skeleton, name: str) -> tuple[float, float]:
    """A keypoint in units of the frame's height, so that distances are comparable between frames."""
    point = skeleton[name]
    assert point is not None, name
    return point.x * skeleton.aspect, point.y


def pixel(skeleton: Skeleton, name: str, width: int, height: int) -> tuple[int, int]:
    """Where a keypoint falls in a picture at least as wide as the frame."""
    x, y = place(skeleton, name)
    return round(width / 2 + (x - skeleton.aspect / 2) * height), round(y * height)


def figure_box(image: Image.Image) -> tuple[int, int, int, int]:
    box = image.getbbox()
    assert box is not None
    return box


def test_keypoints_are_in_openpose_order() -> None:
    assert KEYPOINT_NAMES[:2] == ("nose", "neck")
    assert KEYPOINT_NAMES[2:5] == ("right_shoulder", "right_elbow", "right_wrist")
    assert KEYPOINT_NAMES[5:8] == ("left_shoulder", "left_elbow", "left_wrist")
    assert KEYPOINT_NAMES[8:11] == ("right_hip", "right_knee", "right_ankle")
    assert KEYPOINT_NAMES[11:14] == ("left_hip", "left_knee", "left_ankle")
    assert KEYPOINT_NAMES[14:] == ("right_eye", "left_eye", "right_ear", "left_ear")


def test_limbs_join_every_keypoint_into_one_tree() -> None:
    assert len(LIMBS) == len(KEYPOINT_NAMES) - 1
    reached = {1}
    for _ in LIMBS:
        reached |= {end for limb in LIMBS if reached & set(limb) for end in limb}
    assert reached == set(range(len(KEYPOINT_NAMES)))


def test_colours_are_the_annotators_rainbow() -> None:
    assert KEYPOINT_COLOURS[0] == (255, 0, 0)
    assert KEYPOINT_COLOURS[1] == (255, 85, 0)
    assert KEYPOINT_COLOURS[4] == (170, 255, 0)
    assert KEYPOINT_COLOURS[10] == (0, 170, 255)
    assert KEYPOINT_COLOURS[13] == (85, 0, 255)
    assert KEYPOINT_COLOURS[17] == (255, 0, 85)
    assert len(set(KEYPOINT_COLOURS)) == 18
    assert LIMB_COLOURS[0] == (153, 0, 0)
    assert LIMB_COLOURS[16] == (153, 0, 102)


@pytest.mark.parametrize(
    ("view", "hidden"),
    [
        ("front", set()),
        ("back", {"nose", "right_eye", "left_eye"}),
        ("side", {"right_eye", "right_ear"}),
        ("quarter", {"right_ear"}),
    ],
)
def test_each_view_hides_what_cannot_be_seen(view: str, hidden: set[str]) -> None:
    skeleton = view_skeleton(view)
    assert {name for name in KEYPOINT_NAMES if skeleton[name] is None} == hidden


def test_left_and_right_are_the_persons_own() -> None:
    front, back = view_skeleton("front"), view_skeleton("back")
    for part in SIDES:
        assert place(front, f"right_{part}")[0] < place(front, "neck")[0] < place(front, f"left_{part}")[0]
        assert place(back, f"left_{part}")[0] < place(back, "neck")[0] < place(back, f"right_{part}")[0]
    assert place(back, "left_ear")[0] < place(back, "right_ear")[0]


def test_side_and_quarter_face_the_left_of_the_picture() -> None:
    for view in ("side", "quarter"):
        skeleton = view_skeleton(view)
        assert place(skeleton, "nose")[0] < place(skeleton, "left_eye")[0] < place(skeleton, "left_ear")[0]
        assert place(skeleton, "nose")[0] < place(skeleton, "neck")[0]


def test_back_is_the_mirror_image_of_the_front() -> None:
    front, back = view_skeleton("front"), view_skeleton("back")
    assert back.aspect == pytest.approx(front.aspect)
    for name in KEYPOINT_NAMES:
        item, other = front[name], back[name]
        if item is not None and other is not None:
            assert (other.x, other.y) == pytest.approx((1 - item.x, item.y))


def test_front_is_symmetric_to_the_eye() -> None:
    front = view_skeleton("front")
    axis = place(front, "neck")[0]
    for part in (*SIDES, "eye", "ear"):
        right, left = place(front, f"right_{part}"), place(front, f"left_{part}")
        assert axis - right[0] == pytest.approx(left[0] - axis, abs=0.002)
        assert right[1] == pytest.approx(left[1], abs=0.005)


def test_all_views_show_one_body_at_one_scale() -> None:
    front = view_skeleton("front")
    for view in SHEET_VIEWS:
        skeleton = view_skeleton(view)
        for name in KEYPOINT_NAMES:
            if skeleton[name] is not None:
                assert place(skeleton, name)[1] == pytest.approx(place(front, name)[1]), (view, name)


def test_quarter_lies_between_front_and_side() -> None:
    def shoulders(view: str) -> float:
        skeleton = view_skeleton(view)
        return abs(place(skeleton, "left_shoulder")[0] - place(skeleton, "right_shoulder")[0])

    assert shoulders("side") < 0.3 * shoulders("quarter")
    assert 0.65 < shoulders("quarter") / shoulders("front") < 0.85


def test_profile_keeps_the_two_legs_and_the_two_arms_apart() -> None:
    side = view_skeleton("side")
    for part in ("wrist", "knee", "ankle"):
        assert abs(place(side, f"left_{part}")[0] - place(side, f"right_{part}")[0]) > 0.03, part


def test_arms_are_clear_of_the_body() -> None:
    for view in ("front", "back", "quarter"):
        skeleton = view_skeleton(view)
        for side in ("left", "right"):
            away = abs(place(skeleton, f"{side}_wrist")[0] - place(skeleton, f"{side}_hip")[0])
            assert away > 0.06, (view, side)


def test_proportions_are_a_grown_persons() -> None:
    front = view_skeleton("front")

    def length(start: str, end: str) -> float:
        return math.dist(place(front, start), place(front, end))

    leg = length("left_hip", "left_knee") + length("left_knee", "left_ankle")
    arm = length("left_shoulder", "left_elbow") + length("left_elbow", "left_wrist")
    nose_to_ankle = place(front, "left_ankle")[1] - place(front, "nose")[1]
    assert 0.5 < leg / nose_to_ankle < 0.62
    assert 0.6 < arm / leg < 0.75
    assert length("left_elbow", "left_wrist") < length("left_shoulder", "left_elbow")
    assert length("left_hip", "right_hip") < length("left_shoulder", "right_shoulder")


def test_unknown_view_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="front, back, side, quarter"):
        view_skeleton("top")


@pytest.mark.parametrize("view", SHEET_VIEWS)
def test_joints_and_bones_have_their_colours(view: str) -> None:
    skeleton = view_skeleton(view)
    image = draw_skeleton(skeleton, 1024, 1536)
    assert image.mode == "RGB"
    assert image.size == (1024, 1536)
    assert image.getpixel((0, 0)) == (0, 0, 0)
    for name in ("left_wrist", "right_wrist", "left_ankle", "right_ankle", "left_ear"):
        at = pixel(skeleton, name, 1024, 1536)
        assert image.getpixel(at) == KEYPOINT_COLOURS[KEYPOINT_NAMES.index(name)], name
    # The shank and the forearm lie over nothing else in any view.
    for (start, end), colour in zip(LIMBS, LIMB_COLOURS, strict=True):
        if KEYPOINT_NAMES[end].endswith(("ankle", "wrist")):
            first = pixel(skeleton, KEYPOINT_NAMES[start], 1024, 1536)
            second = pixel(skeleton, KEYPOINT_NAMES[end], 1024, 1536)
            middle = ((first[0] + second[0]) // 2, (first[1] + second[1]) // 2)
            assert image.getpixel(middle) == colour, KEYPOINT_NAMES[end]


def test_hidden_keypoints_leave_no_mark() -> None:
    colours = {
        colour for _, colour in draw_skeleton(view_skeleton("back"), 512, 768).getcolors(512 * 768) or []
    }
    for name in ("nose", "right_eye", "left_eye"):
        assert KEYPOINT_COLOURS[KEYPOINT_NAMES.index(name)] not in colours
    assert KEYPOINT_COLOURS[KEYPOINT_NAMES.index("left_ear")] in colours


def test_near_limbs_lie_over_far_ones_in_profile() -> None:
    front_hip, back_hip = KEYPOINT_NAMES.index("right_hip"), KEYPOINT_NAMES.index("left_hip")
    order = [end for _, end in LIMBS]
    assert order.index(front_hip) < order.index(back_hip)
    assert order.index(KEYPOINT_NAMES.index("right_wrist")) < order.index(KEYPOINT_NAMES.index("left_wrist"))


@pytest.mark.parametrize(
    ("width", "height"), [(512, 768), (768, 768), (1024, 768), (384, 768), (256, 1024), (768, 512)]
)
@pytest.mark.parametrize("view", SHEET_VIEWS)
def test_body_is_never_distorted(view: str, width: int, height: int) -> None:
    reference = figure_box(draw_skeleton(view_skeleton(view), 768, 768))
    left, top, right, bottom = figure_box(draw_skeleton(view_skeleton(view), width, height))
    expected = (reference[2] - reference[0]) / (reference[3] - reference[1])
    # Bones and joints have a thickness of their own.
    assert (right - left) / (bottom - top) == pytest.approx(expected, abs=0.03)
    assert left > 0
    assert right < width
    assert top > 0
    assert 0.8 * height < bottom < height


@pytest.mark.parametrize("view", ["front", "back"])
def test_body_stands_in_the_middle(view: str) -> None:
    left, _, right, _ = figure_box(draw_skeleton(view_skeleton(view), 900, 768))
    assert (left + right) / 2 == pytest.approx(450, abs=3)


def test_views_drawn_at_one_height_are_equally_high_even_in_a_narrow_profile() -> None:
    heights = set()
    for view in ("front", "quarter", "side"):
        box = figure_box(draw_skeleton(view_skeleton(view), 384 if view == "side" else 512, 768))
        heights.add((box[1], box[3]))
    assert len(heights) == 1


def test_drawing_is_repeatable() -> None:
    for view in SHEET_VIEWS:
        first, second = (draw_skeleton(view_skeleton(view), 512, 768) for _ in range(2))
        assert ImageChops.difference(first, second).getbbox() is None


@pytest.mark.parametrize(
    ("width", "height", "radius"),
    [(512, 512, 4), (512, 768, 4), (384, 768, 4), (256, 256, 2), (1024, 1024, 8)],
)
def test_standard_bones_grow_with_the_picture(width: int, height: int, radius: int) -> None:
    assert BoneStyle.STANDARD.stick_width(width, height) == radius


@pytest.mark.parametrize(
    ("side", "factor"),
    [
        (499, 1),
        (500, 2),
        (999, 2),
        (1000, 3),
        (1999, 3),
        (2000, 4),
        (3000, 5),
        (4000, 6),
        (5000, 7),
        (9000, 7),
    ],
)
def test_xinsir_bones_follow_the_model_card(side: int, factor: int) -> None:
    assert BoneStyle.XINSIR.stick_width(side, side // 2) == 4 * factor


def test_thickness_is_seen_in_the_picture() -> None:
    skeleton = view_skeleton("front")
    _, y = pixel(skeleton, "left_ankle", 1024, 1024)
    for style in BoneStyle:
        image = draw_skeleton(skeleton, 1024, 1024, style)
        colour = KEYPOINT_COLOURS[KEYPOINT_NAMES.index("left_ankle")]
        run = sum(image.getpixel((x, y)) == colour for x in range(1024))
        assert run == 2 * style.stick_width(1024, 1024) + 1


@pytest.mark.parametrize(("width", "height"), [(0, 10), (10, 0), (-1, 10)])
def test_a_picture_has_a_size(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="at least 1x1"):
        draw_skeleton(view_skeleton("front"), width, height)


def test_a_skeleton_has_18_keypoints_and_a_frame() -> None:
    with pytest.raises(ValueError, match="18 keypoints, not 17"):
        Skeleton((Keypoint(0.5, 0.5),) * 17, 1.0)
    for aspect in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="positive"):
            Skeleton((None,) * 18, aspect)
    assert draw_skeleton(Skeleton((None,) * 18, 1.0), 64, 64).getbbox() is None
