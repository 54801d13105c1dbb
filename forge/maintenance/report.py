"""What a check of the store found."""

from __future__ import annotations

from dataclasses import dataclass, field

KINDS = {
    "missing": "A file's bytes are gone. Repair: marked lost, until somebody uploads that content again.",
    "altered": "A file's bytes are not those that were stored. Repair: moved to quarantine, marked lost.",
    "orphaned": "Bytes that no row names. Repair: taken back under a new id, or moved to quarantine.",
    "miscounted": "A row gives another size than its bytes have. Repair: the row is corrected.",
    "returned": "Bytes that were lost are there again. Repair: the mark goes.",
    "unreleased": "A deleted file that nobody uses any more. Repair: row and bytes go.",
    "dangling": "A row that names another that does not exist. Repair: it goes.",
    "output_missing": "A generated picture is gone. Repair: marked lost.",
    "output_altered": "A generated picture is not the one that was made. Repair: taken as it is, or moved "
    "to quarantine and marked lost.",
    "output_returned": "A generated picture that was lost is there again. Repair: the mark goes.",
    "tally": "A kept total is not that of the rows. Repair: they are counted.",
    "leftover": "What a crash left half done, or the system refused to remove. Repair: removed.",
    "database": "The database file itself is damaged. No repair: restore a backup.",
}
MOST = 1000


@dataclass(frozen=True)
class Problem:
    """`kind` is one of KINDS. `name` is a file's name in the storage or among the outputs, never a path of
    the disk. `repaired` says what was done; None where nothing was."""

    kind: str
    detail: str
    file_id: str | None = None
    generation_id: str | None = None
    name: str | None = None
    repaired: str | None = None


@dataclass(frozen=True)
class Report:
    """`files` and `outputs` are rows whose bytes were looked at, `bytes` and `output_bytes` the good ones.
    `problems` holds the first of them, `problems_total` counts all, `counts` by kind. Lost ones are known
    from an earlier repair and are no problem any more."""

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
    """Collects while the check runs. However much is wrong, memory stays bounded."""

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
