"""What the attention patch costs per step, and which attention runs beneath it."""

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
    """A UNet of SDXL's shapes where there is an accelerator, else a small one of its kind; four views."""
    job = [str(bench.comfyui.python), str(JOB), str(bench.comfyui.root), str(bench.root)]
    if not bench.comfyui.has_accelerator():
        job.append("--cpu")
    done = subprocess.run(job, capture_output=True, text=True, check=False, cwd=bench.folder)
    if done.returncode:
        raise LabError(f"The attention job failed:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    where = f"{told['device']}, {told['shape']}"
    plain = median(told["steps"]["no patch"])
    for name, seconds in told["steps"].items():
        value = f"{median(seconds) * 1000:.1f} ms ({median(seconds) / plain:.2f})"
        bench.add(Row(PART, f"step of four views, {name}; {where}", value))
    backends = told["backends"]
    plainly = backends.pop("no patch")
    kept = all(found == plainly for found in backends.values())
    bench.add(
        Row(
            PART,
            f"attention that runs with the patch; {where}",
            ", ".join(sorted({one for found in backends.values() for one in found})),
            f"as without it: {', '.join(plainly)}",
            kept,
        )
    )
