"""Into ComfyUI's queue and out of it again: what a generation costs beside a bare prompt."""

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
POSTS = 40
ENDS = 60
QUIET_SECONDS = 0.02  # after a prompt ComfyUI's worker thread tidies up
OVER = 0.002
VISIBLE = 0.020
SMALL = {"width": 64, "height": 64, "steps": 1}


def measure(bench: Bench) -> None:
    """POST /generate/avatar beside POST /prompt, the end of a prompt, and what runs again the next time."""
    with bench.server("generate", kinds=("sd15", "sd15-openpose")) as server:
        link = Quick(server.port)
        for length in (256, 320):  # the first ones load the models
            _run(link, {"prompt": "warm", **SMALL, "width": length})
        pictures = {
            "pose_file_id": link.upload("pose", plain_png(64, 64, 10)),
            "reference_file_id": link.upload("reference", plain_png(64, 64, 200)),
        }
        _enqueue(bench, link, "words alone", {})
        _enqueue(bench, link, "with pose and reference", pictures)
        _finish(bench, link)
        _again(bench, link, pictures)
        _loads(bench, link, pictures)


def _run(link: Quick, body: dict[str, Any], route: str = "/generate/avatar") -> str:
    generation_id = str(link.post(PREFIX + route, body)["generation_id"])
    link.until_ended(generation_id)
    return generation_id


def _enqueue(bench: Bench, link: Quick, name: str, pictures: dict[str, str]) -> None:
    ours: list[float] = []
    comfyui: list[float] = []
    for seed in range(POSTS):
        body = {"prompt": "a knight", "seed": seed, **SMALL, **pictures}
        time.sleep(QUIET_SECONDS)
        took, answer = link.timed_post(PREFIX + "/generate/avatar", body)
        ours.append(took)
        link.until_ended(answer["generation_id"])
        graph = link.graph(answer["generation_id"])
        time.sleep(QUIET_SECONDS)
        took, answer = link.timed_post("/prompt", {"prompt": graph, "client_id": "bench"})
        comfyui.append(took)
        link.until_in_history(answer["prompt_id"])
    over = median(ours) - median(comfyui)
    bench.add(Row(PART, f"ComfyUI's POST /prompt of the same graph, {name}", _ms(median(comfyui))))
    bench.add(
        Row(
            PART,
            f"POST /generate/avatar, {name}",
            f"{_ms(median(ours))} (+{_ms(over)})",
            "at most 2 ms over POST /prompt",
            over <= OVER,
        )
    )


def _finish(bench: Bench, link: Quick) -> None:
    """ComfyUI's own clock tells when it said `execution_success`, to the millisecond."""
    ours: list[tuple[float, float]] = []
    comfyui: list[tuple[float, float]] = []
    for seed in range(ENDS):
        answer = link.post(PREFIX + "/generate/avatar", {"prompt": "a knight", "seed": 1000 + seed, **SMALL})
        seen = link.until_ended(answer["generation_id"], pause=0)
        ours.append((_succeeded(link, answer["generation_id"]), seen))
        graph = link.graph(answer["generation_id"])
        prompt_id = link.post("/prompt", {"prompt": graph, "client_id": "bench"})["prompt_id"]
        seen = link.until_in_history(prompt_id, pause=0)
        comfyui.append((_succeeded(link, prompt_id), seen))
    said = "ComfyUI's success event to its own history, p50, p95"
    bench.add(Row(PART, said, _spread(_delays(comfyui))))
    target, late = "p95 under 20 ms", percentile(_delays(ours), 0.95)
    said = "ComfyUI's success event to `completed` in GET, p50, p95"
    bench.add(Row(PART, said, _spread(_delays(ours)), target, late < VISIBLE))
    # Behind a prompt ComfyUI collects garbage, unless it has done so in the last 10 s. Nobody else runs then.
    spans = link.get("/bench/collections")["spans"]
    free = [one for one in ours if not any(start < one[1] and one[0] < end for start, end in spans)]
    said = f"the same, where ComfyUI collected no garbage ({len(free)} of {len(ours)})"
    bench.add(Row(PART, said, _spread(_delays(free))))


def _delays(ends: Sequence[tuple[float, float]]) -> list[float]:
    return [seen - succeeded for succeeded, seen in ends]


def _succeeded(link: Quick, prompt_id: str) -> float:
    return float(link.messages(prompt_id)["execution_success"]["timestamp"]) / 1000


def _again(bench: Bench, link: Quick, pictures: dict[str, str]) -> None:
    """How many nodes ComfyUI runs in the second of two requests."""
    numbers = itertools.count(5000)
    other = {**pictures, "pose_file_id": link.upload("pose", plain_png(64, 64, 20))}
    single, whole = "/generate/avatar", "/generate_all_poses"
    cases: list[tuple[str, str, dict[str, Any], str, dict[str, Any]]] = [
        ("the seed differs", single, {}, single, {}),
        ("the seed differs, pose and reference", single, pictures, single, pictures),
        ("the pose differs", single, other, single, pictures),
        ("the seed differs, sheet", whole, pictures, whole, pictures),
        ("a view follows a sheet of the same words", whole, pictures, "/generate_pose?pose=back", pictures),
    ]
    for words, (name, first, before, second, after) in enumerate(cases):
        said = {"prompt": f"hero {words}", **SMALL}
        _run(link, {**said, "seed": next(numbers), **before}, first)
        generation_id = _run(link, {**said, "seed": next(numbers), **after}, second)
        graph = link.graph(generation_id)
        kept = set(link.messages(generation_id)["execution_cached"]["nodes"])
        ran = [graph[number]["class_type"] for number in sorted(graph, key=int) if number not in kept]
        bench.add(Row(PART, f"nodes that run when {name}", f"{len(ran)} of {len(graph)}"))
        print("      " + ", ".join(ran))


def _loads(bench: Bench, link: Quick, pictures: dict[str, str]) -> None:
    """What ComfyUI moves when requests of one family alternate."""
    before = link.get("/bench/loads")
    prompts = 0
    for seed in range(3):
        for route, more in (
            ("/generate/avatar", {}),
            ("/generate_all_poses", {"consistency": 0.0}),
            ("/generate_all_poses", {"consistency": 1.0}),
            ("/generate/avatar", pictures),
        ):
            _run(link, {"prompt": "loads", "seed": 9000 + seed, **SMALL, **more}, route)
            prompts += 1
    moved = link.get("/bench/loads")["weights"] - before["weights"]
    read = link.get("/bench/loads")["files"] - before["files"]
    bench.add(
        Row(
            PART,
            f"model files read, weights loaded in {prompts} prompts of one family",
            f"{read}, {moved}",
            "none",
            not moved and not read,
        )
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _spread(delays: list[float]) -> str:
    return f"{_ms(median(delays))}, {_ms(percentile(delays, 0.95))}"
