"""Generations while they run: progress, previews, places in the queue, and an event for each change.

It hears of a change once that is committed, and keeps nothing that a restart would need.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord, OutputRecord
from .. import clock
from ..errors import NotFoundError
from ..ports import Host, NodeState, PreviewPicture, Prompt, PromptEvent, PromptProgress
from ..spec.avatar import MANUAL_KIND, AvatarSpec
from .estimate import HISTORY, Kind, RunningTimes, kind_of
from .listeners import Listeners
from .log import EventLog
from .long_polls import LongPolls
from .plan import Plan, plan
from .state import COMPLETED, Current, GenerationEvent, LiveState, Preview

# Of one generation, in seconds: at most 10 progress events a second.
INTERVALS = {"progress": 0.1, "preview": 0.25}
# Places in the queue: how often they are told when they move, and up to which one.
PLACES_SECONDS = 0.5
LAST_PLACE = 20
ENDED = 4096  # prompts whose end is remembered
LOOK_SECONDS = 0.1  # how old a place in the queue can be
PREVIEW_BYTES = 1024 * 1024

log = logging.getLogger("avatarforge")


@dataclass
class _Run:
    """A generation of ours between its acceptance and its end. `record` is what was told last."""

    record: GenerationRecord
    kind: Kind
    prompt: Prompt | None = None
    plan: Plan | None = None
    progress: float = 0.0
    current: Current | None = None
    started: float | None = None
    queued_published: bool = False
    published_position: int | None = None
    published_outputs: tuple[OutputRecord, ...] = ()
    pictures: dict[int, tuple[Preview, bytes]] = field(default_factory=dict)
    published_at: dict[str, float] = field(default_factory=dict)
    timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)

    def get_plan(self) -> Plan | None:
        """Made when it is first needed: the answer to the request need not wait for it."""
        if self.plan is None and self.prompt is not None:
            self.plan = plan(self.prompt, AvatarSpec.from_json(self.record.spec))
        return self.plan

    def close(self) -> None:
        for timer in self.timers.values():
            timer.cancel()


class Live:
    """All methods run on the event loop."""

    def __init__(self, log: EventLog, database: Database, host: Host) -> None:
        self.log = log
        self.listeners = Listeners(log)
        self.long_polls = LongPolls()
        self.times = RunningTimes()
        self._database = database
        self._host = host
        self._runs: dict[str, _Run] = {}
        self._by_prompt: dict[str, _Run] = {}
        self._ended: OrderedDict[str, float] = OrderedDict()
        self._end_callbacks: list[Callable[[], None]] = []
        self._positions_due = False
        self._positions: Mapping[str, int] = {}
        self._positions_expire_at = 0.0
        host.watch(self._handle_progress)
        host.listen(self._handle_host_event)

    async def run(self) -> None:
        """Learn from earlier runs, then keep the streams alive, until cancelled."""
        try:
            completed = await self._database.read(partial(queries.completed, limit=HISTORY))
            self.times.learn_from(completed[::-1])
        except (SQLAlchemyError, KeyError, TypeError, ValueError):
            log.exception("AvatarForge: the running times of earlier generations could not be read")
        await self.listeners.run()

    def on_end(self, call: Callable[[], None]) -> None:
        """Have something done whenever a generation has ended."""
        self._end_callbacks.append(call)

    # What the tracker tells:

    def track(self, record: GenerationRecord, prompt: Prompt) -> None:
        """From now on expect progress of this prompt. Call before it is enqueued."""
        run = self._run(record)
        run.prompt = prompt

    def is_tracked(self, record: GenerationRecord) -> bool:
        """Whether this run of a generation has been told and has not ended."""
        return record.prompt_id in self._by_prompt

    def untrack(self, record: GenerationRecord) -> None:
        """Take `follow` back: the prompt did not enter the queue."""
        self._drop(record.id)

    def announce(self, record: GenerationRecord) -> None:
        """Tell what is new in a committed record, each thing once. What was told already, or belongs to a
        prompt that has ended, is passed over."""
        self._positions_expire_at = 0.0  # it may have entered the queue just now
        if record.status in queries.ACTIVE:
            if record.prompt_id not in self._ended:
                self._announce_active(self._run(record), record)
            return
        run = self._runs.get(record.id)
        if run is None or run.record.prompt_id != record.prompt_id:
            return
        self._learn(run, record)
        self._drop(record.id)
        self._remember_end(record.prompt_id, run.progress)
        self._publish(record.status, record)
        self.long_polls.wake(record.id)
        for call in self._end_callbacks:
            call()

    def deleted(self, record: GenerationRecord) -> None:
        """Tell that the row is gone."""
        progress = self.state(record).progress
        self._drop(record.id)
        self._remember_end(record.prompt_id, progress)
        self.log.add(GenerationEvent("deleted", clock.now(), record.id, record, LiveState(progress)))
        self.long_polls.wake(record.id)

    # What clients ask:

    def state(self, record: GenerationRecord) -> LiveState:
        (state,) = self.states([record])
        return state

    def states(self, records: Sequence[GenerationRecord]) -> list[LiveState]:
        """How each of them stands now; one look at the queue for all of them."""
        queued = any(record.status == "queued" for record in records)
        places = self._queue_positions() if queued else {}
        return [self._state(record, places) for record in records]

    def preview(self, generation_id: str, position: int) -> bytes:
        """The newest preview, a JPEG. Raises NotFoundError."""
        run = self._runs.get(generation_id)
        if run is None or position not in run.pictures:
            raise NotFoundError(
                "There is no such preview now. Previews exist while a generation runs, after its first step.",
                code="preview_not_found",
            )
        return run.pictures[position][1]

    # Within:

    def _run(self, record: GenerationRecord) -> _Run:
        run = self._runs.get(record.id)
        if run is None or run.record.prompt_id != record.prompt_id:
            self._drop(record.id)
            spec = AvatarSpec.from_json(record.spec)
            run = _Run(record, kind_of(spec, 1 if record.reroll else len(spec.views)))
            run.published_outputs = record.outputs
            self._runs[record.id] = self._by_prompt[record.prompt_id] = run
        return run

    def _drop(self, generation_id: str) -> None:
        run = self._runs.pop(generation_id, None)
        if run is not None:
            self._by_prompt.pop(run.record.prompt_id, None)
            run.close()

    def _announce_active(self, run: _Run, record: GenerationRecord) -> None:
        if record.status == "queued" and run.started is not None:
            return  # read before the start that was told since
        run.record = record
        if not run.queued_published:
            run.queued_published = True
            if record.status == "queued":
                run.published_position = self._publish("queued", record).queue_position
        if record.status == "processing" and run.started is None:
            run.started = time.monotonic()
            self._publish("started", record)
        if record.outputs != run.published_outputs:
            run.published_outputs = record.outputs
            self._publish("output", record)

    def _learn(self, run: _Run, record: GenerationRecord) -> None:
        if record.status != "completed" or record.started_at is None or record.completed_at is None:
            return
        # A re-roll that failed is "completed" too; it says nothing about how long one takes.
        if run.record.reroll is None or run.progress > 0.99:
            self.times.learn(run.kind, (record.completed_at - record.started_at) / 1e6)

    def _remember_end(self, prompt_id: str, progress: float) -> None:
        self._ended[prompt_id] = progress
        if len(self._ended) > ENDED:
            self._ended.popitem(last=False)

    def _state(self, record: GenerationRecord, places: Mapping[str, int]) -> LiveState:
        run = self._runs.get(record.id)
        if run is not None and run.record.prompt_id != record.prompt_id:
            run = None
        if record.status == "queued":
            usual = self.times.median_seconds(run.kind) if run is not None else None
            return LiveState(0.0, queue_position=places.get(record.prompt_id), eta_seconds=_rounded(usual))
        if record.status == "completed":
            return COMPLETED
        if record.status == "failed":
            progress = self._ended.get(record.prompt_id)
            return LiveState(_share_of_pictures(record) if progress is None else progress)
        if run is None:
            return LiveState(_share_of_pictures(record))
        elapsed = 0.0 if run.started is None else time.monotonic() - run.started
        left = self.times.seconds_left(run.kind, elapsed, run.progress)
        previews = tuple(preview for _, (preview, _) in sorted(run.pictures.items()))
        return LiveState(run.progress, run.current, None, _rounded(left), previews)

    def _queue_positions(self) -> Mapping[str, int]:
        """Of everything that waits in ComfyUI. Thousands of clients ask; the queue is looked at after each
        change of it that we hear of, and now and then."""
        now = time.monotonic()
        if now >= self._positions_expire_at:
            waiting = self._host.queue_state().waiting
            self._positions = {prompt_id: place for place, prompt_id in enumerate(waiting, start=1)}
            self._positions_expire_at = now + LOOK_SECONDS
        return self._positions

    def _publish(self, kind: str, record: GenerationRecord) -> LiveState:
        state = self.state(record)
        self.log.add(
            GenerationEvent(kind, clock.now(), record.id, record, state), transient=kind in INTERVALS
        )
        return state

    def _handle_host_event(self, event: PromptEvent) -> None:
        self._positions_expire_at = 0.0
        if event.kind == "queue_changed" and not self._positions_due:
            self._positions_due = True
            asyncio.get_running_loop().call_later(PLACES_SECONDS, self._publish_positions)

    def _publish_positions(self) -> None:
        """Tell those near the front that they have moved."""
        self._positions_due = False
        queued = [run for run in self._runs.values() if run.queued_published and run.started is None]
        for run, state in zip(queued, self.states([run.record for run in queued]), strict=True):
            place = state.queue_position
            if place is not None and place <= LAST_PLACE and place != run.published_position:
                run.published_position = place
                self.log.add(
                    GenerationEvent("queued", clock.now(), run.record.id, run.record, state), transient=True
                )

    def _handle_progress(self, event: PromptProgress | PreviewPicture) -> None:
        run = self._by_prompt.get(event.prompt_id)
        planned = run.get_plan() if run is not None else None
        if run is None or planned is None:
            return
        if isinstance(event, PreviewPicture):
            position = planned.position_of(event.node_id, event.row)
            if position is None or len(event.jpeg) > PREVIEW_BYTES:
                return
            before = run.pictures.get(position)
            version = before[0].version + 1 if before else 1
            run.pictures[position] = Preview(position, planned.views[position], version), event.jpeg
            self._publish_soon(run, "preview")
            return
        # A node that runs once more, as ComfyUI's loops do, takes nothing back.
        run.progress = max(run.progress, planned.done(event.nodes))
        run.current = _current(planned, event.nodes) or run.current
        self._publish_soon(run, "progress")

    def _publish_soon(self, run: _Run, kind: str) -> None:
        """Now, or as soon as enough time has passed since the last of this kind."""
        if run.started is None or kind in run.timers:
            return
        loop = asyncio.get_running_loop()
        due = run.published_at.get(kind, -1e9) + INTERVALS[kind]
        if loop.time() >= due:
            self._publish_now(run, kind)
        else:
            run.timers[kind] = loop.call_at(due, self._publish_now, run, kind)

    def _publish_now(self, run: _Run, kind: str) -> None:
        run.timers.pop(kind, None)
        run.published_at[kind] = asyncio.get_running_loop().time()
        self._publish(kind, run.record)


def _current(planned: Plan, states: Mapping[str, NodeState]) -> Current | None:
    for node_id in reversed(tuple(states)):
        state, node = states[node_id], planned.nodes.get(node_id)
        if state.running and node is not None:
            # A sampler that has just been begun counts to 1, until its first step.
            steps = max(1, int(state.maximum), node.steps)
            step = int(state.value) if steps == int(state.maximum) else 0
            return Current(node.class_type, node_id, planned.view_of(node_id), step, steps)
    return None


def _share_of_pictures(record: GenerationRecord) -> float:
    """All that is known of a run of an earlier start of ComfyUI."""
    if record.kind == MANUAL_KIND or record.reroll or not record.outputs:
        return 0.0
    return len(record.outputs) / len(AvatarSpec.from_json(record.spec).views)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
