"""The limits of this machine, with which all other measurements are compared."""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from . import make_picture
from .load import ask, request
from .rows import Row
from .setting import Bench

PART = "The machine"
MEGABYTE = 1_000_000
ROUNDS = 7
SECONDS = 2.0
PICTURES = (("PNG", "noise"), ("PNG", "photo"), ("JPEG", "photo"), ("WEBP", "photo"))
_DECODE = """
import sys, time
from PIL import Image
seconds = []
for _ in range(5):
    started = time.perf_counter()
    Image.open(sys.argv[1]).load()
    seconds.append(time.perf_counter() - started)
print(sorted(seconds)[2])
"""


def measure(bench: Bench) -> None:
    """Measure hashing, durable writes, decoding, and the barest route of ComfyUI's server."""
    data = os.urandom(45 * MEGABYTE)
    hashing = _median(lambda: hashlib.sha256(data).digest())
    bench.add(Row(PART, "SHA-256", f"{len(data) / hashing / 1e6:.0f} MB/s"))
    for size in (1, 45):
        piece = memoryview(data)[: size * MEGABYTE]
        seconds = _median(lambda piece=piece: _store(bench.folder, piece))  # type: ignore[misc]
        bench.add(
            Row(PART, f"write, fsync, rename, fsync of the folder: {size} MB", f"{seconds * 1000:.1f} ms")
        )
    for kind, content in PICTURES:
        path = bench.folder / f"{content}.{kind.lower()}"
        python = bench.comfyui.python
        subprocess.run([python, make_picture.__file__, kind, content, "4096", path], check=True)
        output = subprocess.run(
            [python, "-c", _DECODE, path], capture_output=True, text=True, check=True
        ).stdout
        size = path.stat().st_size
        bench.add(
            Row(
                PART,
                f"full decode, 4096x4096 {content} {kind} of {size / 1e6:.0f} MB",
                f"{float(output) * 1000:.0f} ms",
            )
        )
    with bench.server("limits", pack=False) as server:
        for clients in (1, 8):
            load = ask(server.port, [request("/bench/plain")], clients=clients, seconds=SECONDS)
            name = f"barest JSON route on ComfyUI's server, {clients} client{'s' * (clients > 1)}"
            bench.add(Row(PART, name, f"{load.rate:,.0f} per s"))


def _median(work: Callable[[], object]) -> float:
    """The median duration in seconds."""
    durations = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        durations.append(time.perf_counter() - started)
    return statistics.median(durations)


def _store(folder: Path, data: memoryview) -> None:
    part_file, target = folder / "limit.part", folder / "limit"
    with part_file.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part_file.replace(target)
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    target.unlink()
