"""Faults that need no model: nothing to see, burnt-out colours, a figure that the frame cuts off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..pictures.figure import SOLID, find_figure
from ..spec.scores import Measure
from .evidence import Evidence

METHOD = "colours and border"
#: Long side of the copy that is looked at, in pixels.
SIDE = 256
#: The standard deviation of all channels (of 255) below which nothing is to be seen.
BLANK = 3.0
#: The share of pixels of which every channel is at its end from which a picture is burnt out. A plain white
#: or black background alone is none: its one colour is left out.
BURNT = 0.6
#: The share of an edge that the figure covers where it is cut off, and how far, as a share of the picture,
#: the pose must stay away from that edge for this to be a fault.
CUT, ROOM = 0.04, 0.03
EDGES = ("left", "top", "right", "bottom")


def measure_clean(evidence: Evidence) -> Measure:
    """True if none of the faults is found; `details["faults"]` names them."""
    picture = evidence.shown.picture
    small = picture.convert("RGB")
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    pixels = np.asarray(small, np.int16)
    faults = []
    if float(pixels.std(axis=(0, 1)).max()) < BLANK:
        faults.append("blank")
    elif _burnt(pixels) >= BURNT:
        faults.append("saturated")
    if not faults:
        faults += [f"cut_off_{edge}" for edge in _cut_edges(evidence)]
    return Measure(not faults, METHOD, details={"faults": faults})


def _burnt(pixels: NDArray[np.int16]) -> float:
    """The share of pixels, apart from a plain background, of which each channel is 0 or 255."""
    ends = (pixels <= 1) | (pixels >= 254)
    burnt: NDArray[np.bool_] = np.all(ends, axis=-1)
    codes = (pixels[..., 0] >= 128) * 4 + (pixels[..., 1] >= 128) * 2 + (pixels[..., 2] >= 128)
    border = np.concatenate([burnt[0], burnt[-1], burnt[:, 0], burnt[:, -1]])
    if border.mean() > 0.7:
        edge = np.concatenate([codes[0], codes[-1], codes[:, 0], codes[:, -1]])
        background = burnt & (codes == np.bincount(edge[border]).argmax())
        inside = ~background
        return float((burnt & inside).sum() / inside.sum()) if inside.any() else 0.0
    return float(burnt.mean())


def _cut_edges(evidence: Evidence) -> list[str]:
    """The edges over which the figure goes, although its pose does not. Without a pose only the upper edge
    counts: portraits end below."""
    picture = evidence.shown.picture
    figure = find_figure(picture)
    if figure is None:
        return []
    mask = np.asarray(figure.mask) >= SOLID
    covered = dict(
        zip(EDGES, (mask[:, 0].mean(), mask[0].mean(), mask[:, -1].mean(), mask[-1].mean()), strict=True)
    )
    people = [person.body.values() for person in evidence.shown.people or () if person.body]
    if not people:
        return ["top"] if covered["top"] >= CUT else []
    joints = [joint for body in people for joint in body]
    xs, ys = [x / picture.width for x, _ in joints], [y / picture.height for _, y in joints]
    room = dict(zip(EDGES, (min(xs), min(ys), 1 - max(xs), 1 - max(ys)), strict=True))
    return [edge for edge in EDGES if covered[edge] >= CUT and room[edge] >= ROOM]
