"""The event log: numbers, positions, what is kept and who is woken."""

from __future__ import annotations

import asyncio

import pytest

from avatarforge.db.records import GenerationRecord
from avatarforge.forge.errors import BusyError
from avatarforge.forge.live import listeners as listeners_module
from avatarforge.forge.live import log as module
from avatarforge.forge.live.listeners import Listeners, PositionLostError
from avatarforge.forge.live.log import EventLog
from avatarforge.forge.live.state import GenerationEvent, LiveState


def record(generation_id: str) -> GenerationRecord:
    return GenerationRecord(
        1, generation_id, "avatar", "queued", "p", "{}", "{}", 0, None, 0, None, None, None
    )


def happening(kind: str = "queued", generation_id: str = "a") -> GenerationEvent:
    return GenerationEvent(kind, 0, generation_id, record(generation_id), LiveState(0.0))


@pytest.fixture
def log() -> EventLog:
    return EventLog(lambda received: f'"{received.kind}"')


def here() -> bool:
    return False


def test_what_comes_after_a_position_comes_once_and_in_order(log: EventLog) -> None:
    for kind in ("queued", "started", "progress", "output", "progress", "completed"):
        log.add(happening(kind), transient=kind == "progress")
    assert [event.kind for event in log.since(0, None)] == [
        "queued", "started", "progress", "output", "progress", "completed"
    ]  # fmt: skip
    assert [event.number for event in log.since(3, None)] == [4, 5, 6]
    assert log.since(6, None) == []


def test_a_topic_hears_its_own_events_only(log: EventLog) -> None:
    log.add(happening(generation_id="a"))
    log.add(happening(generation_id="b"))
    assert [event.number for event in log.since(0, "b")] == [2]


def test_much_progress_pushes_out_no_state(log: EventLog) -> None:
    log.add(happening("queued"))
    for _ in range(module.TRANSIENT + 10):
        log.add(happening("progress"), transient=True)
    events = log.since(0, None)
    assert events[0].kind == "queued"
    assert len(events) == 1 + module.TRANSIENT
    assert log.reaches(0)


def test_the_log_says_when_a_state_is_no_longer_there(log: EventLog) -> None:
    for _ in range(module.STATES + 1):
        log.add(happening())
    assert not log.reaches(0)
    assert log.reaches(1)


def test_the_log_is_bounded_in_bytes_too() -> None:
    log = EventLog(lambda received: "x" * (module.STATE_BYTES // 4))
    for _ in range(6):
        log.add(happening())
    assert len(log.since(0, None)) == 4


def test_a_position_of_another_start_or_of_nonsense_is_none(log: EventLog) -> None:
    log.add(happening())
    assert log.position(log.event_id(1)) == 1
    for wrong in (
        None,
        "",
        "1",
        f"{log.id}-2",
        f"{log.id}--1",
        f"{log.id}-1x",
        "otherlog-1",
        f"{log.id}-" + "9" * 40,
    ):
        assert log.position(wrong) is None


async def test_a_listener_is_woken_by_its_own_topic_alone(log: EventLog) -> None:
    listeners = Listeners(log)
    listener = listeners.join("a", log.last, here)
    waiting = asyncio.create_task(listener.next())
    await asyncio.sleep(0)
    log.add(happening(generation_id="b"))
    await asyncio.sleep(0)
    assert not waiting.done()
    log.add(happening(generation_id="a"))
    assert [event.number for event in await waiting] == [2]


async def test_a_listener_gets_a_long_way_back_in_pieces_without_a_gap(log: EventLog) -> None:
    for _ in range(600):
        log.add(happening())
    listener = Listeners(log).join(None, 0, here)
    numbers: list[int] = []
    while len(numbers) < 600:
        events = await listener.next()
        assert len(events) <= 256
        numbers += [event.number for event in events]
    assert numbers == list(range(1, 601))


async def test_a_listener_that_fell_behind_the_log_is_told_so(log: EventLog) -> None:
    listener = Listeners(log).join(None, 0, here)
    for _ in range(module.STATES + 1):
        log.add(happening())
    with pytest.raises(PositionLostError):
        await listener.next()


async def test_silence_ends_with_a_heartbeat_and_with_the_client_leaving(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners_module, "CHECK_SECONDS", 0)
    gone = False
    listeners = Listeners(log, beat=0.0)
    assert await listeners.join(None, 0, here).next() == []
    patient = Listeners(log)
    listener = patient.join(None, 0, lambda: gone)
    waiting = asyncio.create_task(listener.next())
    looking = asyncio.create_task(patient.run())
    for _ in range(10):  # rounds of the loop, in each of which it looks
        await asyncio.sleep(0)
    assert not waiting.done()
    gone = True
    assert await waiting == []
    looking.cancel()


async def test_places_are_bounded_and_those_who_left_make_room(log: EventLog) -> None:
    gone = False
    listeners = Listeners(log, most=1)
    first = listeners.join(None, 0, lambda: gone)
    with pytest.raises(BusyError, match="1 clients listen") as refused:
        listeners.join(None, 0, here)
    assert refused.value.code == "busy"
    gone = True
    listeners.join(None, 0, here)
    listeners.leave(first)
    assert len(listeners) == 1
