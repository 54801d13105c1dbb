"""Estimates the running time of a generation from earlier ones of the same kind."""

from __future__ import annotations

import statistics
from collections import OrderedDict, deque

from ...db.records import GenerationRecord
from ..spec.avatar import AvatarSpec

LAST = 5  # runs remembered per kind
KINDS = 256  # kinds remembered; the least recently used is dropped
HISTORY = 200  # runs read at startup

Kind = tuple[str, int, int, int, int]


def kind_of(spec: AvatarSpec, pictures: int) -> Kind:
    """Everything that decides how long a run of so many pictures takes on one GPU."""
    family = spec.template.id if spec.template else spec.family
    return family, spec.width, spec.height, spec.steps, pictures


class RunningTimes:
    """The running times of the last few completed runs of each kind, in memory."""

    def __init__(self) -> None:
        self._seconds: OrderedDict[Kind, deque[float]] = OrderedDict()

    def learn(self, kind: Kind, seconds: float) -> None:
        self._seconds.setdefault(kind, deque(maxlen=LAST)).append(seconds)
        self._seconds.move_to_end(kind)
        if len(self._seconds) > KINDS:
            self._seconds.popitem(last=False)

    def learn_from(self, records: list[GenerationRecord]) -> None:
        """Learn from the generations of earlier starts of ComfyUI, oldest first."""
        for record in records:
            if record.is_manual or record.started_at is None or record.completed_at is None:
                continue
            spec = record.spec
            # After a re-roll, the row has the times of one view.
            if not spec.reseeded:
                seconds = (record.completed_at - record.started_at) / 1e6
                self.learn(kind_of(spec, len(spec.pictures)), seconds)

    def median_seconds(self, kind: Kind) -> float | None:
        """The median of the remembered runs, in seconds; None if there are none."""
        seconds = self._seconds.get(kind)
        return statistics.median(seconds) if seconds else None

    def seconds_left(self, kind: Kind, elapsed: float, progress: float) -> float | None:
        """Seconds of running time left; None if unknown. The further a run is, the more its own pace
        counts."""
        median = self.median_seconds(kind)
        if median is None:
            return None
        by_history = max(0.0, median - elapsed)
        by_pace = elapsed * (1 - progress) / progress if progress > 0 else by_history
        return by_history * (1 - progress) + by_pace * progress
