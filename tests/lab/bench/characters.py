"""Measures lists and searches of 100,000 characters, of a million generations, beside other lists."""

from __future__ import annotations

from collections.abc import Sequence

from .load import ask, request
from .reads import PAGE_SIZE, ROUNDS, SECONDS, Store, open_stores, timed
from .rows import Row, median
from .setting import PREFIX, Bench

PART = "Characters"
#: Generations; there is a character for each ten of them.
SIZES = (1_000, 1_000_000)
SMALLEST, LARGEST = SIZES
PER_CHARACTER = 10
BESIDE = "list of generations"
PAGES = 10  # of each kind in a round, each another one

Costs = dict[tuple[str, int], float]


def measure(bench: Bench) -> None:
    with open_stores(bench, SIZES) as stores:
        _repeated(bench, stores[-1])
        first = _first_time(stores)
    for kind in _paths(stores[0], 0):
        cost, small = first[kind, LARGEST], first[kind, SMALLEST]
        value = f"{cost * 1000:.2f} ms, {cost / first[BESIDE, LARGEST]:.1f} of the {BESIDE}"
        target, holds = "", None
        if kind.endswith("all"):
            target, holds = "under 60 ms, as other reads that count", cost < 0.06
        elif kind != BESIDE:
            target = f"at most 1.3 of the {BESIDE}, and of the cost at {SMALLEST:,}"
            holds = cost <= 1.3 * min(first[BESIDE, LARGEST], max(small, first[BESIDE, SMALLEST]))
        name = f"{kind}, first time, {_size(LARGEST)} ({cost / small:.1f})"
        bench.add(Row(PART, name, value, target, holds))


def _size(rows: int) -> str:
    return f"{rows // PER_CHARACTER:,} characters"


def _repeated(bench: Bench, store: Store) -> None:
    """Rates of one client that asks for the same again."""
    asked = {
        BESIDE: [f"{PREFIX}/generations?limit={PAGE_SIZE}"],
        "list of characters": [f"{PREFIX}/characters?limit={PAGE_SIZE}"],
        "list of a character's generations": [
            f"{PREFIX}/generations?limit={PAGE_SIZE}&character_id={item}" for item in store.characters
        ],
    }
    rates: dict[str, list[float]] = {kind: [] for kind in asked}
    for turn in range(ROUNDS + 1):  # interleaved; the first round is not counted
        for kind, paths in asked.items():
            sent = [request(path) for path in paths]
            rate = ask(store.server.port, sent, clients=1, seconds=SECONDS).rate
            if turn:
                rates[kind].append(rate)
    for kind, measured in rates.items():
        rate = median(measured)
        name = f"{kind}, {_size(store.rows)}, 1 client"
        bench.add(Row(PART, name, f"{rate:,.0f} per s", "1,000 per s", rate >= 1000))


def _first_time(stores: Sequence[Store]) -> Costs:
    """Seconds of a request that nobody has made before, so that nothing is in the pack's caches."""
    waits: dict[tuple[str, int], list[float]] = {}
    for turn in range(ROUNDS):
        for store in stores:
            for kind, paths in _paths(store, turn).items():
                waits.setdefault((kind, store.rows), []).extend(timed(store.server, paths))
    return {key: median(measured) for key, measured in waits.items()}


def _paths(store: Store, turn: int) -> dict[str, list[str]]:
    numbers = range(turn * PAGES, (turn + 1) * PAGES)
    step = store.rows // (ROUNDS * PAGES)
    of_its = store.characters[turn::ROUNDS][:PAGES]
    found = [number * step // PER_CHARACTER * PER_CHARACTER for number in numbers]
    listed = f"{PREFIX}/characters?limit={PAGE_SIZE}"
    return {
        BESIDE: [f"{PREFIX}/generations?limit={PAGE_SIZE}&cursor={(n + 1) * step}" for n in numbers],
        "list of characters": [f"{PREFIX}/characters?limit={PAGE_SIZE - turn}"],
        "list of a character's generations": [
            f"{PREFIX}/generations?limit={PAGE_SIZE}&character_id={item}" for item in of_its
        ],
        "search that finds one": [f"{listed}&q=freckles,+number+{number}" for number in found],
        "search that finds some": [f"{listed}&q=mira+{number // 100}" for number in found],
        "search that finds none": [f"{listed}&q=dragon+{number}" for number in found],
        "search that finds all": [f"{PREFIX}/characters?q=freckles&limit={PAGE_SIZE - turn}"],
    }
