"""Copies finished pictures into the store, so that what uses them outlives their generation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import BinaryIO

from ...db.records import OutputRecord
from ..errors import NotFoundError
from ..store.disk import open_to_read
from ..store.files import FileStore, Received
from ..workers import Workers
from .failures import UNREADABLE
from .outputs import OutputFolder

_PIECE = 1024 * 1024


class OutputCopies:
    def __init__(self, files: FileStore, outputs: OutputFolder, workers: Workers) -> None:
        self._files = files
        self._outputs = outputs
        self._workers = workers

    async def store(self, picture: OutputRecord, undo: AsyncExitStack) -> Received:
        """Store the bytes of a picture as a file; adds its withdrawal to `undo`. Raises NotFoundError if they
        are gone, and what receiving a file raises."""
        name = f"{picture.view or 'picture'}.png"
        received = await self._files.receive(
            self._read(picture), name, announced=picture.content_hash, pictures_only=True
        )
        undo.push_async_callback(self._files.withdraw, received)
        return received

    async def _read(self, picture: OutputRecord) -> AsyncIterator[bytes]:
        path = self._outputs.file_of(picture)
        unreadable = NotFoundError(UNREADABLE.format(name=picture.filename), code="file_lost")
        try:
            file: BinaryIO = await self._workers.disk(open_to_read, path)
        except OSError as error:
            raise unreadable from error
        try:
            while piece := await self._workers.disk(file.read, _PIECE):
                yield piece
        except OSError as error:
            raise unreadable from error
        finally:
            await self._workers.disk(file.close)
