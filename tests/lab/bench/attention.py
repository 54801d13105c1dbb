"""The cost of the attention patch per step, and the attention function that runs beneath it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ..progress import LabError
from .rows import Row, median
from .setting import Bench

PART = "Attention"
JOB = Path(__file__).with_name("attention_job.py")


def measure(bench: Bench) -> None:
    """Time four views on a UNet of SDXL's shapes, or on a small one of its kind without an accelerator."""
    command = [str(bench.comfyui.python), str(JOB), str(bench.comfyui.root), str(bench.root)]
    if not bench.comfyui.has_accelerator():
        command.append("--cpu")
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=bench.folder)
    if result.returncode:
        raise LabError(f"The attention job failed:\n{result.stderr[-2000:]}")
    measured = json.loads(result.stdout.splitlines()[-1])
    where = f"{measured['device']}, {measured['shape']}"
    unpatched = median(measured["steps"]["no patch"])
    for name, seconds in measured["steps"].items():
        value = f"{median(seconds) * 1000:.1f} ms ({median(seconds) / unpatched:.2f})"
        bench.add(Row(PART, f"step of four views, {name}; {where}", value))
    backends = measured["backends"]
    expected = backends.pop("no patch")
    unchanged = all(functions == expected for functions in backends.values())
    bench.add(
        Row(
            PART,
            f"attention that runs with the patch; {where}",
            ", ".join(sorted({function for functions in backends.values() for function in functions})),
            f"as without it: {', '.join(expected)}",
            unchanged,
        )
    )
