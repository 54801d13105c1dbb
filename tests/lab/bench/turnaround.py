"""Compares a turnaround with four single views, and with the same batch in ComfyUI's own nodes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

from ..client import PREFIX, Client
from ..progress import LabError
from .bare import BareSheets
from .quick import Quick
from .rows import Row, median
from .setting import Bench

ROUNDS = 9
VIEWS = ("front", "back", "side", "quarter")
LOADED = "Requested to load"
TARGET = 0.8
# Pixels, steps, rounds. Targets apply to the last entry, where the models dominate and not the queue.
BARE_SIZES = ((64, 1, 7), (256, 2, 3))
BARE_TARGETS = {"sheet, consistency 0": 1.05, "sheet, consistency 1": 1.4}
POLL_SECONDS = 0.01
PART = "Turnaround"


def measure(bench: Bench) -> None:
    """Compare one batch of four views with four generations of one view, with skeletons and new seeds."""
    with bench.server("turnaround", kinds=("sd15", "sd15-openpose")) as server:
        client = Client(server.url)
        numbers = itertools.count()

        def submit(route: str, **body: Any) -> str:
            # A new text each time, because ComfyUI caches the last prompt's encoded texts.
            number = next(numbers)
            request = {"prompt": f"knight {number}", "seed": number, "width": 64, "height": 64, "steps": 1}
            generation = client.post(PREFIX + route, {**request, **body})
            return str(generation["generation_id"])

        def wait(generation_id: str) -> None:
            while (status := client.get(f"{PREFIX}/generations/{generation_id}")["status"]) != "completed":
                if status == "failed":
                    raise LabError(f"generation {generation_id} failed")
                time.sleep(POLL_SECONDS)

        def singles() -> None:
            for generation_id in [submit(f"/generate_pose?pose={view}") for view in VIEWS]:
                wait(generation_id)

        def sheet(consistency: float) -> Callable[[], None]:
            return lambda: wait(submit("/generate_all_poses", consistency=consistency))

        sheet(0.7)()
        singles()
        loads = server.log().count(LOADED)
        variants = {
            "four single views": singles,
            "sheet, consistency 0": sheet(0.0),
            "sheet, consistency 1": sheet(1.0),
        }
        times: dict[str, list[float]] = {name: [] for name in variants}
        for turn in range(ROUNDS):  # interleaved and rotated, so that other load affects all of them
            names = list(variants)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                started = time.monotonic()
                variants[name]()
                times[name].append(time.monotonic() - started)
        baseline = median(times["four single views"])
        for name, measured in times.items():
            ratio = median(measured) / baseline
            target = f"at most {TARGET} of four single views" if name.startswith("sheet") else ""
            bench.add(
                Row(
                    PART,
                    f"{name}, 64x64, 1 step",
                    f"{median(measured) * 1000:.0f} ms ({ratio:.2f})",
                    target,
                    ratio <= TARGET if target else None,
                )
            )
        runs = ROUNDS * (len(VIEWS) + 2)
        bench.add(
            Row(
                PART,
                f"times in these {runs} prompts that ComfyUI took up another clone of a loaded model",
                str(server.log().count(LOADED) - loads),
            )
        )
        for size, steps, rounds in BARE_SIZES:
            _beside_bare(bench, server.port, size, steps, rounds)


def _beside_bare(bench: Bench, port: int, size: int, steps: int, rounds: int) -> None:
    """Compare with the same batch in ComfyUI's own nodes, sent to its own route."""
    client = Quick(port)
    common = {"prompt": "a knight", "width": size, "height": size, "steps": steps}

    def ours(consistency: float) -> Callable[[int], None]:
        def run(seed: int) -> None:
            body = {**common, "seed": seed, "consistency": consistency}
            client.until_ended(client.post(PREFIX + "/generate_all_poses", body)["generation_id"])

        return run

    first = client.post(PREFIX + "/generate_all_poses", {**common, "seed": 0, "consistency": 0.0})
    client.until_ended(first["generation_id"])
    bare = BareSheets(client, client.graph(first["generation_id"]))
    variants: dict[str, Callable[[int], None]] = {
        "the bare graph": bare.run,
        "sheet, consistency 0": ours(0.0),
        "sheet, consistency 1": ours(1.0),
    }
    times: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(rounds):
        names = list(variants)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            # ComfyUI caches only the last prompt. The untimed first run caches this variant again.
            variants[name](1000 + turn)
            started = time.monotonic()
            variants[name](100 + turn)
            times[name].append(time.monotonic() - started)
    baseline = median(times["the bare graph"])
    for name, measured in times.items():
        ratio = median(measured) / baseline
        limit = BARE_TARGETS.get(name) if size == BARE_SIZES[-1][0] else None
        bench.add(
            Row(
                PART,
                f"{name}, {size}x{size}, steps: {steps}",
                f"{median(measured) * 1000:.0f} ms ({ratio:.2f})",
                f"at most {limit} of the bare graph" if limit else "",
                ratio <= limit if limit else None,
            )
        )
