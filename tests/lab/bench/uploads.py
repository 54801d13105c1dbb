"""How long a trivial request waits, and how much memory ComfyUI takes, while large pictures come in."""

from __future__ import annotations

import io
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __package__:
    from .. import memory
    from ..progress import LabError
    from ..sending import END, FORM, START
else:  # started by `measure`, to send
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from lab.sending import END, FORM, START

PREFIX = "/avatarforge-controller"
UPLOADS = 8
#: Noise does not pack: this many pixels a side make about 45 MB in each format.
SIDES = {"PNG": 3960, "JPEG": 3380, "WEBP": 3960}
OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 1},
    "JPEG": {"quality": 100, "subsampling": 0},
    "WEBP": {"lossless": True},
}


@dataclass(frozen=True)
class Measured:
    """Seconds that GET /queue took at the 50th and 99th percentile, idle and under load; bytes of growth."""

    idle_p50: float
    idle_p99: float
    p50: float
    p99: float
    slowest: float
    growth: int
    uploads: float


def large_picture(kind: str, seed: int) -> bytes:
    """A picture of noise of about 45 MB."""
    import numpy as np
    from PIL import Image

    side = SIDES[kind]
    noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, kind, **OPTIONS[kind])
    return buffer.getvalue()


def make(python: Path, kind: str, seed: int, target: Path) -> None:
    """Write such a picture with an interpreter that has numpy and Pillow, as ComfyUI's does."""
    subprocess.run([python, __file__, "--make", kind, str(seed), target], check=True)


def measure(server: str, pid: int, pictures: Sequence[Path]) -> Measured:
    """Upload all files at once to the ComfyUI at ``server`` (process ``pid``) and look meanwhile.

    The uploads come from a process of their own, so that they do not hold up who looks. Raises LabError when
    an upload is refused; memory is 0 where the system does not tell.
    """
    before = memory.reset_peak(pid) if memory.can_be_measured() else 0
    quiet: list[float] = []
    idle = _latencies(server, lambda: len(quiet) >= 200, quiet)
    begun = time.monotonic()
    with subprocess.Popen([sys.executable, __file__, server, *pictures]) as sender:
        busy = _latencies(server, lambda: sender.poll() is not None, [])
    if sender.returncode != 0:
        raise LabError("An upload was refused.")
    taken = time.monotonic() - begun
    growth = memory.peak(pid) - before if memory.can_be_measured() else 0
    return Measured(
        idle_p50=statistics.median(idle),
        idle_p99=_percentile(idle, 0.99),
        p50=statistics.median(busy),
        p99=_percentile(busy, 0.99),
        slowest=max(busy),
        growth=growth,
        uploads=taken,
    )


def _percentile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def _latencies(server: str, done: Callable[[], bool], found: list[float]) -> list[float]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while not done():
        begun = time.monotonic()
        with opener.open(f"{server}/queue", timeout=60) as answer:
            answer.read()
        found.append(time.monotonic() - begun)
        threading.Event().wait(0.005)
    return found


def _upload(server: str, data: bytes) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(
        f"{server}{PREFIX}/upload/pose_image", START + data + END, {"Content-Type": FORM}
    )
    with opener.open(request, timeout=300) as answer:
        answer.read()


def _send(server: str, files: Sequence[str]) -> None:
    pictures = [Path(file).read_bytes() for file in files]
    with ThreadPoolExecutor(len(pictures)) as pool:
        for job in [pool.submit(_upload, server, data) for data in pictures]:
            job.result()


if __name__ == "__main__":
    if sys.argv[1] == "--make":
        Path(sys.argv[4]).write_bytes(large_picture(sys.argv[2], int(sys.argv[3])))
    else:
        _send(sys.argv[1], sys.argv[2:])
