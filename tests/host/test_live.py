"""Progress, previews and events of real runs."""

from __future__ import annotations

import io
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest
import sse
from listening import PATIENCE, listening
from PIL import Image

from lab.api import Api

STATES = ("queued", "started", "output", "completed", "failed", "deleted")


@dataclass(frozen=True)
class Run:
    """One sheet of four views in a batch, as three clients saw it: one that listened all the time, one that
    came and went, and one that waited for the end. `pictures` are the previews that were there."""

    events: list[sse.Event]
    seen: list[sse.Event]
    first: list[str]
    waited: dict[str, Any]
    pictures: list[bytes]


class ComingAndGoing(threading.Thread):
    """A client that reads the events of one generation for a tenth of a second at a time."""

    def __init__(self, api: Api, generation_id: str) -> None:
        super().__init__(daemon=True)
        self._url = f"{api.base_url}/generations/{generation_id}/events"
        self.seen: list[sse.Event] = []
        self.first: list[str] = []
        self.times = 0

    def run(self) -> None:
        deadline = time.monotonic() + PATIENCE
        last = ""
        while time.monotonic() < deadline and not any(event.kind == "completed" for event in self.seen):
            last = self._look(last)
            self.times += 1

    def _look(self, last: str) -> str:
        address = urlsplit(self._url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=10)
        try:
            connection.request("GET", address.path, headers={"Last-Event-ID": last} if last else {})
            answer = connection.getresponse()
            assert answer.status == 200
            text = self._for_a_moment(connection, answer)
        finally:
            connection.close()
        # What was cut in the middle has not arrived, as for any client.
        for event in sse.read([*text.rpartition("\n\n")[0].split("\n"), ""]):
            if event.kind == "state":
                self.first.append(event.kind)
            else:
                self.seen.append(event)
            last = event.id
        return last

    def _for_a_moment(self, connection: HTTPConnection, answer: HTTPResponse) -> str:
        until, raw = time.monotonic() + 0.1, b""
        while (left := until - time.monotonic()) > 0:
            connection.sock.settimeout(left)
            try:
                raw += answer.read1()
            except TimeoutError:
                break
        return raw.decode()


@pytest.fixture(scope="module")
def run(api: Api) -> Run:
    with listening(api, "/events") as listener:
        listener.until("hello")
        waited: list[dict[str, Any]] = []
        generation_id = api.generate("/generate_all_poses", prompt="told", steps=4)["generation_id"]
        client = ComingAndGoing(api, generation_id)
        client.start()

        def wait() -> None:
            while not waited or waited[-1]["status"] not in ("completed", "failed"):
                waited.append(Api(api.server).get(f"/generations/{generation_id}?wait=50").json())

        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        shown = listener.until("preview", generation_id).data["previews"]
        pictures = [api.root(preview["url"]) for preview in shown]
        listener.until("completed", generation_id)
        client.join(PATIENCE)
        waiting.join(PATIENCE)
        events = [event for event in listener.events if event.data.get("generation_id") == generation_id]
        assert client.times > 3
        return Run(
            events,
            client.seen,
            client.first,
            waited[-1],
            [answer.content for answer in pictures if answer.status_code == 200],
        )


@pytest.fixture
def told(run: Run) -> list[sse.Event]:
    return run.events


def test_a_run_is_told_from_the_queue_to_its_end(told: list[sse.Event]) -> None:
    states = [event.kind for event in told if event.kind in STATES]
    assert states == ["queued", "started", *["output"] * 4, "completed"]
    assert [event.number for event in told] == sorted({event.number for event in told})
    assert [len(event.data["output_files"]) for event in told if event.kind == "output"] == [1, 2, 3, 4]
    assert told[-1].data["generation"]["status"] == "completed"
    assert told[-1].data["progress"] == 1


def test_progress_grows_and_names_the_node_and_its_steps(told: list[sse.Event]) -> None:
    moments = [event.data for event in told if event.kind == "progress"]
    numbers = [moment["progress"] for moment in moments]
    assert numbers == sorted(numbers)
    assert numbers[0] < 0.5 < numbers[-1]
    sampling = [moment["current"] for moment in moments if moment["current"]["node"] == "KSampler"]
    assert sampling
    assert {current["steps"] for current in sampling} == {4}
    assert len({current["step"] for current in sampling}) >= 3


def test_a_batch_shows_a_preview_of_each_view(told: list[sse.Event]) -> None:
    shown = [event.data["previews"] for event in told if event.kind == "preview"]
    assert [preview["view"] for preview in shown[-1]] == ["front", "back", "side", "quarter"]


def test_a_client_that_comes_again_every_100_ms_sees_each_event_once_and_in_order(
    run: Run,
) -> None:
    begin = run.seen[0].number
    assert [event.id for event in run.seen] == [event.id for event in run.events if event.number >= begin]
    assert run.first == ["state"]


def test_previews_are_small_jpegs_of_their_own(run: Run) -> None:
    assert run.pictures
    for content in run.pictures:
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.format == "JPEG"
            assert max(picture.size) <= 512


def test_a_request_that_waits_is_answered_with_the_end(run: Run) -> None:
    assert run.waited["status"] == "completed"
    assert run.waited["progress"] == 1
    assert (run.waited["current"], run.waited["previews"]) == (None, [])


def test_a_preview_that_was_just_announced_is_there_and_none_of_a_picture_that_never_was(
    run: Run, api: Api
) -> None:
    generation_id = run.waited["generation_id"]
    assert run.waited["previews"] == []
    assert api.get(f"/generations/{generation_id}/previews/0").headers["Content-Type"] == "image/jpeg"
    answer = api.get(f"/generations/{generation_id}/previews/4")
    assert answer.status_code == 404
    assert "while a generation runs" in answer.json()["detail"]


def test_the_next_run_of_the_kind_knows_how_long_it_takes(run: Run, api: Api) -> None:
    generation = api.generate("/generate_all_poses", prompt="again", steps=4)
    api.delete(f"/generations/{generation['generation_id']}")
    assert generation["eta_seconds"] > 0


def test_the_graph_of_a_generation_is_what_comfyui_takes(run: Run, api: Api) -> None:
    prompt = api.get(f"/generations/{run.waited['generation_id']}/prompt").json()["prompt"]
    classes = {node["class_type"] for node in prompt.values()}
    assert {"KSampler", "AvatarForgeShareViews", "AvatarForgeSave"} <= classes
