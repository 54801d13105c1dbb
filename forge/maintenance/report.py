"""The report of a check of the store."""

from __future__ import annotations

from dataclasses import dataclass, field

KINDS = {
    "missing": "A file's bytes are gone. Repair: marked lost, until that content is uploaded again.",
    "altered": "A file's bytes are not those that were stored. Repair: moved to quarantine, marked lost.",
    "orphaned": "Bytes without a row. Repair: restored under a new id, or moved to quarantine.",
    "miscounted": "A row has another size than its bytes. Repair: the row is corrected.",
    "returned": "Lost bytes are back. Repair: no longer marked lost.",
    "unreleased": "A deleted file that is no longer used. Repair: row and bytes are removed.",
    "dangling": "A row that refers to a missing row. Repair: it is removed.",
    "output_missing": "A generated picture is gone. Repair: marked lost.",
    "output_altered": "A generated picture is not the one that was saved. Repair: the row is updated to the "
    "present picture, or the file is moved to quarantine and marked lost.",
    "output_returned": "A lost generated picture is back. Repair: no longer marked lost.",
    "tally": "A stored total differs from the rows. Repair: the rows are counted.",
    "leftover": "Left half done by a crash, or not removed because the system refused. Repair: removed.",
    "database": "The database file itself is damaged. No repair: restore a backup.",
}
MOST = 1000


@dataclass(frozen=True)
class Problem:
    """`kind` is one of KINDS. `name` is the name of a file in the storage or the outputs, never its path.
    `repaired` says what was done; None if nothing was."""

    kind: str
    detail: str
    file_id: str | None = None
    generation_id: str | None = None
    name: str | None = None
    repaired: str | None = None


@dataclass(frozen=True)
class Report:
    """`files` and `outputs` are the numbers of checked rows, `bytes` and `output_bytes` the sizes of the
    intact ones. `problems` has the first MOST problems, `problems_total` is the number of all, `counts` that
    of each kind. `lost_files` and `lost_outputs` were marked lost earlier, and are not counted as
    problems."""

    repair: bool
    files: int
    bytes: int
    outputs: int
    output_bytes: int
    lost_files: int
    lost_outputs: int
    counts: dict[str, int]
    problems_total: int
    problems: tuple[Problem, ...]
    seconds: float

    @property
    def clean(self) -> bool:
        return self.problems_total == 0


@dataclass
class Findings:
    """Collects the results while the check runs, in bounded memory."""

    files: int = 0
    bytes: int = 0
    outputs: int = 0
    output_bytes: int = 0
    lost_files: int = 0
    lost_outputs: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    problems: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        self.counts[problem.kind] += 1
        if len(self.problems) < MOST:
            self.problems.append(problem)

    def report(self, *, repair: bool, seconds: float) -> Report:
        return Report(
            repair=repair,
            files=self.files,
            bytes=self.bytes,
            outputs=self.outputs,
            output_bytes=self.output_bytes,
            lost_files=self.lost_files,
            lost_outputs=self.lost_outputs,
            counts=dict(self.counts),
            problems_total=sum(self.counts.values()),
            problems=tuple(self.problems),
            seconds=round(seconds, 3),
        )
