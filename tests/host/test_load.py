"""Fifty clients at once on a real ComfyUI: documented answers only, nothing lost, everybody else served."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pictures import picture

from lab import memory
from lab.api import PREFIX, TERMINAL, Api
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]
CLIENTS = 50
EACH = 200
#: What another user of this ComfyUI looks at meanwhile.
PAGES = ("/", "/queue", "/object_info/KSampler", "/system_stats", "/prompt", "/history?max_items=1")
SMALL = {"prompt": "a knight", "width": 64, "height": 64, "steps": 1}
FULL = 12


def until(reached: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.1)


class Onlooker:
    """Somebody who uses ComfyUI itself the whole time."""

    def __init__(self, api: Api) -> None:
        self.seen: Counter[tuple[str, int]] = Counter()
        self._api = Api(api.server)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.is_set():
            for page in PAGES:
                self.seen[page, self._api.root(page).status_code] += 1
            self._over.wait(0.02)

    def __enter__(self) -> Onlooker:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        self._thread.join()


def at_once(api: Api, jobs: list[Callable[[Api], Any]]) -> list[Any]:
    """Each client takes job after job, with a connection of its own."""
    own = threading.local()

    def run(job: Callable[[Api], Any]) -> Any:
        if not hasattr(own, "api"):
            own.api = Api(api.server)
        return job(own.api)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(run, jobs))


def wipe(api: Api) -> None:
    """Somebody clears ComfyUI's queue in its own page."""
    api.request("POST", f"{api.server}/queue", json={"clear": True})
    api.request("POST", f"{api.server}/interrupt", json={})


def all_generations(api: Api) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        page = api.get("/generations", params={"limit": 100, **({"cursor": cursor} if cursor else {})}).json()
        yield from page["generations"]
        cursor = page["next_cursor"]


def documented(api: Api, path: str) -> set[int]:
    paths = api.get("/openapi.json").json()["paths"]
    return {int(status) for status in paths[PREFIX + path]["post"]["responses"]}


def test_two_hundred_uploads_and_generations_of_fifty_clients(api: Api, comfy: ComfyServer) -> None:
    api.wait(api.generate()["generation_id"])  # the model is in memory from here on
    before = memory.reset_peak(comfy.pid) if memory.can_be_measured() else 0
    pictures = [picture(secrets.randbits(64)) for _ in range(EACH)]

    def upload(data: bytes) -> Callable[[Api], Any]:
        return lambda item: item.post("/upload/pose_image", files={"file": ("a.png", data)}, timeout=120)

    def generate(number: int) -> Callable[[Api], Any]:
        return lambda item: item.post("/generate/avatar", json={**SMALL, "seed": number}, timeout=120)

    jobs = [job for number, data in enumerate(pictures) for job in (upload(data), generate(number))]
    with Onlooker(api) as onlooker:
        answers = at_once(api, jobs)
        wipe(api)
    assert Counter(answer.status_code for answer in answers) == {200: 2 * EACH}
    files = [answer.json() for answer in answers[0::2]]
    generations = [answer.json() for answer in answers[1::2]]
    assert {status for _, status in onlooker.seen} == {200}
    assert len(onlooker.seen) == len(PAGES)

    assert len({file["file_id"] for file in files}) == EACH
    for file, data in zip(files[::10], pictures[::10], strict=True):
        assert api.get(file["url"]).content == data
    stored = {file["content_hash"] for file in files}
    assert all(api.get(f"/files/hash/{content_hash}").json()["exists"] for content_hash in stored)

    accepted = {generation["generation_id"] for generation in generations}
    assert len(accepted) == EACH
    until(lambda: api.get("/generations", params={"status": "queued", "limit": 1}).json()["total"] == 0)
    until(lambda: api.get("/generations", params={"status": "processing"}).json()["total"] == 0)
    found = {
        item["generation_id"]: item for item in all_generations(api) if item["generation_id"] in accepted
    }
    assert set(found) == accepted
    for item in found.values():
        assert item["status"] in TERMINAL
        assert (item["status"] == "failed") == (item["error"] is not None)
        assert len(item["output_files"]) == (item["status"] == "completed")
    incoming = comfy.base / "user" / "__avatarforge" / "storage" / "incoming"
    assert list(incoming.iterdir()) == []
    if memory.can_be_measured():
        assert memory.descriptors(comfy.pid, ".part") == 0
        assert memory.peak(comfy.pid) - before < 300 * memory.MEBIBYTE
    assert api.wait(api.generate()["generation_id"])["status"] == "completed"


def test_a_full_queue_refuses_in_words_and_keeps_what_it_took(module_factory: Factory) -> None:
    server = module_factory(env={"AVATARFORGE_MAX_ACTIVE_GENERATIONS": str(FULL)})
    api = Api(server.url)

    def generate(number: int) -> Callable[[Api], Any]:
        # Long enough that none of them ends before the last has been asked for.
        body = {**SMALL, "steps": 150, "seed": number}
        return lambda item: item.post("/generate/avatar", json=body, timeout=120)

    with Onlooker(api) as onlooker:
        answers = at_once(api, [generate(number) for number in range(5 * FULL)])
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[200] == FULL
    assert set(statuses) - {200} <= documented(api, "/generate/avatar")
    refused = [answer for answer in answers if answer.status_code != 200]
    assert all(isinstance(answer.json()["detail"], str) for answer in refused)
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert {status for _, status in onlooker.seen} == {200}
    accepted = {answer.json()["generation_id"] for answer in answers if answer.status_code == 200}
    assert {item["generation_id"] for item in all_generations(api)} == accepted
    wipe(api)
    until(lambda: all(item["status"] in TERMINAL for item in all_generations(api)))
    again = api.post("/generate/avatar", json=SMALL)
    assert again.status_code == 200
    assert api.wait(again.json()["generation_id"])["status"] == "completed"
