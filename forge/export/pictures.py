"""Makes an archive of the pictures of several generations, piece by piece while it is sent."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from ...db.records import GenerationRecord
from ..errors import NotFoundError, TooLargeError
from ..generations.outputs import OutputFolder
from ..settings import Settings
from ..store.disk import open_to_read
from ..workers import Slots, Workers
from .archive import MOST_MEMBERS, PIECE, ArchiveWriter, NewMember, archive_size

#: Downloads at the same time, and how many more wait.
AT_ONCE, WAITING = 2, 8
#: The member that names the pictures that could not be read.
MISSING = "missing.txt"
#: Bytes of that member, of which each name takes up to a hundred.
_ROOM = 100 * MOST_MEMBERS


@dataclass(frozen=True)
class _Picture:
    name: str
    path: Path


class PictureExporter:
    """What routes do to export pictures. Every method raises the errors of `forge.errors`."""

    def __init__(self, settings: Settings, outputs: OutputFolder, workers: Workers) -> None:
        self._most_bytes = settings.max_export_size
        self._outputs = outputs
        self._workers = workers
        self._slots = Slots(AT_ONCE, WAITING)

    def admitted(self) -> AbstractAsyncContextManager[None]:
        """Hold a slot while an archive is sent. Raises BusyError."""
        return self._slots.take()

    def check(self, records: Sequence[GenerationRecord]) -> list[_Picture]:
        """The members of the archive of these generations. Raises TooLargeError, and NotFoundError if they
        have no picture at all."""
        rows = [(f"{record.id}/{output.filename}", output) for record in records for output in record.outputs]
        if not rows:
            raise NotFoundError("None of these generations has a picture.", code="output_not_found")
        size = _ROOM + archive_size([NewMember(name, output.size, 0) for name, output in rows])
        if size > self._most_bytes or len(rows) >= MOST_MEMBERS:
            raise TooLargeError(
                f"The archive would have {len(rows)} pictures and {size} bytes; the limits are "
                f"{MOST_MEMBERS - 1} pictures and {self._most_bytes} bytes (MAX_EXPORT_SIZE). Choose fewer.",
                code="export_too_large",
                parameters={"limit": self._most_bytes},
            )
        return [
            _Picture(name, self._outputs.folder_of(output.generation_id) / output.filename)
            for name, output in rows
        ]

    async def pieces(self, pictures: Sequence[_Picture]) -> AsyncIterator[bytes]:
        """The bytes of the archive. A picture whose bytes are gone is named in MISSING instead."""
        archive = ArchiveWriter()
        missing: list[str] = []
        left = self._most_bytes
        for picture in pictures:
            content = await self._workers.disk(_read, picture.path, left)
            if content is None:
                missing.append(picture.name)
                continue
            left -= len(content)
            yield archive.add(picture.name, len(content), zlib.crc32(content))
            for start in range(0, len(content), PIECE):
                yield content[start : start + PIECE]
        if missing:
            text = "\n".join(missing).encode()
            yield archive.add(MISSING, len(text), zlib.crc32(text)) + text
        yield archive.end()


def _read(path: Path, most: int) -> bytes | None:
    """The bytes of a picture: as a whole, because the header before them holds their number and checksum, and
    a re-roll can replace the file between two looks. None if it cannot be read, or has more than `most`."""
    try:
        with open_to_read(path) as file:
            content = file.read(most + 1)
    except OSError:
        return None
    return content if len(content) <= most else None
