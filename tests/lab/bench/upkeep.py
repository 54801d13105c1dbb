"""The check of the store and the clean-up at 1,000 to 100,000 files, beside ComfyUI and without."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import memory
from ..pack import PACKAGE
from ..progress import LabError
from ..sending import END, FORM, START
from ..server import ComfyServer
from ..soak_clients import png
from .fill_store import fill
from .load import ask, request
from .rows import Curve, Row, percentile
from .setting import PREFIX, Bench, collect, watching

PART = "Upkeep"
SIZES = (1_000, 10_000, 100_000)
#: Of each store, so much is cleaned up alone, and of the largest the rest while others ask.
ALONE = 0.8
OLD, OLDER = 40, 60  # days
STEEPEST = 1.5
GROWTH = 10.0  # MB
STALL = 0.025  # s
PATIENCE = 600.0  # s
#: One look of those who ask meanwhile, in seconds.
LOOK = 1.0
#: Else the clean-up of every day would come between, a minute after each start.
ENVIRONMENT = {"AVATARFORGE_FILE_CLEANUP_DAYS": "36500"}
CHECK, CLEAN_UP, OFFLINE = "fsck beside ComfyUI", "clean-up beside ComfyUI", "fsck offline"


@dataclass(frozen=True)
class _Done:
    """One piece of upkeep. `growth` in MB, over what the process held before; times in seconds."""

    files: int
    seconds: float
    growth: float
    stall_p99: float = 0.0

    @property
    def each(self) -> float:
        return self.seconds / self.files


def measure(bench: Bench) -> None:
    """Fill, check, clean up: one size after the other, in one folder."""
    found: dict[str, list[_Done]] = {CHECK: [], CLEAN_UP: [], OFFLINE: []}
    with bench.server("upkeep", env=ENVIRONMENT) as server:
        base = server.base  # the start has made folders and tables
    for size in SIZES:
        alone = round(size * ALONE)
        fill(base / "user" / "__avatarforge", f"older {size}", alone, OLDER)
        fill(base / "user" / "__avatarforge", f"old {size}", size - alone, OLD)
        found[OFFLINE].append(_offline(bench, base))
        with bench.server("upkeep", env=ENVIRONMENT) as server:
            _check(server)  # a first run has everything to load
            found[CHECK].append(_typical(server, size, _check))
            _clean_up(server, 1000)  # of no file
            found[CLEAN_UP].append(_watched(server, lambda on: _clean_up(on, OLDER - 1)))
            if size == SIZES[-1]:
                _beside(bench, server)
            _clean_up(server, OLD - 1)
    for name, each in found.items():
        _tell(bench, name, each)


def _tell(bench: Bench, name: str, found: list[_Done]) -> None:
    for size, done in zip(SIZES, found, strict=True):
        bench.add(Row(PART, f"{name}, {size:,} files", f"{done.each * 1e6:.0f} us each"))
    ratio = found[-1].each / found[0].each
    _judge(
        bench, f"{name}, each of 100,000 / of 1,000", f"{ratio:.2f}", STEEPEST, ratio, "linear: at most 1.5"
    )
    if memory.can_be_measured():
        more = found[-1].growth - found[1].growth
        value = f"{found[1].growth:.0f} and {found[-1].growth:.0f} MB"
        _judge(
            bench, f"{name}, memory at 10,000 and 100,000", value, GROWTH, more, "flat: at most 10 MB apart"
        )
    if stall := found[-1].stall_p99:
        value = f"{stall * 1000:.1f} ms"
        _judge(bench, f"{name}, stall p99 at 100,000", value, STALL, stall, "under 25 ms")
    points = tuple((float(done.files), done.seconds) for done in found)
    bench.curves.append(Curve("Check and clean-up", name, "files", "seconds", points))


def _judge(bench: Bench, name: str, value: str, most: float, seen: float, target: str) -> None:
    bench.add(Row(PART, name, value, target, seen <= most))


def _typical(server: ComfyServer, size: int, work: Callable[[ComfyServer], int]) -> _Done:
    """The second of three in the order of time, where that is quick."""
    runs = [_watched(server, work) for _ in range(1 if size == SIZES[-1] else 3)]
    return sorted(runs, key=lambda one: one.seconds)[len(runs) // 2]


def _watched(server: ComfyServer, work: Callable[[ComfyServer], int]) -> _Done:
    collect(server)
    before = memory.reset_peak(server.pid) if memory.can_be_measured() else 0
    with watching(server) as seen:
        started = time.perf_counter()
        files = work(server)
        seconds = time.perf_counter() - started
    growth = memory.peak(server.pid) - before if memory.can_be_measured() else 0
    return _Done(files, seconds, growth / 1e6, seen[0].stall_p99)


def _check(server: ComfyServer) -> int:
    report = json.loads(_post(server, "/maintenance/verify"))
    if not report["clean"]:
        raise LabError(f"The check found {report['counts']}.")
    return int(report["files"])


def _clean_up(server: ComfyServer, days: int) -> int:
    return int(json.loads(_post(server, f"/cleanup/orphaned-files?days={days}"))["files_deleted"])


def _offline(bench: Bench, base: Path) -> _Done:
    """Seconds of the check itself; memory of the whole process."""
    command: list[str | Path] = [
        bench.comfyui.python,
        "-c",
        _MEASURED,
        base / "custom_nodes" / PACKAGE / "dev.py",
    ]
    done = subprocess.run(
        [*command, "fsck", "--json", "--data-folder", base / "user" / "__avatarforge"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabError(f"dev.py fsck ended with {done.returncode}: {done.stdout[:500]}{done.stderr[-500:]}")
    report = json.loads(done.stdout)
    return _Done(report["files"], report["seconds"], float(done.stderr.split()[-1]) / 1e6)


#: Runs a script, then tells the most memory that its process had, in bytes.
_MEASURED = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    try:
        import resource
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)
    except ImportError:
        print(0, file=sys.stderr)
"""


def _beside(bench: Bench, server: ComfyServer) -> None:
    """How long those wait who read and write while a clean-up, and a check, goes on."""
    form = request(f"{PREFIX}/upload/pose_image", "POST", START + png(1) + END, [f"Content-Type: {FORM}"])
    file_id = json.loads(_post(server, "/upload/pose_image", START + png(1) + END))["file_id"]
    asked = {"GET by id": request(f"{PREFIX}/files/{file_id}"), "an upload again": form}
    alone = _waits(server, asked)
    for name, work in (("fsck", _check), ("clean-up", lambda on: _clean_up(on, OLD - 1))):
        thread = threading.Thread(target=work, args=(server,))
        thread.start()
        beside = _waits(server, asked, while_=thread)
        for what, waits in beside.items():
            value = " / ".join(f"{percentile(one, 0.99) * 1000:.1f}" for one in (waits, alone[what]))
            bench.add(Row(PART, f"{what} beside {name} / alone, p99", f"{value} ms"))


def _waits(
    server: ComfyServer, asked: dict[str, bytes], while_: threading.Thread | None = None
) -> dict[str, list[float]]:
    """Ask for each in turn, for LOOK seconds, once or for as long as the thread goes on."""
    waits: dict[str, list[float]] = {name: [] for name in asked}
    while True:
        for name, one in asked.items():
            waits[name] += ask(server.port, [one], clients=1, seconds=LOOK).waits
        if while_ is None or not while_.is_alive():
            return waits


def _post(server: ComfyServer, path: str, form: bytes = b"") -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    asked = urllib.request.Request(server.url + PREFIX + path, form, {"Content-Type": FORM} if form else {})
    with opener.open(asked, timeout=PATIENCE) as answer:
        told: bytes = answer.read()
        return told
