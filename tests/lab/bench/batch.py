"""Compares a batch with the same requests sent one by one, and with the same pictures in ComfyUI's own
nodes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

from .quick import Quick
from .rows import Row, median
from .setting import PREFIX, Bench

PART = "Batch"
ITEMS = 32
#: Sent in turns, as people who work at once would; a batch puts those that share words next to each other.
WORDS = 4
ROUNDS = 5
SMALL = {"width": 64, "height": 64, "steps": 1}
MOST_OF_SINGLES = 0.9
MOST_OF_PLAIN = 1.1
ACCEPTED = 1000
MOST_SECONDS = 1.0

Ids = list[str]


def measure(bench: Bench) -> None:
    """Compare the three ways with new words and seeds each time, and time the acceptance of a large batch."""
    with bench.server("batch", kinds=("sd15",)) as server:
        client = Quick(server.port)
        fresh = itertools.count(1)
        first = client.post(PREFIX + "/generate/avatar", {"prompt": "warm", **SMALL})["generation_id"]
        client.until_ended(first)
        plain = _Plain(client, client.graph(first))
        ways: dict[str, Callable[[list[dict[str, Any]]], None]] = {
            "single requests": lambda bodies: _singles(client, bodies),
            "batch": lambda bodies: _batch(client, bodies),
            "plain ComfyUI prompts": plain.run,
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        loads: dict[str, int] = dict.fromkeys(ways, 0)
        for turn in range(ROUNDS):  # rotated, so that other load affects all of them
            names = list(ways)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                bodies = list(_bodies(next(fresh)))
                before = client.get("/bench/loads")["weights"]
                started = time.monotonic()
                ways[name](bodies)
                times[name].append(time.monotonic() - started)
                loads[name] += client.get("/bench/loads")["weights"] - before
        _report(bench, times, loads)
        _acceptance(bench, client)


def _bodies(number: int) -> Iterator[dict[str, Any]]:
    for item in range(ITEMS):
        yield {"prompt": f"knight {number} {item % WORDS}", "seed": number * ITEMS + item, **SMALL}


def _singles(client: Quick, bodies: list[dict[str, Any]]) -> None:
    ids = [client.post(PREFIX + "/generate/avatar", body)["generation_id"] for body in bodies]
    for generation_id in ids:
        client.until_ended(generation_id)


def _batch(client: Quick, bodies: list[dict[str, Any]]) -> None:
    batch_id = client.post(PREFIX + "/batch", {"requests": bodies})["batch_id"]
    while client.get(f"{PREFIX}/batch/{batch_id}?wait=60")["status"] not in ("completed", "failed"):
        pass


class _Plain:
    """The same pictures with ComfyUI's own nodes alone, with the settings of one of our graphs."""

    def __init__(self, client: Quick, ours: dict[str, Any]) -> None:
        self._client = client
        by_class = {node["class_type"]: node["inputs"] for node in ours.values()}
        self._sampler = by_class["KSampler"]
        self._checkpoint = by_class["CheckpointLoaderSimple"]["ckpt_name"]

    def run(self, bodies: list[dict[str, Any]]) -> None:
        queued = [
            self._client.post("/prompt", {"prompt": self._graph(body), "client_id": "bench"})
            for body in bodies
        ]
        for prompt in queued:
            self._client.until_in_history(prompt["prompt_id"])

    def _graph(self, body: dict[str, Any]) -> dict[str, Any]:
        sampler = {
            **{
                name: self._sampler[name] for name in ("steps", "cfg", "sampler_name", "scheduler", "denoise")
            },
            "seed": body["seed"],
            "model": ["1", 0],
            "positive": ["2", 0],
            "negative": ["3", 0],
            "latent_image": ["4", 0],
        }
        size = {"width": body["width"], "height": body["height"], "batch_size": 1}
        return {
            "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": self._checkpoint}},
            "2": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": body["prompt"]}},
            "3": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "blurry"}},
            "4": {"class_type": "EmptyLatentImage", "inputs": size},
            "5": {"class_type": "KSampler", "inputs": sampler},
            "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
            "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "bare"}},
        }


def _report(bench: Bench, times: dict[str, list[float]], loads: dict[str, int]) -> None:
    batch = median(times["batch"])
    for name, most in (("single requests", MOST_OF_SINGLES), ("plain ComfyUI prompts", MOST_OF_PLAIN)):
        base = median(times[name])
        bench.add(Row(PART, f"{ITEMS} {name}, 64x64, 1 step", f"{base * 1000:.0f} ms"))
        ratio = batch / base
        bench.add(
            Row(
                PART,
                f"a batch of {ITEMS}, beside these {name}",
                f"{batch * 1000:.0f} ms ({ratio:.2f})",
                f"at most {most}",
                ratio <= most,
            )
        )
    counts = ", ".join(f"{name} {number}" for name, number in loads.items())
    bench.add(Row(PART, f"weights loaded in {ROUNDS} rounds", counts, "none in batches", not loads["batch"]))


def _acceptance(bench: Bench, client: Quick) -> None:
    bodies = [{"prompt": f"knight {number % WORDS}", "seed": number, **SMALL} for number in range(ACCEPTED)]
    seconds, batch = client.timed_post(PREFIX + "/batch", {"requests": bodies})
    client.post(f"{PREFIX}/batch/{batch['batch_id']}/cancel", {})
    bench.add(
        Row(
            PART,
            f"POST /batch with {ACCEPTED} requests",
            f"{seconds * 1000:.0f} ms",
            f"at most {MOST_SECONDS:.0f} s",
            seconds <= MOST_SECONDS,
        )
    )
