"""Uploads beside ComfyUI's own route on the same server: rate, event loop, memory."""

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
from .upload_load import Job, Sent, send

PART = "Uploads"
OURS, THEIRS = f"{PREFIX}/upload/reference_image", "/upload/image"
LARGE, SMALL = 3960, 580  # pixels a side: noise does not pack, so that these are about 45 MB and 1 MB
ROUNDS = 3
SMALL_UPLOADS = 120
ANNOUNCED = 200
STALL_MS = 25.0
GROWTH_MB = 80
#: Of the first implementation only its share of ComfyUI's rate is known: 142 of 571 MB/s at 1 MB, 8 clients.
FIRST_IMPLEMENTATION = 142 / 571


@dataclass
class Found:
    """One line of the comparison, over its rounds: MB/s, seconds that the loop was late, processor seconds
    of ComfyUI for one upload."""

    rates: list[float] = field(default_factory=list)
    stalls: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


class Uploads:
    """Sends pictures to one server, and removes what it sent."""

    def __init__(self, server: ComfyServer, numbers: Iterator[int]) -> None:
        self.server = server
        self._numbers = numbers

    def fresh(self, count: int) -> list[int]:
        """Numbers of contents that nobody has sent yet."""
        return list(itertools.islice(self._numbers, count))

    def send(
        self, route: str, picture: Path, numbers: list[int], clients: int, *, announce: bool = False
    ) -> Sent:
        part = "file" if route == OURS else "image"
        return send(Job(self.server.port, route, part, str(picture), numbers, clients, announce))

    def measure(
        self, found: Found, route: str, picture: Path, numbers: list[int], clients: int
    ) -> Sequence[Any]:
        with watching(self.server) as seen:
            sent = self.send(route, picture, numbers, clients)
        found.rates.append(sent.rate)
        found.stalls.append(seen[0].stall_p99)
        found.processor.append(seen[0].processor_seconds / len(numbers))
        return sent.answers

    def remove(self) -> None:
        """Also spares the next measurement the writing of what ComfyUI has not pushed to the disk yet."""
        for path in (self.server.base / "input").glob("*.png"):
            path.unlink()
        Client(self.server.url).post(f"{PREFIX}/cleanup/orphaned-files?days=0", {})


def measure(bench: Bench) -> None:
    """New contents of 45 MB and 1 MB, known ones, announced ones; then memory on servers of its own."""
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
    """A PNG of noise, made by an interpreter that has numpy and Pillow, as ComfyUI's does."""
    subprocess.run([python, make_picture.__file__, "PNG", "noise", str(side), target], check=True)


def _rounds(jobs: dict[str, Callable[[Found], object]]) -> dict[str, Found]:
    """Every job in every round, each round beginning with another, so that a busy moment hits all of them."""
    found = {name: Found() for name in jobs}
    for turn in range(ROUNDS):
        names = list(jobs)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            jobs[name](found[name])
    return found


def _new(bench: Bench, uploads: Uploads, picture: Path, clients: int) -> None:
    def job(route: str) -> Callable[[Found], object]:
        def run(found: Found) -> None:
            uploads.measure(found, route, picture, uploads.fresh(max(clients, 3)), clients)
            uploads.remove()

        return run

    found = _rounds({"ComfyUI": job(THEIRS), "ours": job(OURS)})
    _compare(bench, f"45 MB PNG, new, {_clients(clients)}", found, 0.55 if clients == 1 else 0.6)


def _known(bench: Bench, uploads: Uploads, picture: Path, clients: int) -> None:
    numbers = uploads.fresh(clients)
    for route in (OURS, THEIRS):
        uploads.send(route, picture, numbers, clients)
    rounds = 3 if clients == 1 else 1

    def job(route: str) -> Callable[[Found], object]:
        return lambda found: uploads.measure(found, route, picture, numbers * rounds, clients)

    found = _rounds({"ComfyUI": job(THEIRS), "ours": job(OURS)})
    _compare(bench, f"45 MB PNG, known, sent again, {_clients(clients)}", found, 1.3)
    if clients == 1:
        announced = [
            uploads.send(OURS, picture, numbers * ANNOUNCED, 1, announce=True).seconds / ANNOUNCED
            for _ in range(ROUNDS)
        ]
        sending = 1 / median(found["ours"].rates) * picture.stat().st_size / 1e6
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
    def job(route: str) -> Callable[[Found], object]:
        def run(found: Found) -> None:
            uploads.measure(found, route, picture, uploads.fresh(SMALL_UPLOADS), 8)
            uploads.remove()

        return run

    found = _rounds({"ComfyUI": job(THEIRS), "ours": job(OURS)})
    words = "1.5 times the first implementation's, "
    _compare(bench, "1 MB PNG, new, 8 clients", found, 1.5 * FIRST_IMPLEMENTATION, words, stalls=False)


def _compare(
    bench: Bench, name: str, found: dict[str, Found], least: float, words: str = "", *, stalls: bool = True
) -> None:
    theirs, ours = found["ComfyUI"], found["ours"]
    ratio = median([mine / other for mine, other in zip(ours.rates, theirs.rates, strict=True)])
    bench.add(Row(PART, f"{name}: ComfyUI", _told(theirs)))
    wanted = f"{words}{least:.2g} of ComfyUI's rate"
    bench.add(Row(PART, f"{name}: ours", f"{_told(ours)}, {ratio:.2f} of ComfyUI's", wanted, ratio >= least))
    if stalls:
        stall = median(ours.stalls) * 1000
        beside = median(theirs.stalls) * 1000
        bench.add(
            Row(
                PART,
                f"{name}: stall of the loop, p99",
                f"{stall:.0f} ms (ComfyUI: {beside:.0f} ms)",
                f"at most {STALL_MS:.0f} ms",
                stall <= STALL_MS,
            )
        )


def _told(found: Found) -> str:
    return f"{median(found.rates):.0f} MB/s, {median(found.processor) * 1000:.1f} ms of processor each"


def _sizes(bench: Bench, uploads: Uploads) -> None:
    """Cost against size, one client."""
    points: dict[str, list[tuple[float, float]]] = {"ComfyUI": [], "ours": []}
    for side in (64, 256, 580, 1160, 2320):
        picture = bench.folder / f"{side}.png"
        make(bench.comfyui.python, side, picture)
        for name, route in (("ComfyUI", THEIRS), ("ours", OURS)):
            waits = [uploads.send(route, picture, uploads.fresh(10), 1).seconds / 10 for _ in range(3)]
            points[name].append((picture.stat().st_size / 1e6, median(waits) * 1000))
            uploads.remove()
    for name, found in points.items():
        bench.curves.append(Curve("Upload of a new picture", name, "MB", "ms", tuple(found)))


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
                    f"at most +{GROWTH_MB} MB" if name == "ours" else "",
                    growth <= GROWTH_MB if name == "ours" else None,
                )
            )


def _clients(count: int) -> str:
    return f"{count} client{'s' * (count > 1)}"
