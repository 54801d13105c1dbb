"""Reads of stores of 100, 10,000 and a million generations and files, each in a ComfyUI of its own."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from ..progress import LabError
from ..server import HOST, ComfyServer
from .load import ask, request
from .rows import Curve, Row, median
from .setting import PREFIX, Bench

PART = "Reads"
SIZES = (100, 10_000, 1_000_000)
FEW, MANY = SIZES[0], SIZES[-1]
ROUNDS = 5
SECONDS = 0.5
PAGE = 50
WALK = 40  # pages that are read with a cursor, one behind the other
FILL = Path(__file__).with_name("fill.py")
#: ComfyUI's own routes that give JSON without a disk; the cheapest is what ours are compared with.
OWN = ("/prompt", "/features", "/queue", "/history?max_items=1")
PLAIN = "/bench/plain"


@dataclass(frozen=True)
class Store:
    """A ComfyUI with so many rows, ids and hashes to ask for again and again, and ids to ask for once."""

    rows: int
    server: ComfyServer
    generations: list[str]
    firsts: list[str]
    hashes: list[str]
    seconds: float
    bytes: int


def measure(bench: Bench) -> None:
    filled = [_fill(bench, rows) for rows in SIZES]
    with ExitStack() as stack:
        stores = [
            Store(rows, stack.enter_context(bench.server(_name(rows))), **told)
            for rows, told in zip(SIZES, filled, strict=True)
        ]
        last = stores[-1]
        size = f"{last.bytes / 1e9:.1f} GB, filled in {last.seconds:.0f} s"
        bench.add(Row(PART, f"the store of {_many(last.rows)} generations and files", size))
        rates = _rates(stores)
        _against_comfyui(bench, stores, rates)
        _against_size(bench, stores, rates)
        _pages(bench, stores)


def _fill(bench: Bench, rows: int) -> dict[str, Any]:
    data = bench.folder / _name(rows) / "user" / "__avatarforge"
    command = [str(part) for part in (bench.comfyui.python, FILL, bench.root, data, rows)]
    told: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return told


def _name(rows: int) -> str:
    return f"reads-{rows}"


def _many(number: int) -> str:
    return f"{number:,}"


def _kinds(store: Store) -> dict[str, list[bytes]]:
    """What is asked for on each store."""
    return {
        "generation by id": [request(f"{PREFIX}/generations/{one}") for one in store.generations],
        "hash check": [request(f"{PREFIX}/files/hash/{one}") for one in store.hashes],
        f"list of {PAGE}": [request(f"{PREFIX}/generations?limit={PAGE}")],
        f"list of {PAGE} completed": [request(f"{PREFIX}/generations?limit={PAGE}&status=completed")],
        f"list of {PAGE} files": [request(f"{PREFIX}/files?limit={PAGE}")],
    }


def _rates(stores: Sequence[Store]) -> dict[tuple[str, int], float]:
    """Requests per second of one client by kind and size; ComfyUI's own on the smallest store."""
    jobs = {
        (kind, store.rows): (store, requests) for store in stores for kind, requests in _kinds(store).items()
    }
    jobs |= {(path, FEW): (stores[0], [request(path)]) for path in (*OWN, PLAIN)}
    found: dict[tuple[str, int], list[float]] = {job: [] for job in jobs}
    for turn in range(ROUNDS + 1):  # interleaved; the first round is not counted
        for job, (store, requests) in jobs.items():
            rate = ask(store.server.port, requests, clients=1, seconds=SECONDS).rate
            if turn:
                found[job].append(rate)
    return {job: median(rates) for job, rates in found.items()}


def _against_comfyui(bench: Bench, stores: Sequence[Store], rates: dict[tuple[str, int], float]) -> None:
    for path in (*OWN, PLAIN):
        whose = "barest JSON route" if path == PLAIN else "ComfyUI"
        bench.add(Row(PART, f"{whose}: GET {path}, 1 client", f"{rates[path, FEW]:,.0f} per s"))
    cheapest = max(rates[path, FEW] for path in OWN)
    for kind in _kinds(stores[0]):
        rate = rates[kind, MANY]
        share = rate / cheapest
        value = f"{rate:,.0f} per s ({share:.2f})"
        if kind in ("generation by id", "hash check"):
            target, holds = "3,000 per s, or 0.25 of ComfyUI's cheapest", rate >= 3000 or share >= 0.25
        else:
            target, holds = "1,000 per s", rate >= 1000
        bench.add(Row(PART, f"{kind}, {_many(MANY)} rows, 1 client", value, target, holds))


def _against_size(bench: Bench, stores: Sequence[Store], rates: dict[tuple[str, int], float]) -> None:
    for kind in _kinds(stores[0]):
        costs = {store.rows: 1 / rates[kind, store.rows] for store in stores}
        ratio, most = costs[MANY] / costs[FEW], 1.3 if kind.startswith("list") else 1.2
        name = f"{kind}: cost at {_many(MANY)} rows beside {_many(FEW)}"
        bench.add(Row(PART, name, f"{ratio:.2f}", f"at most {most}", ratio <= most))
        _curve(bench, "Cost of a read that is asked for again", kind, costs)


def _pages(bench: Bench, stores: Sequence[Store]) -> None:
    """What nobody has asked for before, so that nothing of it is in the pack's memory; seconds."""
    found: dict[str, dict[int, list[float]]] = {}
    for turn in range(ROUNDS):
        for store in stores:
            for kind, paths in _cold(store, turn).items():
                found.setdefault(kind, {}).setdefault(store.rows, []).extend(_timed(store.server, paths))
    for kind, by_size in found.items():
        costs = {rows: median(waits) for rows, waits in by_size.items()}
        value = f"{costs[MANY] * 1000:.2f} ms ({costs[MANY] / costs[FEW]:.1f})"
        target, holds = "", None
        if "offset" in kind:
            target, holds = "under 60 ms", max(costs.values()) < 0.06
        elif "cursor" in kind:
            target, holds = "flat under 2 ms", max(costs.values()) < 0.002
        bench.add(Row(PART, f"{kind}, first time, {_many(MANY)} rows", value, target, holds))
        _curve(bench, "Cost of a read for the first time", kind, costs)


def _cold(store: Store, turn: int) -> dict[str, list[str]]:
    """Paths of each kind; in each round others."""
    last, done = store.rows - PAGE - turn, store.rows * 49 // 50 - PAGE - turn
    # The cursor is a place in the order in which they were made.
    newest = max(PAGE, store.rows * (turn + 1) // (ROUNDS + 2))
    cursors = range(newest, max(0, newest - WALK * PAGE), -PAGE)
    each = store.firsts[turn::ROUNDS]
    page = f"{PREFIX}/generations?limit={PAGE}"
    return {
        "generation by id": [f"{PREFIX}/generations/{one}" for one in each],
        "last page by offset": [f"{page}&offset={max(0, last)}"],
        "last page by offset, completed": [f"{page}&offset={max(0, done)}&status=completed"],
        "page in the middle by offset": [f"{page}&offset={store.rows // 2 + turn}"],
        "page by cursor": [f"{page}&cursor={cursor}" for cursor in cursors],
    }


def _timed(server: ComfyServer, paths: Sequence[str]) -> list[float]:
    """Seconds that each takes, one after another on one connection."""
    connection = HTTPConnection(HOST, server.port, timeout=60)
    connection.connect()
    waits = []
    for path in paths:
        begun = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        waits.append(time.perf_counter() - begun)
        if answer.status != 200:
            raise LabError(f"GET {path} answered {answer.status}")
    connection.close()
    return waits


def _curve(bench: Bench, plot: str, label: str, costs: dict[int, float]) -> None:
    points = tuple((float(rows), seconds * 1000) for rows, seconds in costs.items())
    bench.curves.append(Curve(plot, label, "generations stored", "ms", points))
