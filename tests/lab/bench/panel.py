"""Measures the panel in a browser: its first paint beside ComfyUI's, and its frames with many generations."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ..progress import LabError, tool_environment
from .rows import Row, median
from .setting import Bench

PART = "Panel"
JOB = Path(__file__).with_name("panel_job.py")
FILL = Path(__file__).with_name("fill.py")
PICTURE = Path("docs/images/panel-phone-viewer.png")
GENERATIONS = 100_000
#: What is only there to compare with: the page, while nothing is done.
IDLE = "idle"
#: Milliseconds. A longer frame is felt as a stutter: RAIL asks for an answer to an input within 100 ms.
LONGEST_FRAME = 100


def measure(bench: Bench) -> None:
    base = bench.folder / "panel"
    data, output = base / "user" / "__avatarforge", base / "output"
    picture = bench.folder / PICTURE.name
    picture.write_bytes((bench.root / PICTURE).read_bytes())
    command = [bench.comfyui.python, FILL, bench.root, data, GENERATIONS, picture, output]
    subprocess.run([str(part) for part in command], capture_output=True, check=True)
    with bench.server("panel") as server:
        result = subprocess.run(
            [str(bench.python), str(JOB), server.url],
            capture_output=True,
            text=True,
            check=False,
            cwd=bench.root / "tests",
            env={**tool_environment(), "PYTHONPATH": str(bench.root / "tests")},
        )
    if result.returncode:
        raise LabError(f"The browser's job failed:\n{result.stderr[-2000:]}")
    measured = json.loads(result.stdout.splitlines()[-1])
    for number, moment in enumerate(("first contentful paint", "form and gallery; ComfyUI's graph")):
        own, comfyui = (
            median([start[number] for start in measured["starts"][page]]) for page in ("panel", "comfyui")
        )
        value = f"{own:.0f} ms, ComfyUI {comfyui:.0f} ms ({own / comfyui:.2f})"
        bench.add(Row(PART, f"the page's start: {moment}", value))
    for action, frames in measured["frames"].items():
        longest = max(frames)
        aimed = action != IDLE
        bench.add(
            Row(
                PART,
                f"longest of {len(frames)} frames, {GENERATIONS:,} generations: {action}",
                f"{longest:.0f} ms (median {median(frames):.0f})",
                f"at most {LONGEST_FRAME} ms" if aimed else "",
                longest <= LONGEST_FRAME if aimed else None,
            )
        )
