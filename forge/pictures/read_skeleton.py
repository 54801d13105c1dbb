"""Reads the keypoints back from a picture of OpenPose skeletons.

`skeleton_discs` finds candidates for each joint. Here the limbs between them decide which belong together:
the line between two joints of a person has the limb's colour, except where later limbs and joints cover it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

from .openpose_json import MAX_PEOPLE, InvalidPose, NobodyVisible, PoseDocument
from .recognise import small_rgb
from .skeleton import KEYPOINT_NAMES, LIMBS, Keypoint, Skeleton
from .skeleton_discs import Disc, Discs, find_discs
from .skeleton_ink import FIRST_DISC, FIRST_LIMB, OUTSIDE, Ink, ink_of
from .skeleton_wrists import add_wrists_below_hands

# Long side of the copy that is read, in pixels; the next one if the discs in it are too small.
COPY_SIDES = (1024, 2048)
MIN_RADIUS = 2.4
# Below this, the colours of the discs in a picture that was scaled or compressed are those of its blur.
MIN_BLENDED_RADIUS = 1.8
# How much of the line between two joints has the limb's colour, of what is not covered.
MIN_LINK = 0.5
# For joints so close that nothing can be seen between them, and for limbs that are entirely covered.
TOUCHING = 0.4
COVERED = 0.2
# How much of the line may be neither of the limb's colour nor covered, for a limb that is nowhere visible.
MAX_UNCOVERED = 0.1
MAX_SAMPLES = 48
SPREAD = 8
# So many wrong samples at the beginning do not count, because they may be where another limb crosses.
MAX_FIRST_WRONG = 3
# A joint without any limb counts only if so much of its disc is visible, unless the picture is exactly as
# drawn.
MIN_ALONE = 0.5
# Fewer joints than this are no person.
MIN_JOINTS = 3
# Share of the ink that the discs and limbs of the people account for. Hands and dots may be as much again.
MIN_EXPLAINED = 0.25

_NONE_FOUND = (
    "No skeleton was found in the picture. A skeleton picture shows the OpenPose keypoints as coloured "
    "discs, joined by limbs, on black."
)
_NEIGHBOURS = tuple(
    frozenset(b if a == joint else a for a, b in LIMBS if joint in (a, b))
    for joint in range(len(KEYPOINT_NAMES))
)

_Joints = dict[int, Disc]


def read_skeleton(image: Image.Image) -> PoseDocument:
    """The people of a picture of skeletons: each joint that is visible at least in part. The canvas has the
    size of the picture.

    Reads pictures from 64 pixels on a side: drawn by `skeleton.draw_skeletons` or by an annotator, also
    scaled or compressed as JPEG. The dots of faces and hands are not read. People may not overlap.
    Transparent parts count as black. Works on a copy of at most 2048 pixels per side.

    Raises NobodyVisible if there is no skeleton, and InvalidPose if there are more than MAX_PEOPLE, or if the
    joints are too small to be read.
    """
    found = _read(image)
    people = [] if found is None else _people(*found)
    if found is None or not people:
        raise NobodyVisible(_NONE_FOUND)
    if len(people) > MAX_PEOPLE:
        raise InvalidPose(f"The picture has {len(people)} skeletons; at most {MAX_PEOPLE} are drawn.")
    ink, discs = found
    if not ink.exact and discs.radius < MIN_BLENDED_RADIUS:
        raise InvalidPose(
            "The skeleton was scaled down or compressed so much that its joints cannot be told apart. Send "
            "the picture as it was drawn, as PNG."
        )
    for joints in people:
        add_wrists_below_hands(joints, ink, discs.radius)
    return PoseDocument(tuple(_skeleton(joints, ink, image.size) for joints in people), *image.size)


def _read(image: Image.Image) -> tuple[Ink, Discs] | None:
    """The discs in the smallest copy in which they are large enough."""
    found = None
    large = small_rgb(image, COPY_SIDES[-1]).convert("RGB")
    for side in COPY_SIDES:
        scaled = max(image.size) > side
        ink = ink_of(small_rgb(large, side), scaled=scaled)
        discs = None if ink is None else find_discs(ink)
        if ink is not None and discs is not None:
            found = ink, discs
        if not scaled or (discs is not None and discs.radius >= MIN_RADIUS):
            break
    return found


def _skeleton(joints: _Joints, ink: Ink, size: tuple[int, int]) -> Skeleton:
    width, height = size
    scale_x, scale_y = width / ink.width, height / ink.height

    def place(disc: Disc) -> Keypoint:
        # The first pixel's centre is at 0, so it moves when a picture is scaled.
        x, y = (disc.x + 0.5) * scale_x - 0.5, (disc.y + 0.5) * scale_y - 0.5
        return Keypoint(x / width, y / height)

    return Skeleton(
        tuple(place(joints[at]) if at in joints else None for at in range(len(KEYPOINT_NAMES))),
        width / height,
    )


#: A candidate: a joint, and the number of one of its discs.
_Candidate = tuple[int, int]


@dataclass(frozen=True)
class _Link:
    """A limb between two candidates."""

    strength: float
    length: float
    limb: int
    first: _Candidate
    second: _Candidate

    @property
    def is_visible(self) -> bool:
        return self.strength >= MIN_LINK


def _people(ink: Ink, discs: Discs) -> list[_Joints]:
    """The joints of each person, by their index in KEYPOINT_NAMES, from left to right."""
    links = _best_links(_links(ink, discs))
    if _explained(discs, links) < MIN_EXPLAINED * ink.area:
        return []
    joined = {end for link in links if link.is_visible for end in (link.first, link.second)}
    parts = _parts(discs, links)
    parts.sort(key=lambda part: (not part & joined, -len(part), min(part)))
    people: list[_Joints] = []
    alone: list[tuple[int, Disc]] = []
    for part in parts:
        joints = {joint: discs.found[joint][number] for joint, number in part}
        if len(joints) > 1:
            _add_part(people, joints, may_be_new=bool(part & joined))
        else:
            alone += joints.items()
    _add_alone(people, alone, ink.exact)
    people = [joints for joints in people if len(joints) >= MIN_JOINTS]
    return sorted(people, key=lambda joints: min((disc.x, disc.y) for disc in joints.values()))


def _best_links(links: list[_Link]) -> list[_Link]:
    """The strongest links, so that each candidate has one limb of a kind."""
    best: list[_Link] = []
    used: set[tuple[int, _Candidate]] = set()
    for link in sorted(links, key=lambda link: (-link.strength, link.length)):
        ends = {(link.limb, link.first), (link.limb, link.second)}
        if not used & ends:
            used |= ends
            best.append(link)
    return best


def _parts(discs: Discs, links: list[_Link]) -> list[set[_Candidate]]:
    """The candidates that links join. Limbs form a tree, so each joint is in a part once."""
    parts = {
        (joint, number): {(joint, number)}
        for joint, candidates in enumerate(discs.found)
        for number in range(len(candidates))
    }
    for link in links:
        merged = parts[link.first] | parts[link.second]
        parts |= dict.fromkeys(merged, merged)
    return list({id(part): part for part in parts.values()}.values())


def _explained(discs: Discs, links: list[_Link]) -> float:
    """The number of pixels of the visible limbs, which are ellipses, and of the discs at their ends."""
    visible = [link for link in links if link.is_visible]
    ends = {end for link in visible for end in (link.first, link.second)}
    limbs = sum(math.pi / 2 * link.length * discs.radius for link in visible)
    return limbs + sum(
        math.pi * discs.radius**2 * discs.found[joint][number].visible for joint, number in ends
    )


def _links(ink: Ink, discs: Discs) -> list[_Link]:
    links = []
    for limb, (first, second) in enumerate(LIMBS):
        for i, start in enumerate(discs.found[first]):
            for j, end in enumerate(discs.found[second]):
                strength = _strength(ink, limb, start, end, discs.radius)
                if strength > 0:
                    length = math.hypot(end.x - start.x, end.y - start.y)
                    links.append(_Link(strength, length, limb, (first, i), (second, j)))
    return links


def _strength(ink: Ink, limb: int, start: Disc, end: Disc, radius: float) -> float:
    """How much of the line between two discs shows the limb, from 0 to 1; 0 if too little does."""
    along_x, along_y = end.x - start.x, end.y - start.y
    length = math.hypot(along_x, along_y)
    visible = length - 2 * radius - 2.0
    if visible < 2.0:
        return TOUCHING
    count = min(MAX_SAMPLES, math.ceil(visible))
    # In this order the first samples are spread over the line, so that most wrong pairs are found early.
    order = [at for first in range(SPREAD) for at in range(first, count, SPREAD)]
    own = wrong = 0
    for at in order:
        share = (radius + 1.0 + visible * (at + 0.5) / count) / length
        kind = ink.at(start.x + along_x * share, start.y + along_y * share)
        if kind == FIRST_LIMB + limb:
            own += 1
        elif not (FIRST_DISC <= kind < FIRST_LIMB or FIRST_LIMB + limb < kind <= OUTSIDE):
            wrong += 1
            if wrong > MAX_FIRST_WRONG and wrong > 2 * own:
                return 0.0
    if own == 0:
        # Entirely covered: possible, but nothing speaks for it.
        return COVERED if wrong <= MAX_UNCOVERED * count else 0.0
    strength = own / (own + wrong)
    return strength if strength >= MIN_LINK else 0.0


def _fits(person: _Joints, joints: _Joints) -> bool:
    """Whether joints that are not linked to a person's may be the same person's. Between two joints that a
    limb connects, it would be drawn."""
    return not any(joint in person or _NEIGHBOURS[joint] & person.keys() for joint in joints)


def _gap(person: _Joints, joints: _Joints) -> float:
    return min(
        math.hypot(first.x - second.x, first.y - second.y)
        for first in person.values()
        for second in joints.values()
    )


def _add_part(people: list[_Joints], joints: _Joints, *, may_be_new: bool) -> None:
    """Add linked joints to the nearest person that they may belong to, or as a new one."""
    fitting = [person for person in people if _fits(person, joints)]
    if fitting:
        min(fitting, key=lambda person: _gap(person, joints)).update(joints)
    elif may_be_new:
        people.append(joints)


def _add_alone(people: list[_Joints], alone: list[tuple[int, Disc]], exact: bool) -> None:
    """Add joints without a limb. If several could be a person's, they are something else, such as the
    keypoints of a hand."""
    wanted: dict[tuple[int, int], list[Disc]] = {}
    for joint, disc in alone:
        fitting = [at for at, person in enumerate(people) if _fits(person, {joint: disc})]
        if fitting and (exact or disc.visible >= MIN_ALONE):
            nearest = min(fitting, key=lambda at: _gap(people[at], {joint: disc}))
            wanted.setdefault((nearest, joint), []).append(disc)
    for (at, joint), candidates in wanted.items():
        if len(candidates) == 1:
            people[at][joint] = candidates[0]
