"""A turnaround: beside four single views, and beside ComfyUI's own nodes with the same batch."""

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
# Pixels, steps, rounds. The last one has the targets: where the models work, not the queue around them.
BARE_SIZES = ((64, 1, 7), (256, 2, 3))
BARE_TARGETS = {"sheet, consistency 0": 1.05, "sheet, consistency 1": 1.4}
POLL_SECONDS = 0.01
PART = "Turnaround"


def measure(bench: Bench) -> None:
    """One batch of four views against four generations of one view, both with skeletons and new seeds."""
    with bench.server("turnaround", kinds=("sd15", "sd15-openpose")) as server:
        client = Client(server.url)
        numbers = itertools.count()

        def submit(route: str, **body: Any) -> str:
            # Other words each time: ComfyUI keeps the last prompt's encoded texts.
            number = next(numbers)
            request = {"prompt": f"knight {number}", "seed": number, "width": 64, "height": 64, "steps": 1}
            answer = client.post(PREFIX + route, {**request, **body})
            return str(answer["generation_id"])

        def wait(generation_id: str) -> None:
            while (status := client.get(f"{PREFIX}/generations/{generation_id}")["status"]) != "completed":
                if status == "failed":
                    raise LabError(f"generation {generation_id} failed")
                time.sleep(POLL_SECONDS)

        def singles() -> None:
            for one in [submit(f"/generate_pose?pose={view}") for view in VIEWS]:
                wait(one)

        def sheet(consistency: float) -> Callable[[], None]:
            return lambda: wait(submit("/generate_all_poses", consistency=consistency))

        sheet(0.7)()
        singles()
        loads = server.log().count(LOADED)
        works = {
            "four single views": singles,
            "sheet, consistency 0": sheet(0.0),
            "sheet, consistency 1": sheet(1.0),
        }
        times: dict[str, list[float]] = {name: [] for name in works}
        for turn in range(ROUNDS):  # interleaved and rotated, so that a busy moment hits all of them
            names = list(works)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                work = works[name]
                started = time.monotonic()
                work()
                times[name].append(time.monotonic() - started)
        whole = median(times["four single views"])
        for name, found in times.items():
            ratio = median(found) / whole
            wanted = f"at most {TARGET} of four single views" if name.startswith("sheet") else ""
            bench.add(
                Row(
                    PART,
                    f"{name}, 64x64, 1 step",
                    f"{median(found) * 1000:.0f} ms ({ratio:.2f})",
                    wanted,
                    ratio <= TARGET if wanted else None,
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
    """The same batch with ComfyUI's own nodes alone, sent to its own route."""
    link = Quick(port)
    said = {"prompt": "a knight", "width": size, "height": size, "steps": steps}

    def ours(consistency: float) -> Callable[[int], None]:
        def run(seed: int) -> None:
            body = {**said, "seed": seed, "consistency": consistency}
            link.until_ended(link.post(PREFIX + "/generate_all_poses", body)["generation_id"])

        return run

    first = link.post(PREFIX + "/generate_all_poses", {**said, "seed": 0, "consistency": 0.0})
    link.until_ended(first["generation_id"])
    bare = BareSheets(link, link.graph(first["generation_id"]))
    works: dict[str, Callable[[int], None]] = {
        "the bare graph": bare.run,
        "sheet, consistency 0": ours(0.0),
        "sheet, consistency 1": ours(1.0),
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds):
        names = list(works)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            # ComfyUI keeps what the last prompt named, so the first of two brings its own words back.
            works[name](1000 + turn)
            started = time.monotonic()
            works[name](100 + turn)
            times[name].append(time.monotonic() - started)
    whole = median(times["the bare graph"])
    for name, found in times.items():
        ratio = median(found) / whole
        most = BARE_TARGETS.get(name) if size == BARE_SIZES[-1][0] else None
        bench.add(
            Row(
                PART,
                f"{name}, {size}x{size}, steps: {steps}",
                f"{median(found) * 1000:.0f} ms ({ratio:.2f})",
                f"at most {most} of the bare graph" if most else "",
                ratio <= most if most else None,
            )
        )
