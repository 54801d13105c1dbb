"""What is published about a generation, and how often: each thing once, after it is committed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_host import FakeHost
from services import Product, product
from specs import spec

from avatarforge.db.engine import Database
from avatarforge.db.records import GenerationRecord
from avatarforge.forge.live.live import Live
from avatarforge.forge.live.log import EventLog
from avatarforge.forge.live.state import BatchEvent, GenerationEvent
from avatarforge.forge.ports import NodeState, PromptEvent, PromptProgress
from avatarforge.forge.spec.request import AvatarRequest

ID = "00000000-0000-4000-8000-00000000000a"


def record(status: str = "queued", **changes: Any) -> GenerationRecord:
    empty = '{"inputs":[],"warnings":[]}'
    made = GenerationRecord(
        1, ID, "avatar", status, "p1", spec().to_json(), empty, 0, None, 0, None, None, None
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


@pytest.fixture
def live(host: FakeHost, database: Database, told: list[str]) -> Live:
    def words(happening: GenerationEvent | BatchEvent) -> str:
        told.append(happening.kind)
        return happening.record.status if isinstance(happening, GenerationEvent) else ""

    return Live(EventLog(words), database, host)


def ended(status: str = "completed") -> GenerationRecord:
    return record(status, started_at=1_000_000, completed_at=4_000_000)


async def test_what_was_told_is_not_told_again(live: Live, told: list[str]) -> None:
    for item in (record(), record(), record("processing"), record("processing"), ended(), ended()):
        live.announce(item)
    assert told == ["queued", "started", "completed"]


async def test_what_was_read_before_the_start_does_not_come_after_it(
    live: Live, host: FakeHost, told: list[str]
) -> None:
    node = {"7": {"class_type": "KSampler", "inputs": {"steps": 20}}}
    live.track(record(), node)
    for item in (record(), record("processing"), record()):
        live.announce(item)
    host.show(PromptProgress("p1", {"7": NodeState(True, 10, 20)}))
    assert told == ["queued", "started", "progress"]
    assert live.log.since(0, ID)[-1].data == "processing"


async def test_a_prompt_that_has_ended_tells_nothing_more(live: Live, told: list[str]) -> None:
    for item in (record(), ended(), record("processing")):
        live.announce(item)
    assert told == ["queued", "completed"]
    assert live.state(record("processing")).progress == 0


async def test_a_new_prompt_of_the_same_generation_is_a_new_run(live: Live, told: list[str]) -> None:
    for item in (record(), ended("failed"), record(prompt_id="p2"), replace(ended(), prompt_id="p2")):
        live.announce(item)
    assert told == ["queued", "failed", "queued", "completed"]


async def test_a_prompt_that_did_not_enter_the_queue_leaves_nothing(live: Live, told: list[str]) -> None:
    live.track(record(), {})
    live.untrack(record())
    live.announce(ended())
    assert told == []


async def test_progress_of_the_last_run_says_nothing_about_the_next(live: Live, host: FakeHost) -> None:
    prompt = {"7": {"class_type": "KSampler", "inputs": {"steps": 20}}}
    live.track(record(), prompt)
    live.announce(record("processing"))
    host.show(PromptProgress("p1", {"7": NodeState(True, 10, 20)}))
    assert live.state(record("processing")).progress > 0
    live.announce(ended("failed"))
    again = record(prompt_id="p2")
    live.track(again, prompt)
    live.announce(again)
    host.show(PromptProgress("p1", {"7": NodeState(True, 20, 20)}))
    assert live.state(again).progress == 0
    assert live.state(replace(again, status="processing")).progress == 0


async def test_how_long_a_failed_run_took_is_not_learned(live: Live) -> None:
    live.announce(record())
    live.announce(ended("failed"))
    live.announce(record(prompt_id="p2"))
    assert live.state(record(prompt_id="p2")).eta_seconds is None
    live.announce(replace(ended(), prompt_id="p2"))
    live.announce(record(prompt_id="p3"))
    assert live.state(record(prompt_id="p3")).eta_seconds == 3.0


async def test_what_an_earlier_comfyui_left_is_told_when_it_goes_on(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        left = await forge.generations.submit(AvatarRequest("a knight"), "avatar", None)
    async with product(tmp_path) as forge:
        while left.id not in forge.host.queued:
            await forge.generations.get(left.id)
        forge.host.succeed(left.id)
        await forge.until(left.id, "completed")
        assert await kinds(forge, "completed") == ["queued", "started", "output", "completed"]


async def test_the_events_of_a_run_stand_in_the_log_with_what_was_committed(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        made = await forge.generations.submit(AvatarRequest("a knight"), "avatar", None)
        forge.host.start(made.id)
        forge.host.end(PromptEvent("failed", made.id, "out of cheese"))
        assert await kinds(forge, "failed") == ["queued", "started", "failed"]
        last = json.loads(forge.live.log.since(0, made.id)[-1].data)
        assert last["generation"]["error"] == "out of cheese"


async def kinds(forge: Product, last: str) -> list[str]:
    """The kinds of all events, once the last one is there."""
    while (found := [event.kind for event in forge.live.log.since(0, None)])[-1:] != [last]:
        await forge.generations.active(1)  # every look gives the loop away
    return found
