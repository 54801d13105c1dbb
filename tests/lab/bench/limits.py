"""What this machine can do at most: what everything else is to be compared with."""

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
found = []
for _ in range(5):
    begun = time.perf_counter()
    Image.open(sys.argv[1]).load()
    found.append(time.perf_counter() - begun)
print(sorted(found)[2])
"""


def measure(bench: Bench) -> None:
    """Hashing, writing to the disk for good, decoding, and the barest route of ComfyUI's server."""
    data = os.urandom(45 * MEGABYTE)
    hashing = _median(lambda: hashlib.sha256(data).digest())
    bench.add(Row(PART, "SHA-256", f"{len(data) / hashing / 1e6:.0f} MB/s"))
    for size in (1, 45):
        piece = memoryview(data)[: size * MEGABYTE]
        taken = _median(lambda piece=piece: _store(bench.folder, piece))  # type: ignore[misc]
        bench.add(
            Row(PART, f"write, fsync, rename, fsync of the folder: {size} MB", f"{taken * 1000:.1f} ms")
        )
    for kind, content in PICTURES:
        path = bench.folder / f"{content}.{kind.lower()}"
        python = bench.comfyui.python
        subprocess.run([python, make_picture.__file__, kind, content, "4096", path], check=True)
        told = subprocess.run(
            [python, "-c", _DECODE, path], capture_output=True, text=True, check=True
        ).stdout
        size = path.stat().st_size
        bench.add(
            Row(
                PART,
                f"full decode, 4096x4096 {content} {kind} of {size / 1e6:.0f} MB",
                f"{float(told) * 1000:.0f} ms",
            )
        )
    with bench.server("limits", pack=False) as server:
        for clients in (1, 8):
            asked = ask(server.port, [request("/bench/plain")], clients=clients, seconds=SECONDS)
            name = f"barest JSON route on ComfyUI's server, {clients} client{'s' * (clients > 1)}"
            bench.add(Row(PART, name, f"{asked.rate:,.0f} per s"))


def _median(work: Callable[[], object]) -> float:
    """Seconds."""
    found = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def _store(folder: Path, data: memoryview) -> None:
    part, whole = folder / "limit.part", folder / "limit"
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(whole)
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    whole.unlink()
