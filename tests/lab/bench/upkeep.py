"""Measures fsck and clean-up with 1,000 to 100,000 files, while ComfyUI runs and while it is stopped."""

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
#: The share of each store that is cleaned up without other load. The rest of the largest store is cleaned up
#: while clients send requests.
SHARE_ALONE = 0.8
OLD, OLDER = 40, 60  # days
MAX_RATIO = 1.5
MAX_GROWTH = 10.0  # MB
MAX_STALL = 0.025  # s
TIMEOUT = 600.0  # s
#: Seconds of load per measurement while upkeep runs.
LOAD_SECONDS = 1.0
#: Prevents the daily clean-up, which otherwise runs a minute after each start.
ENVIRONMENT = {"AVATARFORGE_FILE_CLEANUP_DAYS": "36500"}
CHECK, CLEAN_UP, OFFLINE = "fsck beside ComfyUI", "clean-up beside ComfyUI", "fsck offline"


@dataclass(frozen=True)
class _Run:
    """One run of fsck or clean-up. `growth` is the additional memory in MB; times are in seconds."""

    files: int
    seconds: float
    growth: float
    stall_p99: float = 0.0

    @property
    def each(self) -> float:
        return self.seconds / self.files


def measure(bench: Bench) -> None:
    """Fill, check and clean up each size in turn, in one folder."""
    runs: dict[str, list[_Run]] = {CHECK: [], CLEAN_UP: [], OFFLINE: []}
    with bench.server("upkeep", env=ENVIRONMENT) as server:
        base = server.base  # starting created folders and tables
    for size in SIZES:
        alone = round(size * SHARE_ALONE)
        fill(base / "user" / "__avatarforge", f"older {size}", alone, OLDER)
        fill(base / "user" / "__avatarforge", f"old {size}", size - alone, OLD)
        runs[OFFLINE].append(_offline(bench, base))
        with bench.server("upkeep", env=ENVIRONMENT) as server:
            _check(server)  # warm-up: the first run loads everything
            runs[CHECK].append(_typical(server, size, _check))
            _clean_up(server, 1000)  # warm-up: deletes no file
            runs[CLEAN_UP].append(_watched(server, lambda target: _clean_up(target, OLDER - 1)))
            if size == SIZES[-1]:
                _measure_under_load(bench, server)
            _clean_up(server, OLD - 1)
    for name, by_size in runs.items():
        _add_rows(bench, name, by_size)


def _add_rows(bench: Bench, name: str, runs: list[_Run]) -> None:
    for size, run in zip(SIZES, runs, strict=True):
        bench.add(Row(PART, f"{name}, {size:,} files", f"{run.each * 1e6:.0f} us each"))
    ratio = runs[-1].each / runs[0].each
    _add_target(
        bench, f"{name}, each of 100,000 / of 1,000", f"{ratio:.2f}", MAX_RATIO, ratio, "linear: at most 1.5"
    )
    if memory.can_be_measured():
        growth = runs[-1].growth - runs[1].growth
        value = f"{runs[1].growth:.0f} and {runs[-1].growth:.0f} MB"
        _add_target(
            bench,
            f"{name}, memory at 10,000 and 100,000",
            value,
            MAX_GROWTH,
            growth,
            "flat: at most 10 MB apart",
        )
    if stall := runs[-1].stall_p99:
        value = f"{stall * 1000:.1f} ms"
        _add_target(bench, f"{name}, stall p99 at 100,000", value, MAX_STALL, stall, "under 25 ms")
    points = tuple((float(run.files), run.seconds) for run in runs)
    bench.curves.append(Curve("Check and clean-up", name, "files", "seconds", points))


def _add_target(bench: Bench, name: str, value: str, limit: float, measured: float, target: str) -> None:
    bench.add(Row(PART, name, value, target, measured <= limit))


def _typical(server: ComfyServer, size: int, work: Callable[[ComfyServer], int]) -> _Run:
    """The median of three runs, or a single run for the largest store, where three would take too long."""
    runs = [_watched(server, work) for _ in range(1 if size == SIZES[-1] else 3)]
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def _watched(server: ComfyServer, work: Callable[[ComfyServer], int]) -> _Run:
    collect(server)
    before = memory.reset_peak(server.pid) if memory.can_be_measured() else 0
    with watching(server) as stats:
        started = time.perf_counter()
        files = work(server)
        seconds = time.perf_counter() - started
    growth = memory.peak(server.pid) - before if memory.can_be_measured() else 0
    return _Run(files, seconds, growth / 1e6, stats[0].stall_p99)


def _check(server: ComfyServer) -> int:
    report = json.loads(_post(server, "/maintenance/verify"))
    if not report["clean"]:
        raise LabError(f"The check found {report['counts']}.")
    return int(report["files"])


def _clean_up(server: ComfyServer, days: int) -> int:
    return int(json.loads(_post(server, f"/cleanup/orphaned-files?days={days}"))["files_deleted"])


def _offline(bench: Bench, base: Path) -> _Run:
    """Run `dev.py fsck`: seconds of the check itself, and memory of the whole process."""
    command: list[str | Path] = [
        bench.comfyui.python,
        "-c",
        _MEASURE_PEAK,
        base / "custom_nodes" / PACKAGE / "dev.py",
    ]
    result = subprocess.run(
        [*command, "fsck", "--json", "--data-folder", base / "user" / "__avatarforge"],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise LabError(
            f"dev.py fsck ended with {result.returncode}: {result.stdout[:500]}{result.stderr[-500:]}"
        )
    report = json.loads(result.stdout)
    return _Run(report["files"], report["seconds"], float(result.stderr.split()[-1]) / 1e6)


#: Runs a script, then prints the peak memory of its process, in bytes.
_MEASURE_PEAK = """
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


def _measure_under_load(bench: Bench, server: ComfyServer) -> None:
    """Measure reads and writes while fsck and clean-up run."""
    form = request(f"{PREFIX}/upload/pose_image", "POST", START + png(1) + END, [f"Content-Type: {FORM}"])
    file_id = json.loads(_post(server, "/upload/pose_image", START + png(1) + END))["file_id"]
    requests = {"GET by id": request(f"{PREFIX}/files/{file_id}"), "an upload again": form}
    alone = _waits(server, requests)
    for name, work in (("fsck", _check), ("clean-up", lambda target: _clean_up(target, OLD - 1))):
        thread = threading.Thread(target=work, args=(server,))
        thread.start()
        loaded = _waits(server, requests, during=thread)
        for what, waits in loaded.items():
            value = " / ".join(f"{percentile(values, 0.99) * 1000:.1f}" for values in (waits, alone[what]))
            bench.add(Row(PART, f"{what} beside {name} / alone, p99", f"{value} ms"))


def _waits(
    server: ComfyServer, requests: dict[str, bytes], during: threading.Thread | None = None
) -> dict[str, list[float]]:
    """Send each request in turn for LOAD_SECONDS, once or until the thread ends. Returns the waits (s)."""
    waits: dict[str, list[float]] = {name: [] for name in requests}
    while True:
        for name, data in requests.items():
            waits[name] += ask(server.port, [data], clients=1, seconds=LOAD_SECONDS).waits
        if during is None or not during.is_alive():
            return waits


def _post(server: ComfyServer, path: str, form: bytes = b"") -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    post = urllib.request.Request(server.url + PREFIX + path, form, {"Content-Type": FORM} if form else {})
    with opener.open(post, timeout=TIMEOUT) as response:
        content: bytes = response.read()
        return content
