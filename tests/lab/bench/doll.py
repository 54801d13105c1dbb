"""The cost of a paper doll's view, next to that of writing its picture as a PNG."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ..progress import LabError
from .rows import Row, median
from .setting import Bench

PART = "Paper doll"
JOB = Path(__file__).with_name("doll_job.py")
TARGET_SECONDS = 0.5
#: The style with a target; the others are there to compare.
CLEAN = "clean"


def measure(bench: Bench) -> None:
    """Time a view of 512x768 pixels in every style, in seconds of processor time."""
    result = subprocess.run(
        [str(bench.comfyui.python), str(JOB), str(bench.root)],
        capture_output=True,
        text=True,
        check=False,
        cwd=bench.folder,
    )
    if result.returncode:
        raise LabError(f"The doll's job failed:\n{result.stderr[-2000:]}")
    measured = json.loads(result.stdout.splitlines()[-1])
    encoding = median(measured.pop("PNG"))
    for name, seconds in measured.items():
        cost = median(seconds)
        aimed = name == CLEAN
        bench.add(
            Row(
                PART,
                f"one view of 512x768 with previews, {name}",
                f"{cost * 1000:.0f} ms of processor, {cost / encoding:.1f} of writing its PNG",
                f"below {TARGET_SECONDS * 1000:.0f} ms" if aimed else "",
                cost < TARGET_SECONDS if aimed else None,
            )
        )
