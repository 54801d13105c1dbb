"""Draws plots of cost against size as SVG, one for each plot title. Equal points give equal bytes.

Also a script for an interpreter that has matplotlib, with JSON on its standard input: see ``draw``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .rows import Curve

#: Okabe and Ito's colours, which colour-blind people can tell apart. Yellow is omitted: it is lost on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = "osD^vPX"
WIDTH, HEIGHT = 7.0, 4.2  # inches


def file_name(plot: str) -> str:
    return f"bench-{re.sub('[^a-z0-9]+', '-', plot.lower()).strip('-')}.svg"


def draw(python: Path, curves: Sequence[Curve], folder: Path) -> dict[str, str]:
    """Write one SVG for each plot into ``folder``. Returns title -> file name, in the order of the curves.

    Raises subprocess.CalledProcessError, with matplotlib's error in ``stderr``.
    """
    plots: dict[str, list[Any]] = {}
    for curve in curves:
        plots.setdefault(curve.plot, []).append(
            {"label": curve.label, "x": curve.x_label, "y": curve.y_label, "points": curve.points}
        )
    names = {plot: file_name(plot) for plot in plots}
    job = [{"title": plot, "file": str(folder / names[plot]), "curves": plots[plot]} for plot in plots]
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [python, __file__],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return names


def _draw(title: str, file: str, curves: list[dict[str, Any]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.set(title=title, xscale="log", yscale="log", xlabel=curves[0]["x"], ylabel=curves[0]["y"])
    for number, curve in enumerate(curves):
        xs, ys = zip(*sorted(curve["points"]), strict=True)
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        axes.plot(xs, ys, label=curve["label"], color=colour, marker=marker)
    _label_ticks(axes)
    axes.grid(visible=True, color="#dddddd")
    # Outside the axes, so that it never covers a line.
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize="small")
    # No date and no program name, so that equal plots are equal files.
    figure.savefig(file, metadata={"Date": None, "Creator": None, "Title": title})


def _label_ticks(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for axis in (axes.xaxis, axes.yaxis):
        low, high = axis.get_view_interval()
        # Over a small range, powers of ten alone would give too few ticks.
        subs = (1.0,) if high / low > 1000 else (1.0, 2.0, 5.0)
        axis.set_major_locator(LogLocator(subs=subs))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
        axis.set_minor_formatter(NullFormatter())


if __name__ == "__main__":
    import matplotlib

    # Keep text as text, and derive ids from the content, so that equal points give the same file.
    matplotlib.rc("svg", fonttype="none", hashsalt="avatarforge")
    matplotlib.rc("font", family="sans-serif")
    for plot in json.load(sys.stdin):
        _draw(**plot)
