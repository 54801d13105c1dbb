"""How long a run will take, from how long runs like it took."""

from __future__ import annotations

import statistics
from collections import OrderedDict, deque

from ...db.records import GenerationRecord
from ..spec.avatar import AvatarSpec

LAST = 5  # runs of one kind that count
KINDS = 256  # kinds that are remembered; the one not used for longest goes
HISTORY = 200  # runs that are read at the start

Kind = tuple[str, int, int, int, int]


def kind_of(spec: AvatarSpec, views: int) -> Kind:
    """What decides how long a run takes, as far as one card is concerned."""
    return spec.family, spec.width, spec.height, spec.steps, views


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
        """What earlier starts of ComfyUI completed, oldest first."""
        for record in records:
            if record.is_manual or record.started_at is None or record.completed_at is None:
                continue
            spec = record.spec
            # After a re-roll the row holds the times of one view.
            if not spec.reseeded:
                seconds = (record.completed_at - record.started_at) / 1e6
                self.learn(kind_of(spec, len(spec.views)), seconds)

    def median_seconds(self, kind: Kind) -> float | None:
        """Seconds, the median of the last few; None where no such run is known."""
        known = self._seconds.get(kind)
        return statistics.median(known) if known else None

    def seconds_left(self, kind: Kind, elapsed: float, progress: float) -> float | None:
        """Seconds of running time left. The further a run is, the more its own pace counts."""
        usual = self.median_seconds(kind)
        if usual is None:
            return None
        by_history = max(0.0, usual - elapsed)
        by_pace = elapsed * (1 - progress) / progress if progress > 0 else by_history
        return by_history * (1 - progress) + by_pace * progress
