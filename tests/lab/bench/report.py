"""Writes ``docs/benchmarks.md``: the tables and plots of a run, between explanatory text."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from .machine import machine, versions
from .plots import draw
from .rows import Curve, Row
from .setting import Bench

PAGE = Path("docs") / "benchmarks.md"
IMAGES = Path("docs") / "images"
BEGIN, END = "<!-- measured -->", "<!-- end -->"
SKELETON = f"""# Benchmarks

`python3 dev.py bench` writes the text between the two marks.

{BEGIN}
{END}
"""
HOLDS = {True: "yes", False: "**no**", None: ""}


def write_report(bench: Bench) -> None:
    """Replace the rows and plots of the previous run with those of this one."""
    folder = bench.root / IMAGES
    plots: dict[str, str] = {}
    try:
        plots = draw(bench.python, bench.curves, folder)
        for old in set(folder.glob("bench-*.svg")) - {folder / name for name in plots.values()}:
            old.unlink()
    except (OSError, subprocess.CalledProcessError) as error:
        # The measurements took long, so they are written even if the plots fail.
        bench.say(f"The plots could not be drawn: {getattr(error, 'stderr', '')[-2000:] or error}")
    details = machine(bench.folder) | {"Versions": _join_versions(versions(bench.comfyui, bench.root))}
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    text = measured(today, details, bench.rows, bench.curves, plots)
    page = bench.root / PAGE
    current = page.read_text(encoding="utf-8") if page.is_file() else SKELETON
    page.write_text(replaced(current, text), encoding="utf-8", newline="\n")
    bench.say(f"Written: {PAGE.as_posix()}" + (f" and {len(plots)} plots" if plots else ""))


def summary(rows: Iterable[Row]) -> str:
    """How many targets hold, and which do not, for the terminal."""
    with_target = [row for row in rows if row.target]
    held = sum(row.holds is True for row in with_target)
    lines = [f"{held} of {len(with_target)} targets hold."]
    for row in with_target:
        if row.holds is not True:
            verdict = "does not hold" if row.holds is False else "was not measured here"
            lines.append(f"  {row.part}: {row.name}: {row.value} (target: {row.target}) {verdict}")
    return "\n".join(lines)


def replaced(page: str, text: str) -> str:
    """The page with ``text`` between its marks. Missing marks are added at the end."""
    begin, end = page.find(BEGIN), page.find(END)
    if begin < 0 or end < begin:
        return f"{page.rstrip()}\n\n{BEGIN}\n{text}\n{END}\n"
    return f"{page[: begin + len(BEGIN)]}\n{text}\n{page[end:]}"


def measured(
    date: str,
    details: Mapping[str, str],
    rows: Sequence[Row],
    curves: Sequence[Curve],
    plots: Mapping[str, str],
) -> str:
    """The results of a run as Markdown. ``details`` describes the machine; ``plots``: title -> file name."""
    parts = [
        f"Measured on {date}, in one run.",
        _table(("", ""), details.items()),
        "### Targets that do not hold",
        _missed(rows),
    ]
    for part in dict.fromkeys(row.part for row in rows):
        cells = ((row.name, row.value, row.target, _holds(row)) for row in rows if row.part == part)
        parts += [f"### {part}", _table(("What", "Measured", "Target", "Holds"), cells)]
    if plots:
        parts.append("### Cost against size")
    parts += [f"![{_alt_text(plot, curves)}](images/{name})" for plot, name in plots.items()]
    return "\n\n".join(parts)


def _missed(rows: Iterable[Row]) -> str:
    missed = [row for row in rows if row.holds is False]
    lines = [f"- {_escape(f'{row.part}: {row.name}: {row.value}. Target: {row.target}.')}" for row in missed]
    return "\n".join(lines) or "None."


def _holds(row: Row) -> str:
    return "not measured" if row.target and row.holds is None else HOLDS[row.holds]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _escape(text: str) -> str:
    """Escape text for Markdown and put it on one line. Our own **no** stays as it is."""
    line = " ".join(text.split())
    return line if line in HOLDS.values() else re.sub(r"([\\|*_`<>\[\]~])", r"\\\1", line)


def _alt_text(plot: str, curves: Iterable[Curve]) -> str:
    """Alternative text for a plot: the first and last point of each line."""
    own = [curve for curve in curves if curve.plot == plot]
    lines = []
    for curve in own:
        (x, y), (last_x, last_y) = min(curve.points), max(curve.points)
        lines.append(f"{curve.label} from {y:.3g} at {x:,.12g} to {last_y:.3g} at {last_x:,.12g}")
    return _escape(f"{plot}: {own[0].y_label} against {own[0].x_label}. {'; '.join(lines)}.")


def _join_versions(pairs: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in pairs.items())
