"""Compares uploads with ComfyUI's own route on the same server: rate, event loop and memory."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import memory
from ..client import PREFIX, Client
from ..server import ComfyServer
from . import make_picture
from .rows import Curve, Row, median
from .setting import Bench, watching
from .upload_load import Job, UploadResult, send

PART = "Uploads"
OURS, THEIRS = f"{PREFIX}/upload/reference_image", "/upload/image"
LARGE, SMALL = 3960, 580  # pixels per side: noise does not compress, so these are about 45 MB and 1 MB
ROUNDS = 3
SMALL_UPLOADS = 120
ANNOUNCED = 200
MAX_STALL_MS = 25.0
MAX_GROWTH_MB = 80
#: The first implementation's share of ComfyUI's rate, its only known figure: 142 of 571 MB/s with 1 MB files
#: and 8 clients.
FIRST_IMPLEMENTATION = 142 / 571


@dataclass
class Measurements:
    """Measurements of one route over all rounds.

    Attributes:
        rates: MB/s.
        stalls: 99th percentile of the event loop's delay, in seconds.
        processor: ComfyUI's CPU seconds per upload.
    """

    rates: list[float] = field(default_factory=list)
    stalls: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


class Uploads:
    """Uploads pictures to one server, and removes them."""

    def __init__(self, server: ComfyServer, numbers: Iterator[int]) -> None:
        self.server = server
        self._numbers = numbers

    def fresh(self, count: int) -> list[int]:
        """Numbers of contents that were not sent before."""
        return list(itertools.islice(self._numbers, count))

    def send(
        self, route: str, picture: Path, numbers: list[int], clients: int, *, announce: bool = False
    ) -> UploadResult:
        field_name = "file" if route == OURS else "image"
        return send(Job(self.server.port, route, field_name, str(picture), numbers, clients, announce))

    def measure(
        self, measured: Measurements, route: str, picture: Path, numbers: list[int], clients: int
    ) -> Sequence[Any]:
        with watching(self.server) as stats:
            result = self.send(route, picture, numbers, clients)
        measured.rates.append(result.rate)
        measured.stalls.append(stats[0].stall_p99)
        measured.processor.append(stats[0].processor_seconds / len(numbers))
        return result.responses

    def remove(self) -> None:
        """Delete all uploads. The next measurement then does not wait until ComfyUI's data is on disk."""
        for path in (self.server.base / "input").glob("*.png"):
            path.unlink()
        Client(self.server.url).post(f"{PREFIX}/cleanup/orphaned-files?days=0", {})


def measure(bench: Bench) -> None:
    """Measure new, known and announced contents of 45 MB and 1 MB, then memory on separate servers."""
    large, small = bench.folder / "large.png", bench.folder / "small.png"
    for path, side in ((large, LARGE), (small, SMALL)):
        make(bench.comfyui.python, side, path)
    numbers = itertools.count(1)
    with bench.server("uploads") as server:
        uploads = Uploads(server, numbers)
        for route in (OURS, THEIRS):
            uploads.send(route, small, uploads.fresh(8), 2)
        for clients in (1, 8):
            _new(bench, uploads, large, clients)
        for clients in (1, 8):
            _known(bench, uploads, large, clients)
        _small(bench, uploads, small)
        _sizes(bench, uploads)
    if memory.can_be_measured():
        _memory(bench, large, numbers)


def make(python: Path, side: int, target: Path) -> None:
    """Make a PNG of noise with an interpreter that has numpy and Pillow, such as ComfyUI's."""
    subprocess.run([python, make_picture.__file__, "PNG", "noise", str(side), target], check=True)


def _rounds(jobs: dict[str, Callable[[Measurements], object]]) -> dict[str, Measurements]:
    """Run all jobs in each round, in rotating order, so that other load affects all of them."""
    measured = {name: Measurements() for name in jobs}
    for turn in range(ROUNDS):
        names = list(jobs)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            jobs[name](measured[name])
    return measured


def _new(bench: Bench, uploads: Uploads, picture: Path, clients: int) -> None:
    def job(route: str) -> Callable[[Measurements], object]:
        def run(measured: Measurements) -> None:
            uploads.measure(measured, route, picture, uploads.fresh(max(clients, 3)), clients)
            uploads.remove()

        return run

    measured = _rounds({"ComfyUI": job(THEIRS), "ours": job(OURS)})
    _compare(bench, f"45 MB PNG, new, {_clients(clients)}", measured, 0.55 if clients == 1 else 0.6)


def _known(bench: Bench, uploads: Uploads, picture: Path, clients: int) -> None:
    numbers = uploads.fresh(clients)
    for route in (OURS, THEIRS):
        uploads.send(route, picture, numbers, clients)
    rounds = 3 if clients == 1 else 1

    def job(route: str) -> Callable[[Measurements], object]:
        return lambda measured: uploads.measure(measured, route, picture, numbers * rounds, clients)

    measured = _rounds({"ComfyUI": job(THEIRS), "ours": job(OURS)})
    _compare(bench, f"45 MB PNG, known, sent again, {_clients(clients)}", measured, 1.3)
    if clients == 1:
        announced = [
            uploads.send(OURS, picture, numbers * ANNOUNCED, 1, announce=True).seconds / ANNOUNCED
            for _ in range(ROUNDS)
        ]
        sending = 1 / median(measured["ours"].rates) * picture.stat().st_size / 1e6
        ratio = sending / median(announced)
        bench.add(
            Row(
                PART,
                "45 MB PNG, known, announced",
                f"{median(announced) * 1000:.2f} ms (sending: {sending * 1000:.0f} ms, {ratio:.0f} times)",
                "100 times cheaper than sending it",
                ratio >= 100,
            )
        )
    uploads.remove()


def _small(bench: Bench, uploads: Uploads, picture: Path) -> None:
    def job(route: str) -> Callable[[Measurements], object]:
        def run(measured: Measurements) -> None:
            uploads.measure(measured, route, picture, uploads.fresh(SMALL_UPLOADS), 8)
            uploads.remove()

        return run

    measured = _rounds({"ComfyUI": job(THEIRS), "ours": job(OURS)})
    prefix = "1.5 times the first implementation's, "
    _compare(bench, "1 MB PNG, new, 8 clients", measured, 1.5 * FIRST_IMPLEMENTATION, prefix, stalls=False)


def _compare(
    bench: Bench,
    name: str,
    measured: dict[str, Measurements],
    minimum: float,
    prefix: str = "",
    *,
    stalls: bool = True,
) -> None:
    theirs, ours = measured["ComfyUI"], measured["ours"]
    ratio = median([mine / other for mine, other in zip(ours.rates, theirs.rates, strict=True)])
    bench.add(Row(PART, f"{name}: ComfyUI", _summary(theirs)))
    target = f"{prefix}{minimum:.2g} of ComfyUI's rate"
    bench.add(
        Row(PART, f"{name}: ours", f"{_summary(ours)}, {ratio:.2f} of ComfyUI's", target, ratio >= minimum)
    )
    if stalls:
        stall = median(ours.stalls) * 1000
        their_stall = median(theirs.stalls) * 1000
        bench.add(
            Row(
                PART,
                f"{name}: stall of the loop, p99",
                f"{stall:.0f} ms (ComfyUI: {their_stall:.0f} ms)",
                f"at most {MAX_STALL_MS:.0f} ms",
                stall <= MAX_STALL_MS,
            )
        )


def _summary(measured: Measurements) -> str:
    return f"{median(measured.rates):.0f} MB/s, {median(measured.processor) * 1000:.1f} ms of processor each"


def _sizes(bench: Bench, uploads: Uploads) -> None:
    """Measure cost against size with one client."""
    points: dict[str, list[tuple[float, float]]] = {"ComfyUI": [], "ours": []}
    for side in (64, 256, 580, 1160, 2320):
        picture = bench.folder / f"{side}.png"
        make(bench.comfyui.python, side, picture)
        for name, route in (("ComfyUI", THEIRS), ("ours", OURS)):
            waits = [uploads.send(route, picture, uploads.fresh(10), 1).seconds / 10 for _ in range(3)]
            points[name].append((picture.stat().st_size / 1e6, median(waits) * 1000))
            uploads.remove()
    for name, line in points.items():
        bench.curves.append(Curve("Upload of a new picture", name, "MB", "ms", tuple(line)))


def _memory(bench: Bench, picture: Path, numbers: Iterator[int]) -> None:
    for name, route in (("ComfyUI", THEIRS), ("ours", OURS)):
        for clients in (8, 32):
            with bench.server(f"memory-{name}-{clients}") as server:
                uploads = Uploads(server, numbers)
                uploads.send(route, bench.folder / "small.png", uploads.fresh(4), 2)
                before = memory.reset_peak(server.pid)
                uploads.send(route, picture, uploads.fresh(clients), clients)
                growth = (memory.peak(server.pid) - before) / 1e6
                uploads.remove()
            bench.add(
                Row(
                    PART,
                    f"45 MB PNG, new, {_clients(clients)}: memory, {name}",
                    f"+{growth:.0f} MB",
                    f"at most +{MAX_GROWTH_MB} MB" if name == "ours" else "",
                    growth <= MAX_GROWTH_MB if name == "ours" else None,
                )
            )


def _clients(count: int) -> str:
    return f"{count} client{'s' * (count > 1)}"
