"""Measures reads from stores of 100, 10,000 and a million generations and files, each in its own ComfyUI."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
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
SMALLEST, LARGEST = SIZES[0], SIZES[-1]
ROUNDS = 5
SECONDS = 0.5
PAGE_SIZE = 50
CURSOR_PAGES = 40  # consecutive pages to read by cursor
FILL = Path(__file__).with_name("fill.py")
#: ComfyUI's own JSON routes that need no disk. Ours are compared with the cheapest.
COMFYUI_ROUTES = ("/prompt", "/features", "/queue", "/history?max_items=1")
PLAIN = "/bench/plain"


@dataclass(frozen=True)
class Store:
    """A ComfyUI with `rows` generations and files.

    Attributes:
        generations, hashes, characters: to request repeatedly.
        firsts: ids to request only once.
        seconds, bytes: time to fill the database, and its size.
    """

    rows: int
    server: ComfyServer
    generations: list[str]
    firsts: list[str]
    hashes: list[str]
    characters: list[str]
    seconds: float
    bytes: int


def measure(bench: Bench) -> None:
    with open_stores(bench, SIZES) as stores:
        largest = stores[-1]
        size = f"{largest.bytes / 1e9:.1f} GB, filled in {largest.seconds:.0f} s"
        bench.add(Row(PART, f"the store of {largest.rows:,} generations and files", size))
        rates = _rates(stores)
        _against_comfyui(bench, stores, rates)
        _against_size(bench, stores, rates)
        _pages(bench, stores)


@contextmanager
def open_stores(bench: Bench, sizes: Sequence[int]) -> Iterator[list[Store]]:
    """Fill stores of these sizes, and start a ComfyUI on each."""
    filled = [_fill(bench, rows) for rows in sizes]
    with ExitStack() as stack:
        yield [
            Store(rows, stack.enter_context(bench.server(_name(rows))), **result)
            for rows, result in zip(sizes, filled, strict=True)
        ]


def _fill(bench: Bench, rows: int) -> dict[str, Any]:
    data = bench.folder / _name(rows) / "user" / "__avatarforge"
    command = [str(part) for part in (bench.comfyui.python, FILL, bench.root, data, rows)]
    result: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return result


def _name(rows: int) -> str:
    return f"reads-{rows}"


def _requests(store: Store) -> dict[str, list[bytes]]:
    """The requests to each store, by kind."""
    return {
        "generation by id": [
            request(f"{PREFIX}/generations/{generation_id}") for generation_id in store.generations
        ],
        "hash check": [request(f"{PREFIX}/files/hash/{content_hash}") for content_hash in store.hashes],
        f"list of {PAGE_SIZE}": [request(f"{PREFIX}/generations?limit={PAGE_SIZE}")],
        f"list of {PAGE_SIZE} completed": [
            request(f"{PREFIX}/generations?limit={PAGE_SIZE}&status=completed")
        ],
        f"list of {PAGE_SIZE} files": [request(f"{PREFIX}/files?limit={PAGE_SIZE}")],
    }


def _rates(stores: Sequence[Store]) -> dict[tuple[str, int], float]:
    """Requests per second of one client by kind and size; ComfyUI's own on the smallest store."""
    jobs = {
        (kind, store.rows): (store, requests)
        for store in stores
        for kind, requests in _requests(store).items()
    }
    jobs |= {(path, SMALLEST): (stores[0], [request(path)]) for path in (*COMFYUI_ROUTES, PLAIN)}
    measured: dict[tuple[str, int], list[float]] = {job: [] for job in jobs}
    for turn in range(ROUNDS + 1):  # interleaved; the first round is not counted
        for job, (store, requests) in jobs.items():
            rate = ask(store.server.port, requests, clients=1, seconds=SECONDS).rate
            if turn:
                measured[job].append(rate)
    return {job: median(rates) for job, rates in measured.items()}


def _against_comfyui(bench: Bench, stores: Sequence[Store], rates: dict[tuple[str, int], float]) -> None:
    for path in (*COMFYUI_ROUTES, PLAIN):
        owner = "barest JSON route" if path == PLAIN else "ComfyUI"
        bench.add(Row(PART, f"{owner}: GET {path}, 1 client", f"{rates[path, SMALLEST]:,.0f} per s"))
    cheapest = max(rates[path, SMALLEST] for path in COMFYUI_ROUTES)
    for kind in _requests(stores[0]):
        rate = rates[kind, LARGEST]
        share = rate / cheapest
        value = f"{rate:,.0f} per s ({share:.2f})"
        if kind in ("generation by id", "hash check"):
            target, holds = "3,000 per s, or 0.25 of ComfyUI's cheapest", rate >= 3000 or share >= 0.25
        else:
            target, holds = "1,000 per s", rate >= 1000
        bench.add(Row(PART, f"{kind}, {LARGEST:,} rows, 1 client", value, target, holds))


def _against_size(bench: Bench, stores: Sequence[Store], rates: dict[tuple[str, int], float]) -> None:
    for kind in _requests(stores[0]):
        costs = {store.rows: 1 / rates[kind, store.rows] for store in stores}
        ratio, limit = costs[LARGEST] / costs[SMALLEST], 1.3 if kind.startswith("list") else 1.2
        name = f"{kind}: cost at {LARGEST:,} rows beside {SMALLEST:,}"
        bench.add(Row(PART, name, f"{ratio:.2f}", f"at most {limit}", ratio <= limit))
        _curve(bench, "Cost of a read that is asked for again", kind, costs)


def _pages(bench: Bench, stores: Sequence[Store]) -> None:
    """Measure requests for the first time, so that nothing is in the pack's caches."""
    measured: dict[str, dict[int, list[float]]] = {}
    for turn in range(ROUNDS):
        for store in stores:
            for kind, paths in _cold(store, turn).items():
                measured.setdefault(kind, {}).setdefault(store.rows, []).extend(timed(store.server, paths))
    for kind, by_size in measured.items():
        costs = {rows: median(waits) for rows, waits in by_size.items()}
        value = f"{costs[LARGEST] * 1000:.2f} ms ({costs[LARGEST] / costs[SMALLEST]:.1f})"
        target, holds = "", None
        if "offset" in kind:
            target, holds = "under 60 ms", max(costs.values()) < 0.06
        elif kind == "page by cursor":
            target, holds = "flat under 2 ms", max(costs.values()) < 0.002
        bench.add(Row(PART, f"{kind}, first time, {LARGEST:,} rows", value, target, holds))
        _curve(bench, "Cost of a read for the first time", kind, costs)


def _cold(store: Store, turn: int) -> dict[str, list[str]]:
    """Paths of each kind, different ones for each round."""
    last, last_completed = store.rows - PAGE_SIZE - turn, store.rows * 49 // 50 - PAGE_SIZE - turn
    # A cursor is a position in the order of creation.
    newest = max(PAGE_SIZE, store.rows * (turn + 1) // (ROUNDS + 2))
    cursors = range(newest, max(0, newest - CURSOR_PAGES * PAGE_SIZE), -PAGE_SIZE)
    ids = store.firsts[turn::ROUNDS]
    page = f"{PREFIX}/generations?limit={PAGE_SIZE}"
    numbers = range(turn, store.rows, max(1, store.rows // 10))
    return {
        "generation by id": [f"{PREFIX}/generations/{generation_id}" for generation_id in ids],
        "last page by offset": [f"{page}&offset={max(0, last)}"],
        "last page by offset, completed": [f"{page}&offset={max(0, last_completed)}&status=completed"],
        "page in the middle by offset": [f"{page}&offset={store.rows // 2 + turn}"],
        "page by cursor": [f"{page}&cursor={cursor}" for cursor in cursors],
        "gallery: a search for few, by cursor": [
            f"{page}&q=knight+{number:02}%2C&cursor={store.rows + turn + 1}" for number in numbers
        ],
        # Its total is counted once: the first of these pages.
        "gallery: a search that all match, by cursor": [
            f"{page}&q=knight+castle&cursor={cursor}" for cursor in cursors
        ],
        "gallery: a view and a model, oldest first": [
            f"{page}&view=front&model=anime-model.safetensors&sort=oldest&offset={PAGE_SIZE * turn}"
        ],
    }


def timed(server: ComfyServer, paths: Sequence[str]) -> list[float]:
    """Request the paths one after another on one connection. Returns the seconds for each."""
    connection = HTTPConnection(HOST, server.port, timeout=60)
    connection.connect()
    waits = []
    for path in paths:
        started = time.perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        waits.append(time.perf_counter() - started)
        if response.status != 200:
            raise LabError(f"GET {path} returned status {response.status}")
    connection.close()
    return waits


def _curve(bench: Bench, plot: str, label: str, costs: dict[int, float]) -> None:
    points = tuple((float(rows), seconds * 1000) for rows, seconds in costs.items())
    bench.curves.append(Curve(plot, label, "generations stored", "ms", points))
