"""``docs/benchmarks.md``: the table of one run and its plots, beside the words that explain them."""

from __future__ import annotations

from .setting import Bench


def write_report(bench: Bench) -> None:
    """Put the rows and plots of this run in the place of the last one's."""
    print(f"\n{len(bench.rows)} rows, {len(bench.curves)} curves")
