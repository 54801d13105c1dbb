"""The scores of a picture: how well it matches what was asked for, as stored data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, get_args

from .stored import from_fields, to_fields, to_json_text

MeasureName = Literal["pose", "view", "palette", "identity", "clean"]
#: What is measured, in the order in which answers have it.
MEASURES: tuple[MeasureName, ...] = get_args(MeasureName)
ViewVerdict = Literal["right", "wrong", "unsure"]
VIEW_VERDICTS: tuple[ViewVerdict, ...] = get_args(ViewVerdict)


@dataclass(frozen=True)
class Measure:
    """One measure of a picture. `value` is None if it could not be measured, never 0; `reason` is then a
    sentence on why. `method` is how it was measured and `model` with which model file or node, None for none.
    `details` are further numbers and names."""

    value: float | str | bool | None = None
    method: str | None = None
    model: str | None = None
    reason: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PictureScores:
    """The measures of one take of a picture.

    `pose` is 0..1, `view` a ViewVerdict, `palette` and `identity` are 0..100, `clean` is true or false.
    `prompt_id` is the prompt that judged it.
    """

    measures: Mapping[str, Measure] = field(default_factory=dict)
    prompt_id: str = ""
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Measure:
        """The measure of that name; one without a value if it is not there."""
        return self.measures.get(name, _NOT_MEASURED)

    def to_json(self) -> str:
        measures = {name: to_fields(measure) for name, measure in self.measures.items()}
        return to_json_text({"measures": measures, "prompt_id": self.prompt_id, **self.unknown})


_NOT_MEASURED = Measure(reason="It was not measured.")


# A picture is read again whenever the status of its generation changes, with the same scores.
@lru_cache(maxsize=512)
def read_scores(text: str) -> PictureScores:
    """Read stored scores. Raises ValueError if they are invalid."""
    data: dict[str, Any] = json.loads(text)
    measures = {name: from_fields(Measure, item) for name, item in data.get("measures", {}).items()}
    return from_fields(PictureScores, {**data, "measures": measures})


def not_measured(reason: str, prompt_id: str) -> PictureScores:
    """The scores of a picture of which nothing could be measured, for that reason: a sentence."""
    return PictureScores({name: Measure(reason=reason) for name in MEASURES}, prompt_id)
