"""All measures of a picture, from what a judge has of it."""

from __future__ import annotations

from collections.abc import Mapping

from ..spec.scores import Measure
from .clean import measure_clean
from .evidence import Evidence
from .identity import measure_identity
from .palette import measure_palette
from .pose import measure_pose
from .view import measure_view


def measure(evidence: Evidence) -> Mapping[str, Measure]:
    """Every measure of the picture. One that cannot be measured has a reason instead of a value."""
    return {
        "pose": measure_pose(evidence),
        "view": measure_view(evidence),
        "palette": measure_palette(evidence),
        "identity": measure_identity(evidence),
        "clean": measure_clean(evidence),
    }
