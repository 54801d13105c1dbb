"""How a run of a generation ends: what it left on the disk is measured, and the verdict is written.

Every write is bound to the prompt that ended: a re-roll or a retry that has begun since is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord, OutputRecord
from ..errors import NotFoundError
from ..live.live import Live
from ..spec.outputs import output_names
from ..webhooks.outbox import Outbox
from ..workers import Workers
from . import run_log
from .outputs import Measured, OutputFolder

# What was measured while the prompt ran, by position.
Pictures = Mapping[int, Measured]
NONE: Pictures = MappingProxyType({})


class RunFinisher:
    def __init__(
        self, database: Database, workers: Workers, outputs: OutputFolder, live: Live, outbox: Outbox
    ) -> None:
        self._database = database
        self._workers = workers
        self._outputs = outputs
        self._live = live
        self._outbox = outbox

    async def measure(self, record: GenerationRecord, filenames: tuple[str, ...]) -> dict[int, Measured]:
        """Measure pictures that ComfyUI has just told of. Raises NotFoundError."""
        names = output_names(record.spec)
        return await self._measure(record, [names[name] for name in filenames if name in names], NONE)

    async def record_outputs(
        self, record: GenerationRecord, pictures: Sequence[OutputRecord]
    ) -> GenerationRecord | None:
        """Write down the pictures of a running generation; None where it runs no more.

        That of a re-roll waits for the end, because the old one stands in its place until then."""
        if record.reroll:
            return record
        shown = await self._database.write(partial(_write_pictures, record=record, pictures=pictures))
        if shown is not None:
            self._live.announce(shown)
        return shown

    async def complete(self, record: GenerationRecord, timing: str = "", pictures: Pictures = NONE) -> None:
        """Write the pictures down; it fails when one of them is missing."""
        try:
            found = await self._measure(record, expected_positions(record), pictures)
        except NotFoundError as error:
            await self.fail(record, str(error), str(error), timing, pictures)
            return
        await self._write_completion(record, found, timing)

    async def fail(
        self,
        record: GenerationRecord,
        error: str,
        reason: str,
        timing: str = "",
        pictures: Pictures = NONE,
    ) -> None:
        """Write the failure down, with the pictures that were saved before it.

        A re-roll whose new picture lies there already is done, whatever came after: the old picture
        can no longer be had.
        """
        # A node's message can repeat a file name that is no valid text (PEP 383), which no database takes.
        error = error.encode("utf-8", "replace").decode("utf-8")
        there = await self._measure_present(record, pictures)
        if record.reroll and _is_new(record, there):
            await self._write_completion(record, there, timing)
            return
        write = partial(
            _write_failure,
            record=record,
            error=error,
            pictures=[one.picture for one in there.values()],
            outbox=self._outbox,
            now=self._database.now(),
        )
        after = await self._database.write(write)
        if after is not None:
            self._announce(record, after, pictures)
            run_log.failed(record, reason, timing)

    async def complete_if_saved(self, record: GenerationRecord) -> bool:
        """Whether an earlier ComfyUI saved every picture and only the verdict was lost; written now then.

        Proof is a row for each picture, which is written when ComfyUI tells of the saved file of this
        prompt, and the file still being what was measured then.
        """
        if record.reroll or [output.position for output in record.outputs] != expected_positions(record):
            return False
        there = await self._measure_present(record, NONE)
        if tuple(one.picture for one in there.values()) != record.outputs:
            return False
        await self._write_completion(record, there, "")
        return True

    async def _write_completion(self, record: GenerationRecord, pictures: Pictures, timing: str) -> None:
        write = partial(
            _write_completion,
            record=record,
            pictures=[one.picture for one in pictures.values()],
            outbox=self._outbox,
            now=self._database.now(),
        )
        after = await self._database.write(write)
        if after is not None:
            self._announce(record, after, pictures)
            run_log.completed(record, timing)

    def _announce(self, before: GenerationRecord, after: GenerationRecord, pictures: Pictures) -> None:
        """Tell of an end that has just been written, and first of pictures that were written with it."""
        if not self._live.is_tracked(before):  # of an earlier ComfyUI, and never told in this one
            self._live.announce(before)
        if pictures and not before.reroll:
            shown = {output.position for output in before.outputs} | pictures.keys()
            outputs = tuple(output for output in after.outputs if output.position in shown)
            running = replace(after, status="processing", completed_at=None, error=None, outputs=outputs)
            self._live.announce(running)
        self._live.announce(after)

    async def _measure(
        self, record: GenerationRecord, positions: Iterable[int], known: Pictures
    ) -> dict[int, Measured]:
        views = record.spec.views

        def look() -> dict[int, Measured]:
            look_at = self._outputs.measure_if_changed
            return {
                position: look_at(record.id, position, views[position], known.get(position))
                for position in positions
            }

        return await self._workers.disk(look)

    async def _measure_present(self, record: GenerationRecord, known: Pictures) -> dict[int, Measured]:
        """What lies there now of what the prompt makes. What cannot be read is left out."""
        found = {}
        for position in expected_positions(record):
            try:
                found.update(await self._measure(record, [position], known))
            except NotFoundError:
                continue
        return found


def expected_positions(record: GenerationRecord) -> list[int]:
    """The places of the pictures that the prompt makes."""
    if record.reroll:
        return [record.reroll.position]
    return list(range(len(record.spec.views)))


def _is_new(record: GenerationRecord, there: Pictures) -> bool:
    """Whether the picture of a re-roll has taken the old one's place on the disk."""
    old = {output.content_hash for output in record.outputs if output.position in there}
    return any(one.picture.content_hash not in old for one in there.values())


def _write_pictures(
    connection: Connection, record: GenerationRecord, pictures: Sequence[OutputRecord]
) -> GenerationRecord | None:
    if queries.status_of_prompt(connection, record.prompt_id) not in queries.ACTIVE:
        return None
    queries.upsert_outputs(connection, record.id, pictures)
    return queries.get(connection, record.id)


def _write_completion(
    connection: Connection,
    record: GenerationRecord,
    pictures: Sequence[OutputRecord],
    outbox: Outbox,
    now: int,
) -> GenerationRecord | None:
    end: dict[str, Any] = {"status": "completed", "reroll": None}
    if record.reroll:
        spec, receipt = record.reroll.apply(record.spec, record.receipt)
        end |= {"spec": spec.to_json(), "receipt": receipt.to_json()}
    if not _end(connection, record, end, now):
        return None
    queries.upsert_outputs(connection, record.id, pictures)
    return _queue_webhook(connection, record, outbox, now)


def _write_failure(
    connection: Connection,
    record: GenerationRecord,
    error: str,
    pictures: Sequence[OutputRecord],
    outbox: Outbox,
    now: int,
) -> GenerationRecord | None:
    if record.reroll:  # the picture that was there is still there
        receipt = record.reroll.fail(record.receipt, error)
        end = {"status": "completed", "reroll": None, "receipt": receipt.to_json()}
        if not _end(connection, record, end, now):
            return None
    else:
        if not _end(connection, record, {"status": "failed", "error": error}, now):
            return None
        queries.set_outputs(connection, record.id, pictures)
    return _queue_webhook(connection, record, outbox, now)


def _end(connection: Connection, record: GenerationRecord, values: Mapping[str, Any], now: int) -> bool:
    return queries.update_row(
        connection,
        record.id,
        queries.ACTIVE,
        running=record.prompt_id,
        completed_at=now,
        **values,
    )


def _queue_webhook(
    connection: Connection, record: GenerationRecord, outbox: Outbox, now: int
) -> GenerationRecord | None:
    after = queries.get(connection, record.id)
    if after is not None:
        outbox.add(connection, after, now)
    return after
