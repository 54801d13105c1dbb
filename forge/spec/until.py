"""How the pictures of a generation are judged, and what a picture must reach before re-rolls of it end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .scores import MeasureName, PictureScores

#: Pictures that are made of a view at most, the first one included.
TRIES, MOST_TRIES = 4, 20
#: The conditions that a request can set.
CONDITIONS: tuple[MeasureName, ...] = ("pose", "view", "palette", "identity")
#: How much a verdict on the view counts, from 0 to 1.
_VIEW_COUNTS = {"right": 1.0, "unsure": 0.5, "wrong": 0.0}
#: The largest value of each measure that is a number.
SCALES = {"pose": 1.0, "palette": 100.0, "identity": 100.0}


@dataclass(frozen=True)
class JudgeUse:
    """How the pictures of a generation are judged. `estimator` reads keypoints from a picture: "sdpose" with
    its checkpoint `estimator_model`, or "dwpose", which brings its own. `embedding` is the CLIP-Vision or
    DINOv2 file that compares pictures. None: there is none, and what needs it is not measured."""

    estimator: str | None = None
    estimator_model: str | None = None
    embedding: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Until:
    """What a picture must reach. None: no condition. `pose` is 0..1, `palette` and `identity` are 0..100, and
    `view` must be "right". `tries` is how many pictures are made of a view at most, with the first."""

    pose: float | None = None
    view: Literal["right"] | None = None
    palette: float | None = None
    identity: float | None = None
    tries: int = TRIES
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def conditions(self) -> tuple[MeasureName, ...]:
        """The names of the conditions that are set."""
        return tuple(name for name in CONDITIONS if getattr(self, name) is not None)

    def passes(self, scores: PictureScores | None, conditions: Sequence[str]) -> bool:
        """Whether a picture meets those of the conditions that apply to it. What could not be measured is not
        met."""
        return all(self._meets(name, scores) for name in conditions)

    def rank(self, scores: PictureScores | None, conditions: Sequence[str]) -> tuple[bool, int, float]:
        """What the takes of a picture are compared by, larger is better: whether it passes, how many
        conditions it meets, and the mean of what the conditions are about, each from 0 to 1."""
        met = sum(self._meets(name, scores) for name in conditions)
        values = [_share(name, scores) for name in conditions]
        mean = sum(values) / len(values) if values else 0.0
        return met == len(conditions), met, round(mean, 6)

    def _meets(self, name: str, scores: PictureScores | None) -> bool:
        value = scores[name].value if scores is not None else None
        wanted = getattr(self, name)
        if value is None:
            return False
        if name == "view":
            return bool(value == wanted)
        return isinstance(value, (int, float)) and value >= wanted


def _share(name: str, scores: PictureScores | None) -> float:
    """A measure from 0 to 1; one without a value counts as 0, because nothing speaks for the picture."""
    value = scores[name].value if scores is not None else None
    if name == "view":
        return _VIEW_COUNTS.get(str(value), 0.0)
    return float(value) / SCALES[name] if isinstance(value, (int, float)) else 0.0
