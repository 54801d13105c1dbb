"""What the pack adds to the start of ComfyUI."""

from __future__ import annotations

from pathlib import Path

from ..pack import PACKAGE
from .quick import Quick
from .rows import Row, median
from .setting import Bench

PART = "Start"
STARTS = 5
TARGET = 0.15
# ComfyUI prints the times of custom nodes to a tenth of a second, which is too coarse for the target. So a
# node of the benchmark, in a folder that is looked at first, times the same call for those that follow.
TIMER = Path(__file__).with_name("import_timer.py")


def measure(bench: Bench) -> None:
    """Import and opening of the pack, with a fresh database and with one that is there."""
    folder = bench.folder / "first"
    (folder / "custom_nodes").mkdir(parents=True)
    (folder / "custom_nodes" / TIMER.name).write_bytes(TIMER.read_bytes())
    paths = bench.folder / "paths.yaml"
    paths.write_text(
        f"bench:\n  base_path: {folder.as_posix()}\n  is_default: true\n  custom_nodes: custom_nodes\n",
        encoding="utf-8",
    )
    found = []
    with bench.server("startup", args=("--extra-model-paths-config", str(paths))) as server:
        for start in range(STARTS + 1):
            if start:
                server.restart()  # keeps the database and the byte code, as a user's restart does
            told = Quick(server.port).get("/bench/imports")
            found.append(next(took for name, took in told.items() if Path(name).name == PACKAGE))
    fresh, *known = found
    bench.add(Row(PART, "import of the pack, fresh database, no byte code yet", f"{fresh:.2f} s"))
    bench.add(
        Row(
            PART,
            f"import of the pack, database that is there ({STARTS} starts)",
            f"{median(known):.3f} s",
            f"at most {TARGET} s",
            median(known) <= TARGET,
        )
    )
