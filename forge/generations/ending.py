"""How a run of a generation ends: what it left on the disk is measured, and the verdict is written.

Every write is bound to the prompt that ended: a re-roll or a retry that has begun since is left alone.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord, OutputRecord
from .. import clock
from ..errors import NotFoundError
from ..graphs.compile import output_names
from ..live.live import Live
from ..webhooks.outbox import Outbox
from ..workers import Workers
from . import journal
from .outputs import OutputFolder
from .reroll import Reroll
from .spec import AvatarSpec


class Ending:
    def __init__(
        self, database: Database, workers: Workers, outputs: OutputFolder, live: Live, outbox: Outbox
    ) -> None:
        self._database = database
        self._workers = workers
        self._outputs = outputs
        self._live = live
        self._outbox = outbox

    async def show(self, record: GenerationRecord, filenames: tuple[str, ...]) -> None:
        """Each picture of a running generation appears as soon as it is saved. That of a re-roll waits
        for the end, because the old one stands in its place until then."""
        if record.reroll:
            return
        names = output_names(AvatarSpec.from_json(record.spec))
        for position in [names[name] for name in filenames if name in names]:
            picture = await self._measure(record, position)
            await self._database.write(partial(_write_picture, record=record, picture=picture))
            await self._announce(record)

    async def complete(self, record: GenerationRecord, timing: str = "") -> None:
        """Write the pictures down; it fails when one of them is missing."""
        try:
            pictures = [await self._measure(record, position) for position in _made(record)]
        except NotFoundError as error:
            await self.fail(record, str(error), str(error), timing)
            return
        await self._write_completion(record, pictures, timing)

    async def fail(self, record: GenerationRecord, error: str, reason: str, timing: str = "") -> None:
        """Write the failure down, with the pictures that were saved before it.

        A re-roll whose new picture lies there already is done, whatever came after: the old picture
        can no longer be had.
        """
        if record.reroll:
            new = await self._rerolled(record)
            if new is not None:
                await self._write_completion(record, [new], timing)
                return
            pictures = list(record.outputs)
        else:
            views = AvatarSpec.from_json(record.spec).views
            pictures = await self._workers.disk(self._outputs.present, record.id, views)
        write = partial(_write_failure, record=record, error=error, pictures=pictures, outbox=self._outbox)
        if await self._database.write(write):
            journal.failed(record, reason, timing)
            await self._announce(record)

    async def had_finished(self, record: GenerationRecord) -> bool:
        """Whether an earlier ComfyUI saved every picture and only the verdict was lost; written now then.

        Proof is a row for each picture, which is written when ComfyUI tells of the saved file of this
        prompt, and the file still being what was measured then.
        """
        if record.reroll or [output.position for output in record.outputs] != _made(record):
            return False
        views = AvatarSpec.from_json(record.spec).views
        if await self._workers.disk(self._outputs.present, record.id, views) != list(record.outputs):
            return False
        await self.complete(record)
        return True

    async def _write_completion(
        self, record: GenerationRecord, pictures: list[OutputRecord], timing: str
    ) -> None:
        write = partial(_write_completion, record=record, pictures=pictures, outbox=self._outbox)
        if await self._database.write(write):
            journal.completed(record, timing)
            await self._announce(record)

    async def _announce(self, before: GenerationRecord) -> None:
        """Tell of what has just been written."""
        record = await self._database.read(partial(queries.get, generation_id=before.id))
        if record is not None and record.prompt_id == before.prompt_id:
            if not self._live.follows(before):  # of an earlier ComfyUI, and never told in this one
                self._live.announce(before)
            self._live.announce(record)

    async def _rerolled(self, record: GenerationRecord) -> OutputRecord | None:
        """The picture of the re-roll, if it has taken the old one's place on the disk."""
        (position,) = _made(record)
        try:
            there = await self._measure(record, position)
        except NotFoundError:
            return None
        old = {output.content_hash for output in record.outputs if output.position == position}
        return None if there.content_hash in old else there

    async def _measure(self, record: GenerationRecord, position: int) -> OutputRecord:
        view = AvatarSpec.from_json(record.spec).views[position]
        return await self._workers.disk(self._outputs.measure, record.id, position, view)


def _made(record: GenerationRecord) -> list[int]:
    """The places of the pictures that the prompt makes."""
    if record.reroll:
        return [Reroll.from_json(record.reroll).position]
    return list(range(len(AvatarSpec.from_json(record.spec).views)))


def _write_picture(connection: Connection, record: GenerationRecord, picture: OutputRecord) -> None:
    if queries.status_of_prompt(connection, record.prompt_id) in queries.ACTIVE:
        queries.set_output(connection, picture)


def _write_completion(
    connection: Connection, record: GenerationRecord, pictures: list[OutputRecord], outbox: Outbox
) -> bool:
    settled = Reroll.from_json(record.reroll).settle(record.spec, record.receipt) if record.reroll else {}
    if not queries.change(
        connection,
        record.id,
        queries.ACTIVE,
        running=record.prompt_id,
        status="completed",
        completed_at=clock.now(),
        reroll=None,
        **settled,
    ):
        return False
    for picture in pictures:
        queries.set_output(connection, picture)
    outbox.put(connection, record.id)
    return True


def _write_failure(
    connection: Connection,
    record: GenerationRecord,
    error: str,
    pictures: list[OutputRecord],
    outbox: Outbox,
) -> bool:
    end: dict[str, str | None] = {"status": "failed", "error": error}
    if record.reroll:  # the picture that was there is still there
        reroll = Reroll.from_json(record.reroll)
        end = {"status": "completed", "reroll": None, **reroll.fail(record.receipt, error)}
    if not queries.change(
        connection,
        record.id,
        queries.ACTIVE,
        running=record.prompt_id,
        completed_at=clock.now(),
        **end,
    ):
        return False
    queries.set_outputs(connection, record.id, pictures)
    outbox.put(connection, record.id)
    return True
