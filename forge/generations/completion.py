"""Ends a run of a generation: measures its pictures on disk and writes the verdict.

Every write applies only to the prompt that ended, and never to a re-roll or a retry that was queued since.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from ...db.engine import Database
from ...db.records import GenerationRecord, OutputRecord
from ..errors import NotFoundError
from ..live.live import Live
from ..spec.outputs import output_name, output_names
from ..webhooks.outbox import Outbox
from ..workers import Workers
from . import run_log
from .end_transactions import expected_positions, write_completion, write_end, write_failure, write_pictures
from .failures import GAVE_UP, MAX_ATTEMPTS
from .outputs import Measured, OutputFolder

# Measured pictures of a prompt, by position.
Pictures = Mapping[int, Measured]
NO_PICTURES: Pictures = MappingProxyType({})


class RunFinisher:
    """Writes pictures and verdicts. `pictures` in its methods are those measured while the prompt ran: their
    files are read again only if they have changed. `timing` is text for the log, from `Stopwatch`."""

    def __init__(
        self, database: Database, workers: Workers, outputs: OutputFolder, live: Live, outbox: Outbox
    ) -> None:
        self._database = database
        self._workers = workers
        self._outputs = outputs
        self._live = live
        self._outbox = outbox

    async def measure(self, record: GenerationRecord, filenames: tuple[str, ...]) -> dict[int, Measured]:
        """Measure the pictures of a `saved` event. Raises NotFoundError."""
        names = _expected_names(record)
        return await self._measure(record, [names[name] for name in filenames if name in names], NO_PICTURES)

    async def record_outputs(
        self, record: GenerationRecord, pictures: Sequence[OutputRecord]
    ) -> GenerationRecord | None:
        """Write the rows of pictures of a running generation; returns its new record, or None if it no longer
        runs.

        The picture of a re-roll is written with the verdict: the old one is current until then.
        """
        if record.reroll:
            return record
        after = await self._database.write(partial(write_pictures, record=record, pictures=pictures))
        if after is not None:
            self._live.announce(after)
        return after

    async def complete(
        self, record: GenerationRecord, timing: str = "", pictures: Pictures = NO_PICTURES
    ) -> None:
        """Write the success and all pictures, or a failure if a picture is missing."""
        try:
            measured = await self._measure(record, expected_positions(record), pictures)
        except NotFoundError as error:
            await self.fail(record, str(error), str(error), timing, pictures)
            return
        await self._write_completion(record, measured, timing)

    async def fail(
        self,
        record: GenerationRecord,
        error: str,
        reason: str,
        timing: str = "",
        pictures: Pictures = NO_PICTURES,
    ) -> None:
        """Write the failure, with the pictures that were saved before it. `error` is for clients, `reason`
        for the log.

        What saved its pictures before it counts as completed: a re-roll, and a prompt that went on to judge
        them. So does what only judges finished pictures.
        """
        # A node's message can contain a file name with surrogates (PEP 383), which no database accepts.
        error = error.encode("utf-8", "replace").decode("utf-8")
        present = await self._measure_present(record, pictures)
        if record.judging or (present and (record.reroll or _is_saved(record, pictures))):
            await self._write_completion(record, present, timing, error)
            return
        write = partial(
            write_failure,
            record=record,
            error=error,
            pictures=[measured.picture for measured in present.values()],
            outbox=self._outbox,
            now=self._database.now(),
        )
        after = await self._database.write(write)
        if after is not None:
            self._announce(record, after, pictures)
            run_log.failed(record, reason, timing)

    async def give_up(self, record: GenerationRecord, error: str) -> None:
        """Write the failure of a generation whose row cannot be read well enough for `fail`: without
        pictures, webhook and events. One that was being re-rolled or judged is complete, and keeps its
        pictures."""
        now = self._database.now()
        end: dict[str, Any] = {"status": "failed", "error": error}
        if record.keeps_pictures:
            columns = ("reroll", "waiting_rerolls", "judging", "tries", "next_try")
            end = {"status": "completed", **dict.fromkeys(columns)}
            with contextlib.suppress(Exception):  # what cannot be read gets no warning
                if record.reroll is not None:
                    end["receipt"] = record.reroll.fail(record.spec, record.receipt, error).to_json()

        def write(connection: Connection) -> None:
            if write_end(connection, record, end, now):
                self._outbox.end_batch(connection, record.batch_id, now)

        await self._database.write(write)

    async def complete_if_saved(self, record: GenerationRecord) -> bool:
        """Complete a generation whose pictures an earlier ComfyUI saved before it died; returns whether it
        did.

        The proof is a row for each picture, which is written when this prompt saved it, and that the files
        still match these rows. What was also to be judged is judged again, unless ComfyUI has died of it as
        often as it may.
        """
        gave_up = record.attempts >= MAX_ATTEMPTS
        if record.spec.judge and not gave_up and any(output.scores is None for output in record.outputs):
            return False
        if (
            record.reroll
            or record.judging
            or [output.position for output in record.outputs] != expected_positions(record)
        ):
            return False
        present = await self._measure_present(record, NO_PICTURES)
        saved = tuple(replace(output, scores_json=None) for output in record.outputs)
        if tuple(measured.picture for measured in present.values()) != saved:
            return False
        await self._write_completion(record, present, "", GAVE_UP if gave_up else None)
        return True

    async def _write_completion(
        self, record: GenerationRecord, pictures: Pictures, timing: str, error: str | None = None
    ) -> None:
        """Write the success. `error` is what ended the prompt after it had saved its pictures."""
        write = partial(
            write_completion,
            record=record,
            pictures=[measured.picture for measured in pictures.values()],
            error=error,
            outbox=self._outbox,
            now=self._database.now(),
        )
        after = await self._database.write(write)
        if after is not None:
            self._announce(record, after, pictures)
            run_log.completed(record, timing)

    def _announce(self, before: GenerationRecord, after: GenerationRecord, pictures: Pictures) -> None:
        """Announce an end that was just written, after the pictures that were written with it."""
        if before.next_try_json is not None:  # no prompt of it was in ComfyUI's queue
            self._live.announce_unstarted(after)
            return
        if not self._live.is_tracked(before):  # queued by an earlier ComfyUI and not announced in this one
            self._live.announce(before)
        if after.next_try_json is not None:  # it goes on with another prompt
            self._live.try_ended(after)
            return
        if pictures and not before.reroll:
            positions = {output.position for output in before.outputs} | pictures.keys()
            outputs = tuple(output for output in after.outputs if output.position in positions)
            running = replace(after, status="processing", completed_at=None, error=None, outputs=outputs)
            self._live.announce(running)
        self._live.announce(after)

    async def _measure(
        self, record: GenerationRecord, positions: Iterable[int], previous: Pictures
    ) -> dict[int, Measured]:
        views = record.spec.pictures
        take = record.reroll.take if record.reroll else 1

        def measure() -> dict[int, Measured]:
            return {
                position: self._outputs.measure_if_changed(
                    record.id, position, views[position], previous.get(position), take
                )
                for position in positions
            }

        return await self._workers.disk(measure)

    async def _measure_present(self, record: GenerationRecord, previous: Pictures) -> dict[int, Measured]:
        """Measure the expected pictures that exist and can be read."""
        present = {}
        for position in expected_positions(record):
            try:
                present.update(await self._measure(record, [position], previous))
            except NotFoundError:
                continue
        return present


def _is_saved(record: GenerationRecord, pictures: Pictures) -> bool:
    """Whether a prompt that also judges has saved all its pictures, which were measured while it ran."""
    return record.spec.judge is not None and pictures.keys() >= set(expected_positions(record))


def _expected_names(record: GenerationRecord) -> Mapping[str, int]:
    """The file name of each picture that the current prompt saves -> its position."""
    if record.judging:
        return {}
    if record.reroll:
        return {output_name(record.reroll.position, record.reroll.take): record.reroll.position}
    return output_names(record.spec)
