"""The report of a benchmark, and a run in which a part fails. Nothing is measured here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lab.bench import report
from lab.bench.machine import machine
from lab.bench.plots import draw, file_name
from lab.bench.report import BEGIN, END, SKELETON, measured, replaced, summary, write_report
from lab.bench.rows import Curve, Row
from lab.bench.run import measure_parts
from lab.bench.setting import Bench
from lab.host import ComfyUI

ROWS = (
    Row("Reads", "GET a|b_*c*", "1 <ms>", "at most 2 ms", True),
    Row("Reads", "ComfyUI's own", "3 ms"),
    Row("Uploads", "45 MB", "0.4", "at least 0.5", False),
    Row("Uploads", "memory", "unknown", "at most 80 MB", None),
)
CURVES = (
    Curve("Lists & pages", "list of <50>", "rows", "ms", ((1e2, 1.0), (1e4, 1.5), (1e6, 20.0))),
    Curve("Lists & pages", "last page", "rows", "ms", ((1e2, 2.0), (1e6, 30.0))),
    Curve("Upload", "new", "MB", "ms", ((1.0, 5.0), (45.0, 90.0))),
)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "docs").mkdir()
    return Bench(tmp_path, ComfyUI(tmp_path, Path("python"), is_ours=False), Path("python"), tmp_path)


def text(plots: dict[str, str] | None = None) -> str:
    return measured("2026-01-31", {"Processor": "A|B"}, ROWS, CURVES, plots or {})


def test_each_part_has_a_table_and_every_row_its_cells() -> None:
    lines = text().splitlines()
    assert [line for line in lines if line.startswith("### ")] == [
        "### Targets that do not hold",
        "### Reads",
        "### Uploads",
    ]
    rows = [line.replace(r"\|", "") for part in text().split("### ")[1:] for line in part.splitlines()]
    assert {line.count("|") for line in rows if line.startswith("|")} == {5}
    assert r"| Processor | A\|B |" in lines
    assert r"| GET a\|b\_\*c\* | 1 \<ms\> | at most 2 ms | yes |" in lines
    assert "| ComfyUI's own | 3 ms |  |  |" in lines
    assert "| 45 MB | 0.4 | at least 0.5 | **no** |" in lines
    assert "| memory | unknown | at most 80 MB | not measured |" in lines


def test_what_does_not_hold_is_listed_alone() -> None:
    missed = text().split("### Targets that do not hold")[1].split("###")[0]
    assert missed.strip() == "- Uploads: 45 MB: 0.4. Target: at least 0.5."
    assert "None." in measured("2026-01-31", {}, ROWS[:2], (), {})


def test_the_summary_counts_and_names() -> None:
    first, *missed = summary(ROWS).splitlines()
    assert first == "1 of 3 targets hold."
    assert [line.split(" (")[0].strip() for line in missed] == [
        "Uploads: 45 MB: 0.4",
        "Uploads: memory: unknown",
    ]


def test_a_plot_says_in_words_what_it_shows() -> None:
    shown = text({"Lists & pages": "bench-lists-pages.svg"})
    (line,) = [line for line in shown.splitlines() if line.startswith("!")]
    assert line.endswith("](images/bench-lists-pages.svg)")
    assert r"ms against rows. list of \<50\> from 1 at 100 to 20 at 1,000,000; last page from 2" in line


def test_the_words_around_the_marks_stay() -> None:
    page = f"# Title\n\nwords\n\n{BEGIN}\nold\n{END}\n\n## More\n"
    assert replaced(page, "new") == page.replace("old", "new")
    assert replaced(replaced(page, "new"), "newer") == page.replace("old", "newer")


@pytest.mark.parametrize("page", [SKELETON, "# Own words\n", f"# Own words\n\n{BEGIN}\ncut off"])
def test_marks_that_are_missing_are_put_at_the_end(page: str) -> None:
    found = replaced(page, "new")
    assert found.startswith(page.split(BEGIN, 1)[0].rstrip())
    assert found.endswith(f"{BEGIN}\nnew\n{END}\n")


def test_a_report_is_written_also_when_the_plots_fail(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "versions", lambda *_: {"ComfyUI": "1"})
    bench.rows.extend(ROWS)
    bench.curves.extend(CURVES)
    bench.python = Path("false")
    write_report(bench)
    page = (bench.root / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert page.startswith("# Benchmarks")
    assert "45 MB" in page
    assert "could not be drawn" in capsys.readouterr().out


def test_what_a_machine_is_names_no_path(tmp_path: Path) -> None:
    facts = machine(tmp_path)
    assert facts["Processor"]
    assert not any(word.startswith(("/", "\\")) for value in facts.values() for word in value.split())


def test_a_part_that_fails_is_a_row_and_the_others_go_on(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: Bench) -> None:
        raise RuntimeError("no disk\nleft")

    def adds(bench: Bench) -> None:
        bench.add(Row("Reads", "GET", "1 ms"))

    assert measure_parts(bench, {"uploads": fails, "reads": adds}) == ["uploads"]
    assert [(row.part, row.value) for row in bench.rows] == [
        ("Uploads", "could not be measured: RuntimeError: no disk"),
        ("Reads", "1 ms"),
    ]
    assert "Traceback" in capsys.readouterr().out


def test_an_interrupt_ends_the_run(bench: Bench) -> None:
    def interrupted(_: Bench) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_parts(bench, {"uploads": interrupted, "reads": interrupted})


def test_plots_are_the_same_bytes_for_the_same_points_and_their_text_is_text(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    made = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        names = draw(Path(sys.executable), CURVES, folder)
        assert names == {"Lists & pages": "bench-lists-pages.svg", "Upload": file_name("Upload")}
        made.append({name: (folder / name).read_bytes() for name in names.values()})
    assert made[0] == made[1]
    svg = made[0]["bench-lists-pages.svg"].decode()
    assert ">last page</text>" in svg
    assert ">1,000,000</text>" in svg
    assert "<dc:date>" not in svg
