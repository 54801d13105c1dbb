"""An archive of parts whose sizes are known, of which any range of bytes can be read without the rest."""

from __future__ import annotations

import hashlib
import json
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import NotFoundError
from ..store.disk import open_to_read
from .archive import PIECE, ArchiveWriter, NewMember, archive_size, local_header

#: CRC-32 sums that are kept, by the SHA-256 of the bytes.
MOST_SUMS = 8_192


@dataclass(frozen=True)
class TextPart:
    """A member whose bytes are in memory."""

    name: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)


@dataclass(frozen=True)
class FilePart:
    """A member whose bytes are `size` bytes of a file, from `start`. Either its SHA-256 is known, or its
    CRC-32."""

    name: str
    path: Path
    size: int
    sha256: str | None = None
    start: int = 0
    crc: int | None = None


Part = TextPart | FilePart


def json_part(name: str, value: Any) -> TextPart:
    """A member that is JSON, indented for people."""
    return TextPart(name, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


class Checksums:
    """The CRC-32 of each content that was read before. A content never changes, so neither does its sum."""

    def __init__(self) -> None:
        self._sums: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, part: Part) -> int:
        """The CRC-32 of a part. Blocks. Raises NotFoundError if its bytes are gone or not those of its
        SHA-256."""
        if isinstance(part, TextPart):
            return zlib.crc32(part.content)
        if part.crc is not None:
            return part.crc
        key = part.sha256 or ""
        with self._lock:
            if key in self._sums:
                self._sums.move_to_end(key)
                return self._sums[key]
        crc, content = 0, hashlib.sha256()
        for piece in _read(part, 0, part.size):
            crc = zlib.crc32(piece, crc)
            content.update(piece)
        if content.hexdigest() != key:
            raise lost(part)
        with self._lock:
            self._sums[key] = crc
            if len(self._sums) > MOST_SUMS:
                self._sums.popitem(last=False)
        return crc


class PartArchive:
    """An archive of these parts, in this order. The same parts give the same bytes."""

    def __init__(self, parts: Sequence[Part], checksums: Checksums) -> None:
        self._parts = parts
        self._checksums = checksums
        self.size = archive_size(NewMember(part.name, part.size, 0) for part in parts)

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`, the end by default. Blocks. Raises NotFoundError for bytes
        that are gone or altered.

        Reads of the parts before `start` only what the directory at the end needs: their sums.
        """
        stop = self.size if stop is None else stop
        at = 0
        for part in self._parts:
            header = at, at + len(local_header(NewMember(part.name, part.size, 0)))
            body = header[1], header[1] + part.size
            at = body[1]
            if start < header[1] and stop > header[0]:
                written = local_header(NewMember(part.name, part.size, self._checksums.of(part)))
                yield written[max(0, start - header[0]) : stop - header[0]]
            if start < body[1] and stop > body[0]:
                yield from _read(part, max(0, start - body[0]), min(part.size, stop - body[0]))
        if stop > at:
            writer = ArchiveWriter()
            for part in self._parts:
                writer.add(part.name, part.size, self._checksums.of(part))
            yield writer.end()[max(0, start - at) : stop - at]


def lost(part: Part) -> NotFoundError:
    return NotFoundError(
        f"The bytes of {part.name} are gone from the disk, or not those that were stored.", code="file_lost"
    )


def _read(part: Part, start: int, stop: int) -> Iterator[bytes]:
    """Some bytes of a part. Raises NotFoundError if it ends before."""
    if isinstance(part, TextPart):
        yield part.content[start:stop]
        return
    try:
        with open_to_read(part.path) as file:
            file.seek(part.start + start)
            while start < stop:
                piece = file.read(min(PIECE, stop - start))
                if not piece:
                    raise lost(part)
                start += len(piece)
                yield piece
    except OSError as error:
        raise lost(part) from error
