"""Measures how much time the pack adds to ComfyUI's startup."""

from __future__ import annotations

from pathlib import Path

from ..pack import PACKAGE
from .quick import Quick
from .rows import Row, median
from .setting import Bench

PART = "Start"
STARTS = 5
TARGET = 0.15
# ComfyUI prints the import times of custom nodes in tenths of a second, which is too coarse for the target.
# So a custom node in a folder that ComfyUI loads first times the same call for the nodes after it.
TIMER = Path(__file__).with_name("import_timer.py")


def measure(bench: Bench) -> None:
    """Measure import and startup of the pack with a fresh and with an existing database."""
    folder = bench.folder / "first"
    (folder / "custom_nodes").mkdir(parents=True)
    (folder / "custom_nodes" / TIMER.name).write_bytes(TIMER.read_bytes())
    paths = bench.folder / "paths.yaml"
    paths.write_text(
        f"bench:\n  base_path: {folder.as_posix()}\n  is_default: true\n  custom_nodes: custom_nodes\n",
        encoding="utf-8",
    )
    seconds = []
    with bench.server("startup", args=("--extra-model-paths-config", str(paths))) as server:
        for start in range(STARTS + 1):
            if start:
                server.restart()  # keeps the database and the byte code, as a user's restart does
            imports = Quick(server.port).get("/bench/imports")
            seconds.append(next(value for path, value in imports.items() if Path(path).name == PACKAGE))
    fresh, *existing = seconds
    bench.add(Row(PART, "import of the pack, fresh database, no byte code yet", f"{fresh:.2f} s"))
    bench.add(
        Row(
            PART,
            f"import of the pack, database that is there ({STARTS} starts)",
            f"{median(existing):.3f} s",
            f"at most {TARGET} s",
            median(existing) <= TARGET,
        )
    )
