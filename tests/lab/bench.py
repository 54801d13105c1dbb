"""Measurements on a real ComfyUI, side by side in one run: on a shared machine only the ratios count."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import memory, synthetic, upload_load
from .client import PREFIX, Client
from .listeners import allow_many_sockets, measure_listeners
from .obtain import obtain_comfyui
from .progress import LabError
from .server import ComfyServer

ROUNDS = 9
VIEWS = ("front", "back", "side", "quarter")
LOADED = "Requested to load"
TARGET = 0.8
POLL_SECONDS = 0.01


def run_bench(root: Path) -> int:
    """Measure, print one row per measurement, and return the exit code (a missed target is no failure)."""
    comfyui = obtain_comfyui()
    allow_many_sockets()
    models = synthetic.models(comfyui, ("sd15", "sd15-openpose"))
    with (
        tempfile.TemporaryDirectory() as base,
        ComfyServer(comfyui, Path(base), pack=root, dotenv="", models=models) as server,
    ):
        client = Client(server.url)
        measure_listeners(client, server)
        _turnaround(client, server)
        _uploads(server, Path(base))
    return 0


def _uploads(server: ComfyServer, folder: Path) -> None:
    """How long GET /queue takes while eight pictures of 45 MB come in at once, and ComfyUI's memory."""
    print(f"\n{upload_load.UPLOADS} uploads of about 45 MB at once; GET /queue meanwhile:")
    for kind in upload_load.SIDES:
        pictures = []
        for number in range(upload_load.UPLOADS):
            pictures.append(folder / f"{number}.{kind}")
            upload_load.make(server.comfyui.python, kind, number, pictures[-1])
        found = upload_load.measure(server.url, server.pid, pictures)
        print(
            f"  {kind:5} median {found.p50 * 1000:5.1f} ms, p99 {found.p99 * 1000:5.1f} ms "
            f"(idle {found.idle_p99 * 1000:5.1f} ms), memory {found.growth / memory.MEBIBYTE:+5.0f} MB"
        )
        for picture in pictures:
            picture.unlink()
    print("  target: p99 at most 25 ms on 2 free cores, memory at most +100 MB")


def _turnaround(client: Client, server: ComfyServer) -> None:
    """One batch of four views against four generations of one view, both with skeletons and new seeds."""
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
    whole = statistics.median(times["four single views"])
    print(f"\n64x64, 1 step, median of {ROUNDS}:")
    for name, found in times.items():
        median = statistics.median(found)
        print(f"  {name:22} {median * 1000:7.0f} ms   {median / whole:4.2f} of four single views")
    print(f"  target for a sheet: at most {TARGET} of four single views")
    runs = ROUNDS * (len(VIEWS) + 2)
    print(f"  ComfyUI's loads of a model in these {runs} prompts: {server.log().count(LOADED) - loads}")
