"""Runs the parts of the benchmark in order and writes the report."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..environment import development_python
from ..obtain import obtain_comfyui
from ..progress import LabError, bar
from . import (
    attention,
    batch,
    characters,
    clients,
    doll,
    generate,
    limits,
    panel,
    reads,
    startup,
    turnaround,
    upkeep,
    uploads,
)
from .clients import allow_many_sockets
from .line import StatusLine
from .report import summary, write_report
from .rows import Row
from .setting import Bench

#: Name on the command line -> function that measures it, in the order of the report.
PARTS: dict[str, Callable[[Bench], None]] = {
    "limits": limits.measure,
    "uploads": uploads.measure,
    "reads": reads.measure,
    "characters": characters.measure,
    "clients": clients.measure,
    "generate": generate.measure,
    "startup": startup.measure,
    "turnaround": turnaround.measure,
    "batch": batch.measure,
    "attention": attention.measure,
    "doll": doll.measure,
    "panel": panel.measure,
    "upkeep": upkeep.measure,
}


def run_bench(root: Path, only: Sequence[str] = ()) -> int:
    """Measure and print one row per measurement. Returns 1 if a part could not be measured.

    A missed target is no failure. A full run also writes ``docs/benchmarks.md`` and its plots; with ``only``,
    nothing is written.
    """
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise LabError(
            f"Unknown parts of the benchmark: {', '.join(unknown)}. Choose from {', '.join(PARTS)}."
        )
    comfyui = obtain_comfyui()
    allow_many_sockets()
    python = development_python(comfyui, root)
    chosen = {name: part for name, part in PARTS.items() if not only or name in only}
    with tempfile.TemporaryDirectory(prefix="avatarforge-bench-", ignore_cleanup_errors=True) as folder:
        bench = Bench(root, comfyui, python, Path(folder))
        failed = measure_parts(bench, chosen)
        if not only:
            write_report(bench)
    print(f"\n{summary(bench.rows)}")
    if failed:
        print(f"Could not be measured: {', '.join(failed)}.")
    return 1 if failed else 0


def measure_parts(bench: Bench, parts: Mapping[str, Callable[[Bench], None]]) -> list[str]:
    """Run each part. Returns the names of those that failed; a failure does not stop the others."""
    failed = []
    for number, (name, part) in enumerate(parts.items()):
        with StatusLine(f"{bar(number / len(parts))} {name} ({number + 1} of {len(parts)})") as line:
            bench.say = line.say
            bench.say(f"{name}:")
            try:
                part(bench)
            except Exception as error:  # noqa: BLE001 - no failure may discard earlier measurements
                failed.append(name)
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                line.say("".join(traceback.format_exception(error)).rstrip())
                bench.add(Row(name.capitalize(), f"the rest of {name}", f"could not be measured: {reason}"))
        bench.say = print
    if sys.stdout.isatty():
        print(bar(1.0))
    return failed
