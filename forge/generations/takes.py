"""The takes of a picture: list them, choose the current one, delete others."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from ...db import generations as queries
from ...db import takes as take_queries
from ...db.engine import Database
from ...db.records import FileRecord, GenerationRecord, OutputRecord
from ..errors import NotFoundError, UnprocessableError
from ..live.live import Live
from ..spec.receipt import AppliedInput
from ..spec.reroll import Reroll
from ..store.files import FileStore
from ..workers import Workers, run_uncancellable
from .outputs import OutputFolder, take_entry
from .take_transactions import choose_take, delete_take
from .tracker import GenerationTracker

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class Take:
    """One take of a picture. `seed` is None for a graph that was queued by hand; `inputs` are the lines of
    the receipt that are about this take alone."""

    picture: OutputRecord
    is_current: bool
    seed: int | None
    inputs: tuple[AppliedInput, ...]


@dataclass(frozen=True)
class PictureTakes:
    """The takes of the picture at a position, from 0, oldest first."""

    generation: GenerationRecord
    position: int
    takes: tuple[Take, ...]


class TakeService:
    """Pictures are named by their view, or by their number in the list of pictures, from 1."""

    def __init__(
        self,
        database: Database,
        files: FileStore,
        workers: Workers,
        outputs: OutputFolder,
        tracker: GenerationTracker,
        live: Live,
    ) -> None:
        self._database = database
        self._files = files
        self._workers = workers
        self._outputs = outputs
        self._tracker = tracker
        self._live = live

    async def list(self, generation_id: str, picture: str) -> PictureTakes:
        """Raises NotFoundError and UnprocessableError."""
        return await self._database.read(partial(_list, generation_id=generation_id, picture=picture))

    async def choose(self, generation_id: str, picture: str, take: int) -> GenerationRecord:
        """Make a take the current one; returns the generation. Raises NotFoundError, UnprocessableError."""

        async def write() -> GenerationRecord:
            before = await self._get(generation_id)
            position = position_of_picture(before, picture)
            choose = partial(choose_take, generation_id=generation_id, position=position, take=take)
            return self._announced(before, await self._database.write(choose))

        return await self._exclusively(write)

    async def delete(self, generation_id: str, picture: str, take: int) -> GenerationRecord:
        """Delete a take with its file; returns the generation. Raises NotFoundError, UnprocessableError, or
        ConflictError for the current take."""
        return await run_uncancellable(self._delete(generation_id, picture, take))

    async def _delete(self, generation_id: str, picture: str, take: int) -> GenerationRecord:
        position = position_of_picture(await self._get(generation_id), picture)
        entry = take_entry(generation_id, position, take)

        def delete(connection: Connection) -> list[FileRecord]:
            delete_take(connection, generation_id, position, take)
            return []

        async def write() -> GenerationRecord:
            before = await self._get(generation_id)
            await self._files.release(delete, entries=(entry,))
            return self._announced(before, await self._get(generation_id))

        after = await self._exclusively(write)
        removed = await self._workers.disk(self._outputs.remove_file, generation_id, position, take)
        await (self._files.clear_entry if removed else self._files.keep_entry)(entry)
        log.info(
            "AvatarForge: take %d of picture %d of generation %s deleted", take, position + 1, generation_id
        )
        return after

    async def _exclusively(self, write: Callable[[], Awaitable[GenerationRecord]]) -> GenerationRecord:
        # A re-roll that is refused by ComfyUI's queue restores the whole row, so nothing may change between.
        return await self._tracker.run_exclusively(write)

    async def _get(self, generation_id: str) -> GenerationRecord:
        record = await self._database.read(partial(queries.get, generation_id=generation_id))
        if record is None:
            raise NotFoundError(f"No generation {generation_id} exists.", code="generation_not_found")
        return record

    def _announced(self, before: GenerationRecord, after: GenerationRecord) -> GenerationRecord:
        if after.outputs != before.outputs:
            self._live.takes_changed(after)
        return after


def position_of_picture(record: GenerationRecord, picture: str) -> int:
    """The position, from 0, of the picture that shows a view, or has a number, from 1. Raises NotFoundError,
    or UnprocessableError if several pictures show the view."""
    if picture.isascii() and picture.isdigit():
        matching = [output.position for output in record.outputs if str(output.position + 1) == picture]
    else:
        matching = [output.position for output in record.outputs if output.view == picture]
    if not matching:
        raise NotFoundError(f"Generation {record.id} has no such picture.", code="output_not_found")
    if len(matching) > 1:
        numbers = ", ".join(str(position + 1) for position in matching)
        raise UnprocessableError(
            f"Several pictures show {picture}: name it by its number, one of {numbers}.",
            ("path", "view"),
            "missing",
        )
    return matching[0]


def _list(connection: Connection, generation_id: str, picture: str) -> PictureTakes:
    record = queries.get(connection, generation_id)
    if record is None:
        raise NotFoundError(f"No generation {generation_id} exists.", code="generation_not_found")
    position = position_of_picture(record, picture)
    takes = [
        Take(kept.picture, False, kept.made.seed, kept.made.inputs)
        for kept in take_queries.of_picture(connection, generation_id, position)
    ]
    current = next(output for output in record.outputs if output.position == position)
    if record.is_manual:
        takes.append(Take(current, True, None, ()))
    else:
        made = Reroll.of_current(record.spec, record.receipt, position, current.take)
        takes.append(Take(current, True, made.seed, made.inputs))
    takes.sort(key=lambda take: take.picture.take)
    return PictureTakes(record, position, tuple(takes))
