"""The region of a face in a picture, and a redrawn face in it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from avatarforge.forge.pictures.doll.poses.people import person_of
from avatarforge.forge.pictures.doll.poses.person import Person
from avatarforge.forge.pictures.doll.poses.proportions import HEAD
from avatarforge.forge.pictures.face_region import FaceRegion, find_face, put_face, region_mask
from avatarforge.forge.pictures.skeleton import view_skeleton
from avatarforge.forge.spec.views import VIEWS

WIDTH, HEIGHT = 120, 160
#: Pixels: the figure with its margins fills the height.
STATURE = HEIGHT / 1.13


def standing(view: str) -> Person:
    return person_of(view_skeleton(view), WIDTH, HEIGHT)


@pytest.mark.parametrize("view", [view.name for view in VIEWS.values() if view.shows_face])
def test_the_region_of_each_view_is_its_head(view: str) -> None:
    person = standing(view)
    region = find_face([person], 0.0)
    assert region is not None
    # From the chin, at 0.870 of the stature, to the crown.
    assert region.radius == pytest.approx(0.065 * STATURE, rel=0.12)
    assert abs(region.x - WIDTH / 2) < 0.35 * region.radius
    assert abs(region.y - (HEIGHT - (0.05 + 0.935) * STATURE)) < 0.25 * region.radius
    visible = [person.body[name] for name in HEAD if name in person.body]
    assert all(math.dist((region.x, region.y), point) < 1.2 * region.radius for point in visible)
    # The shoulders are not part of it.
    wide = find_face([person], 0.25)
    assert wide is not None
    assert wide.radius == pytest.approx(1.25 * region.radius)
    assert wide.y + wide.radius < person.body["neck"][1]


@pytest.mark.parametrize("view", ["back", "back_left", "back_right"])
def test_from_behind_there_is_no_face(view: str) -> None:
    assert find_face([standing(view)], 0.25) is None
    assert find_face([], 0.25) is None


def test_of_several_people_the_largest_head_counts() -> None:
    near, far = standing("front"), person_of(view_skeleton("front"), WIDTH, HEIGHT // 2)
    assert find_face([far, near], 0.0) == find_face([near], 0.0) != find_face([far], 0.0)


def test_a_large_head_of_a_stylised_figure_has_a_large_region() -> None:
    usual = standing("front")
    x, y = usual.body["nose"]
    head = {
        name: (x + 2 * (at - x), y + 2 * (down - y))
        for name, (at, down) in usual.body.items()
        if name in HEAD
    }
    small, large = (find_face([person], 0.0) for person in (usual, Person({**usual.body, **head})))
    assert small is not None and large is not None
    assert large.radius == pytest.approx(2 * small.radius, rel=0.15)


def test_a_head_alone_is_enough() -> None:
    usual = standing("front")
    alone = find_face([Person({name: usual.body[name] for name in HEAD})], 0.0)
    whole = find_face([usual], 0.0)
    assert alone is not None and whole is not None
    assert alone.radius == pytest.approx(whole.radius, rel=0.2)


def test_the_mask_is_soft_inside_the_region_only() -> None:
    region = FaceRegion(20.0, 14.0, 9.0)
    rows, columns = np.mgrid[0:30, 0:40]
    distance = np.hypot(columns + 0.5 - region.x, rows + 0.5 - region.y)
    mask = region_mask(region, 40, 30, 0.5)
    assert mask.shape == (30, 40)
    assert mask.dtype == np.float32
    assert not mask[distance >= region.radius].any()
    assert (mask[distance <= region.radius / 2 - 0.1] == 1).all()
    soft = mask[(distance < region.radius - 0.1) & (distance > region.radius / 2 + 0.1)]
    assert ((soft > 0) & (soft < 1)).all()
    nearer = np.argsort(distance, axis=None)
    assert (np.diff(mask.ravel()[nearer]) <= 1e-6).all()
    hard = region_mask(region, 40, 30, 0.0)
    assert set(np.unique(hard)) == {0.0, 1.0}
    assert (hard > 0).sum() == (mask > 0).sum()


def test_a_region_partly_outside_of_the_picture_is_cut() -> None:
    assert region_mask(FaceRegion(0.0, 0.0, 5.0), 8, 8, 0.3)[0, 0] > 0
    assert not region_mask(FaceRegion(-20.0, 4.0, 5.0), 8, 8, 0.3).any()


def test_outside_of_the_mask_no_bit_of_the_original_changes() -> None:
    numbers = np.random.default_rng(3)
    original, redrawn = (numbers.random((1, 12, 10, 3), dtype=np.float32) for _ in range(2))
    mask = region_mask(FaceRegion(5.0, 6.0, 4.0), 10, 12, 0.5)[None]
    result = put_face(original, redrawn, mask)
    assert result.dtype == np.float32
    outside = mask == 0
    assert result[outside].tobytes() == original[outside].tobytes()
    whole = mask == 1
    assert np.allclose(result[whole], redrawn[whole])
    inside = (mask > 0) & (mask < 1)
    assert (result[inside] != original[inside]).any()
    assert outside.any() and whole.any() and inside.any()
