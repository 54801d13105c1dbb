"""The cost of queueing and finishing a generation, compared with a bare prompt."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any

from .pictures import plain_png
from .quick import Quick
from .rows import Row, median, percentile
from .setting import PREFIX, Bench

PART = "Generate"
SUBMISSIONS = 40
COMPLETIONS = 60
QUIET_SECONDS = 0.02  # ComfyUI's worker thread cleans up after a prompt
MAX_OVERHEAD = 0.002  # seconds
MAX_DELAY = 0.020  # seconds
SMALL = {"width": 64, "height": 64, "steps": 1}


def measure(bench: Bench) -> None:
    """Compare POST /generate/avatar with POST /prompt, and measure completion, caching and model loads."""
    with bench.server("generate", kinds=("sd15", "sd15-openpose")) as server:
        client = Quick(server.port)
        for width in (256, 320):  # the first prompts load the models
            _run(client, {"prompt": "warm", **SMALL, "width": width})
        pictures = {
            "pose_file_id": client.upload("pose", plain_png(64, 64, 10)),
            "reference_file_id": client.upload("reference", plain_png(64, 64, 200)),
        }
        _enqueue(bench, client, "words alone", {})
        _enqueue(bench, client, "with pose and reference", pictures)
        _complete(bench, client)
        _rerun(bench, client, pictures)
        _loads(bench, client, pictures)


def _run(client: Quick, body: dict[str, Any], route: str = "/generate/avatar") -> str:
    generation_id = str(client.post(PREFIX + route, body)["generation_id"])
    client.until_ended(generation_id)
    return generation_id


def _enqueue(bench: Bench, client: Quick, name: str, pictures: dict[str, str]) -> None:
    ours: list[float] = []
    comfyui: list[float] = []
    for seed in range(SUBMISSIONS):
        body = {"prompt": "a knight", "seed": seed, **SMALL, **pictures}
        time.sleep(QUIET_SECONDS)
        seconds, generation = client.timed_post(PREFIX + "/generate/avatar", body)
        ours.append(seconds)
        client.until_ended(generation["generation_id"])
        graph = client.graph(generation["generation_id"])
        time.sleep(QUIET_SECONDS)
        seconds, queued = client.timed_post("/prompt", {"prompt": graph, "client_id": "bench"})
        comfyui.append(seconds)
        client.until_in_history(queued["prompt_id"])
    overhead = median(ours) - median(comfyui)
    bench.add(Row(PART, f"ComfyUI's POST /prompt of the same graph, {name}", _ms(median(comfyui))))
    bench.add(
        Row(
            PART,
            f"POST /generate/avatar, {name}",
            f"{_ms(median(ours))} (+{_ms(overhead)})",
            "at most 2 ms over POST /prompt",
            overhead <= MAX_OVERHEAD,
        )
    )


def _complete(bench: Bench, client: Quick) -> None:
    """Measure the delay after `execution_success`, whose time ComfyUI reports to the millisecond."""
    ours: list[tuple[float, float]] = []
    comfyui: list[tuple[float, float]] = []
    for seed in range(COMPLETIONS):
        body = {"prompt": "a knight", "seed": 1000 + seed, **SMALL}
        generation_id = client.post(PREFIX + "/generate/avatar", body)["generation_id"]
        seen = client.until_ended(generation_id, pause=0)
        ours.append((_success_time(client, generation_id), seen))
        graph = client.graph(generation_id)
        prompt_id = client.post("/prompt", {"prompt": graph, "client_id": "bench"})["prompt_id"]
        seen = client.until_in_history(prompt_id, pause=0)
        comfyui.append((_success_time(client, prompt_id), seen))
    name = "ComfyUI's success event to its own history, p50, p95"
    bench.add(Row(PART, name, _spread(_delays(comfyui))))
    target, p95 = "p95 under 20 ms", percentile(_delays(ours), 0.95)
    name = "ComfyUI's success event to `completed` in GET, p50, p95"
    bench.add(Row(PART, name, _spread(_delays(ours)), target, p95 < MAX_DELAY))
    # After a prompt ComfyUI collects garbage, unless it did so in the last 10 s. That blocks all threads.
    spans = client.get("/bench/collections")["spans"]
    free = [
        (succeeded, seen)
        for succeeded, seen in ours
        if not any(start < seen and succeeded < end for start, end in spans)
    ]
    name = f"the same, where ComfyUI collected no garbage ({len(free)} of {len(ours)})"
    bench.add(Row(PART, name, _spread(_delays(free))))


def _delays(ends: Sequence[tuple[float, float]]) -> list[float]:
    return [seen - succeeded for succeeded, seen in ends]


def _success_time(client: Quick, prompt_id: str) -> float:
    return float(client.messages(prompt_id)["execution_success"]["timestamp"]) / 1000


def _rerun(bench: Bench, client: Quick, pictures: dict[str, str]) -> None:
    """Count the nodes that ComfyUI runs for the second of two similar requests."""
    seeds = itertools.count(5000)
    other = {**pictures, "pose_file_id": client.upload("pose", plain_png(64, 64, 20))}
    single, sheet = "/generate/avatar", "/generate_all_poses"
    cases: list[tuple[str, str, dict[str, Any], str, dict[str, Any]]] = [
        ("the seed differs", single, {}, single, {}),
        ("the seed differs, pose and reference", single, pictures, single, pictures),
        ("the pose differs", single, other, single, pictures),
        ("the seed differs, sheet", sheet, pictures, sheet, pictures),
        ("a view follows a sheet of the same words", sheet, pictures, "/generate_pose?pose=back", pictures),
    ]
    for number, (name, first, before, second, after) in enumerate(cases):
        common = {"prompt": f"hero {number}", **SMALL}
        _run(client, {**common, "seed": next(seeds), **before}, first)
        generation_id = _run(client, {**common, "seed": next(seeds), **after}, second)
        graph = client.graph(generation_id)
        cached = set(client.messages(generation_id)["execution_cached"]["nodes"])
        ran = [graph[node]["class_type"] for node in sorted(graph, key=int) if node not in cached]
        bench.add(Row(PART, f"nodes that run when {name}", f"{len(ran)} of {len(graph)}"))
        print("      " + ", ".join(ran))


def _loads(bench: Bench, client: Quick, pictures: dict[str, str]) -> None:
    """Count the model loads while different requests for one model family alternate."""
    before = client.get("/bench/loads")
    prompts = 0
    for seed in range(3):
        for route, extra in (
            ("/generate/avatar", {}),
            ("/generate_all_poses", {"consistency": 0.0}),
            ("/generate_all_poses", {"consistency": 1.0}),
            ("/generate/avatar", pictures),
        ):
            _run(client, {"prompt": "loads", "seed": 9000 + seed, **SMALL, **extra}, route)
            prompts += 1
    weights = client.get("/bench/loads")["weights"] - before["weights"]
    files = client.get("/bench/loads")["files"] - before["files"]
    bench.add(
        Row(
            PART,
            f"model files read, weights loaded in {prompts} prompts of one family",
            f"{files}, {weights}",
            "none",
            not weights and not files,
        )
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _spread(delays: list[float]) -> str:
    return f"{_ms(median(delays))}, {_ms(percentile(delays, 0.95))}"
