"""What a judge has of a picture: the picture, what it was asked to show, and what was found in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

from ..pictures.doll.poses.person import Person

#: A picture -> the numbers by which pictures are compared; the more alike two are, the nearer these are.
Embed = Callable[[Image.Image], Sequence[float]]


@dataclass(frozen=True)
class Shown:
    """A picture, RGB, and the people that it was asked to show, in its pixels; None if that is not known."""

    picture: Image.Image
    people: tuple[Person, ...] | None = None


@dataclass(frozen=True)
class Evidence:
    """All that a picture is judged by.

    `view` is the view that was asked for. `found` are the people that `estimator` (with the file
    `estimator_model`, None if it brings its own) finds in the picture, in its pixels; None if nothing looked.
    `front` is the front beside it, `references` are pictures of the whole person, best first. `embed` is of
    the file `embedding_model`; None if nothing compares pictures.
    """

    shown: Shown
    view: str | None
    found: tuple[Person, ...] | None = None
    estimator: str | None = None
    estimator_model: str | None = None
    front: Shown | None = None
    references: tuple[Image.Image, ...] = ()
    embed: Embed | None = None
    embedding_model: str | None = None
