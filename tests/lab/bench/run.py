"""The run as a whole: its parts in order, then the report."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ..environment import development_python
from ..obtain import obtain_comfyui
from ..progress import LabError, Status, bar
from . import clients, reads, turnaround
from .clients import allow_many_sockets
from .report import write_report
from .setting import Bench

#: Name on the command line -> what measures it. In the order of the report.
PARTS: dict[str, Callable[[Bench], None]] = {
    "reads": reads.measure,
    "clients": clients.measure,
    "turnaround": turnaround.measure,
}


def run_bench(root: Path, only: Sequence[str] = ()) -> int:
    """Measure, print one row per measurement, and return the exit code (a missed target is no failure).

    A whole run also writes ``docs/benchmarks.md`` and its plots; with ``only`` nothing is written.
    """
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise LabError(
            f"No part of the benchmark is called {', '.join(unknown)}. There are: {', '.join(PARTS)}."
        )
    comfyui = obtain_comfyui()
    allow_many_sockets()
    python = development_python(comfyui, root)
    chosen = {name: part for name, part in PARTS.items() if not only or name in only}
    with tempfile.TemporaryDirectory(prefix="avatarforge-bench-") as folder:
        bench = Bench(root, comfyui, python, Path(folder))
        for number, (name, part) in enumerate(chosen.items()):
            status = Status(f"{bar(number / len(chosen))} {name}")
            part(bench)
            status.done()
        if not only:
            write_report(bench)
    return 0
