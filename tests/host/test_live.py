"""Progress, previews and events of real runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sse

from lab.api import Api

STATES = ("queued", "started", "output", "completed", "failed", "deleted")
PATIENCE = 120.0


class Listening:
    """A client that listens in a thread of its own."""

    def __init__(self, api: Api, path: str, **options: Any) -> None:
        self.events: list[sse.Told] = []
        self._more = threading.Condition()
        self._answer = api.get(path, stream=True, **{"timeout": (10, PATIENCE), **options})
        assert self._answer.status_code == 200, self._answer.text
        self.headers = self._answer.headers
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for event in sse.read(self._answer.iter_lines(chunk_size=1, decode_unicode=True)):
                with self._more:
                    self.events.append(event)
                    self._more.notify_all()
        except (OSError, AttributeError, ValueError):
            return  # closed meanwhile

    def until(self, kind: str, generation_id: str | None = None) -> sse.Told:
        """The first event of this kind, now or later."""

        def found() -> sse.Told | None:
            mine = (
                event
                for event in self.events
                if event.kind == kind
                and (generation_id is None or event.data["generation_id"] == generation_id)
            )
            return next(mine, None)

        with self._more:
            assert self._more.wait_for(found, PATIENCE), f"no {kind} in {[one.kind for one in self.events]}"
            event = found()
        assert event is not None
        return event

    def close(self) -> None:
        self._answer.close()


@contextmanager
def listening(api: Api, path: str, **options: Any) -> Iterator[Listening]:
    listener = Listening(api, path, **options)
    try:
        yield listener
    finally:
        listener.close()


@pytest.fixture(scope="module")
def told(api: Api) -> list[sse.Told]:
    """All events of one sheet of four views in a batch, 4 steps."""
    with listening(api, "/events") as listener:
        listener.until("hello")
        generation_id = api.generate("/generate_all_poses", prompt="told", steps=4)["generation_id"]
        listener.until("completed", generation_id)
        return [event for event in listener.events if event.data.get("generation_id") == generation_id]


def test_a_run_is_told_from_the_queue_to_its_end(told: list[sse.Told]) -> None:
    states = [event.kind for event in told if event.kind in STATES]
    assert states == ["queued", "started", *["output"] * 4, "completed"]
    assert [event.number for event in told] == sorted({event.number for event in told})
    assert [len(event.data["output_files"]) for event in told if event.kind == "output"] == [1, 2, 3, 4]
    assert told[-1].data["generation"]["status"] == "completed"
    assert told[-1].data["progress"] == 1


def test_progress_grows_and_names_the_node_and_its_steps(told: list[sse.Told]) -> None:
    moments = [event.data for event in told if event.kind == "progress"]
    numbers = [moment["progress"] for moment in moments]
    assert numbers == sorted(numbers)
    assert 0 < numbers[0] < 1
    sampling = [moment["current"] for moment in moments if moment["current"]["node"] == "KSampler"]
    assert sampling
    assert {current["steps"] for current in sampling} == {4}
    assert len({current["step"] for current in sampling}) >= 3


def test_a_batch_shows_a_preview_of_each_view(told: list[sse.Told]) -> None:
    shown = [event.data["previews"] for event in told if event.kind == "preview"]
    assert [preview["view"] for preview in shown[-1]] == ["front", "back", "side", "quarter"]
