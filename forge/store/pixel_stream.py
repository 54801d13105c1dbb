"""A view of a picture file without its metadata, for decoders.

Pillow reads text, profiles and EXIF on its way to the pixels, and fails on odd or large ones. Decoders get
only what the pixels need, so metadata can neither fail a decode nor be decompressed by it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import BinaryIO

Part = bytes | tuple[int, int]
"""Literal bytes, or (offset, length) in the original file."""


def joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The same parts, with adjacent file ranges merged, which keeps the list short for many chunks."""
    result: list[Part] = []
    for part in parts:
        last = result[-1] if result else b""
        if isinstance(part, tuple) and isinstance(last, tuple) and sum(last) == part[0]:
            result[-1] = (last[0], last[1] + part[1])
        else:
            result.append(part)
    return tuple(result)


def open_parts(fp: BinaryIO, parts: Iterable[Part]) -> io.BufferedReader:
    """A readable, seekable file of the parts. Reading moves the position of `fp`; closing leaves `fp`
    open."""
    return io.BufferedReader(_Parts(fp, parts))


class _Parts(io.RawIOBase):
    def __init__(self, fp: BinaryIO, parts: Iterable[Part]) -> None:
        self._fp = fp
        self._parts: list[tuple[int, int, Part]] = []  # start and end in this file, and the part
        self._size = self._position = 0
        for part in parts:
            length = len(part) if isinstance(part, bytes) else part[1]
            self._parts.append((self._size, self._size + length, part))
            self._size += length

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read from the part at the position. Returns 0 at the end, also if the file was shortened
        meanwhile."""
        for start, end, part in self._parts:
            if start <= self._position < end:
                offset = self._position - start
                count = min(len(buffer), end - self._position)
                if isinstance(part, bytes):
                    data = part[offset : offset + count]
                else:
                    self._fp.seek(part[0] + offset)
                    data = self._fp.read(count)
                buffer[: len(data)] = data
                self._position += len(data)
                return len(data)
        return 0
