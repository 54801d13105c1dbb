"""Compares a batch, and a matrix, with the same requests sent one by one, and with as many pictures in
ComfyUI's own nodes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..progress import LabError
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

#: What varies in the matrix: 2 x 4 x 4 = 32 pictures.
OUTFITS = ("plate armour", "a winter coat")
EXPRESSIONS = ("neutral", "happy", "sad", "angry")
VIEWS = ("front", "back", "left", "right")
#: 2 outfits x 5 expressions x 10 views x 10 seeds.
LARGE = {
    "outfits": OUTFITS,
    "expressions": (*EXPRESSIONS, None),
    "views": (*VIEWS, "side", "quarter", "quarter_left", "quarter_right", "back_left", "back_right"),
    "count": 10,
}

Bodies = list[dict[str, Any]]
Ways = dict[str, Callable[[Bodies], None]]


def measure(bench: Bench) -> None:
    """Compare the three ways with new words and seeds each time, and time the acceptance of a large batch and
    a large matrix."""
    with bench.server("batch", kinds=("sd15",)) as server:
        client = Quick(server.port)
        fresh = itertools.count(1)
        first = client.post(PREFIX + "/generate/avatar", {"prompt": "warm", **SMALL})["generation_id"]
        client.until_ended(first)
        plain = _Plain(client, client.graph(first))
        ways: Ways = {
            "single requests": lambda bodies: _singles(client, bodies),
            "batch": lambda bodies: _batch(client, bodies),
            "plain ComfyUI prompts": plain.run,
        }
        _compare(bench, client, "batch", ways, lambda: list(_bodies(next(fresh))))
        character_id = _character(client)
        ways = {
            "single poses": lambda bodies: _singles(client, bodies),
            "matrix": lambda bodies: _matrix(client, character_id, bodies),
            "plain ComfyUI prompts": plain.run,
        }
        _compare(bench, client, "matrix", ways, lambda: list(_cells(character_id, next(fresh))))
        _acceptance(bench, client, character_id)


def _compare(bench: Bench, client: Quick, name: str, ways: Ways, make_bodies: Callable[[], Bodies]) -> None:
    """Measure all ways, each with new bodies in every round, and report the way of this name beside the
    others."""
    times: dict[str, list[float]] = {way: [] for way in ways}
    loads: dict[str, int] = dict.fromkeys(ways, 0)
    for turn in range(ROUNDS):  # rotated, so that other load affects all of them
        names = list(ways)
        for way in names[turn % len(names) :] + names[: turn % len(names)]:
            bodies = make_bodies()
            before = client.get("/bench/loads")["weights"]
            started = time.monotonic()
            ways[way](bodies)
            times[way].append(time.monotonic() - started)
            loads[way] += client.get("/bench/loads")["weights"] - before
    _report(bench, name, times, loads)


def _bodies(number: int) -> Iterator[dict[str, Any]]:
    for item in range(ITEMS):
        yield {"prompt": f"knight {number} {item % WORDS}", "seed": number * ITEMS + item, **SMALL}


def _character(client: Quick) -> str:
    outfits = [{"name": words, "words": words} for words in OUTFITS]
    body = {"name": "Mira", "description": "a knight with red hair", "outfits": outfits}
    character_id: str = client.post(PREFIX + "/characters", body)["character_id"]
    return character_id


def _cells(character_id: str, number: int) -> Iterator[dict[str, Any]]:
    """The requests of a matrix, with the view of each in `pose`."""
    for outfit, expression, view in itertools.product(OUTFITS, EXPRESSIONS, VIEWS):
        yield {
            "character_id": character_id,
            "prompt": f"portrait {number}",
            "seed": number,
            "outfit": outfit,
            "expression": expression,
            "pose": view,
            "pose_strength": 0,  # no ControlNet is installed
            **SMALL,
        }


def _singles(client: Quick, bodies: Bodies) -> None:
    ids = []
    for body in bodies:
        view = body.get("pose")
        route = "/generate/avatar" if view is None else f"/generate_pose?pose={view}"
        sent = {name: value for name, value in body.items() if name != "pose"}
        ids.append(client.post(PREFIX + route, sent)["generation_id"])
    for generation_id in ids:
        client.until_ended(generation_id)


def _batch(client: Quick, bodies: Bodies) -> None:
    _until_ended(client, client.post(PREFIX + "/batch", {"requests": bodies})["batch_id"])


def _matrix(client: Quick, character_id: str, bodies: Bodies) -> None:
    varied = ("outfit", "expression", "pose", "character_id")
    body = {
        "outfits": OUTFITS,
        "expressions": EXPRESSIONS,
        "views": VIEWS,
        "base": {name: value for name, value in bodies[0].items() if name not in varied},
    }
    _until_ended(client, client.post(f"{PREFIX}/characters/{character_id}/matrix", body)["batch_id"])


def _until_ended(client: Quick, batch_id: str) -> None:
    while client.get(f"{PREFIX}/batch/{batch_id}?wait=60")["status"] not in ("completed", "failed"):
        pass


class _Plain:
    """The same pictures with ComfyUI's own nodes alone, with the settings of one of our graphs."""

    def __init__(self, client: Quick, ours: dict[str, Any]) -> None:
        self._client = client
        by_class = {node["class_type"]: node["inputs"] for node in ours.values()}
        self._sampler = by_class["KSampler"]
        self._checkpoint = by_class["CheckpointLoaderSimple"]["ckpt_name"]

    def run(self, bodies: Bodies) -> None:
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
            "2": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": _words(body)}},
            "3": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "blurry"}},
            "4": {"class_type": "EmptyLatentImage", "inputs": size},
            "5": {"class_type": "KSampler", "inputs": sampler},
            "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
            "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "bare"}},
        }


def _words(body: dict[str, Any]) -> str:
    return ", ".join(body[name] for name in ("prompt", "outfit", "expression", "pose") if name in body)


def _report(bench: Bench, what: str, times: dict[str, list[float]], loads: dict[str, int]) -> None:
    measured = median(times[what])
    for name in times:
        if name == what:
            continue
        most = MOST_OF_PLAIN if name.startswith("plain") else MOST_OF_SINGLES
        base = median(times[name])
        beside = f"{name} beside the {what}" if name.startswith("plain") else name
        bench.add(Row(PART, f"{ITEMS} {beside}, 64x64, 1 step", f"{base * 1000:.0f} ms"))
        ratio = measured / base
        bench.add(
            Row(
                PART,
                f"a {what} of {ITEMS}, beside these {name}",
                f"{measured * 1000:.0f} ms ({ratio:.2f})",
                f"at most {most}",
                ratio <= most,
            )
        )
    counts = ", ".join(f"{name} {number}" for name, number in loads.items())
    bench.add(
        Row(
            PART,
            f"weights loaded in {ROUNDS} rounds of the {what}",
            counts,
            f"none in the {what}",
            not loads[what],
        )
    )


def _acceptance(bench: Bench, client: Quick, character_id: str) -> None:
    bodies = [{"prompt": f"knight {number % WORDS}", "seed": number, **SMALL} for number in range(ACCEPTED)]
    _accept(bench, client, "/batch", {"requests": bodies}, f"POST /batch with {ACCEPTED} requests")
    # No ControlNet is installed for the skeletons of views.
    matrix = {**LARGE, "base": {"prompt": "portrait", "pose_strength": 0, **SMALL}}
    route = f"/characters/{character_id}/matrix"
    _accept(bench, client, route, matrix, f"POST .../matrix of {ACCEPTED} pictures")


def _accept(bench: Bench, client: Quick, route: str, body: dict[str, Any], what: str) -> None:
    seconds, batch = client.timed_post(PREFIX + route, body)
    if batch["total"] != ACCEPTED:
        raise LabError(f"{route} accepted {batch['total']} generations, not {ACCEPTED}.")
    client.post(f"{PREFIX}/batch/{batch['batch_id']}/cancel", {})
    bench.add(
        Row(
            PART,
            what,
            f"{seconds * 1000:.0f} ms",
            f"at most {MOST_SECONDS:.0f} s",
            seconds <= MOST_SECONDS,
        )
    )
