"""Zip archives by hand: each field as a test wants it."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

REGULAR = stat.S_IFREG | 0o644


@dataclass(frozen=True)
class Entry:
    """A member. What is None follows from the data."""

    name: str = "manifest.json"
    data: bytes = b"{}"
    method: int = 0
    flags: int = 0
    crc: int | None = None
    stored: int | None = None
    size: int | None = None
    mode: int = REGULAR
    extra: bytes = b""
    comment: bytes = b""
    disk: int = 0
    offset: int | None = None
    local: Mapping[str, object] = field(default_factory=dict)  # what its own header says instead

    @property
    def packed(self) -> bytes:
        if self.method != 8:
            return self.data
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        return packer.compress(self.data) + packer.flush()

    @property
    def numbers(self) -> tuple[int, int, int]:
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        stored = len(self.packed) if self.stored is None else self.stored
        return crc, stored, len(self.data) if self.size is None else self.size


def archive(
    *entries: Entry, before: bytes = b"", after: bytes = b"", count: int | None = None, shift: int = 0
) -> bytes:
    """`count` is the number of members that its end claims, and `shift` what it is wrong by about the
    directory's place."""
    body, listed = before, b""
    for entry in entries:
        offset = len(body) if entry.offset is None else entry.offset
        own = replace(entry, **entry.local)  # type: ignore[arg-type]
        name = own.name.encode()
        head = (20, own.flags, own.method, 0, 33, *own.numbers, len(name), 0)
        body += b"PK\x03\x04" + struct.pack("<5H3L2H", *head) + name + entry.packed
        name = entry.name.encode()
        head = (3 << 8 | 20, 20, entry.flags, entry.method, 0, 33, *entry.numbers, len(name))
        tail = (len(entry.extra), len(entry.comment), entry.disk, 0, entry.mode << 16, offset)
        listed += b"PK\x01\x02" + struct.pack("<6H3L5H2L", *head, *tail) + name + entry.extra + entry.comment
    number = len(entries) if count is None else count
    end = struct.pack("<4H2LH", 0, 0, number, number, len(listed), len(body) + shift, 0)
    return body + listed + b"PK\x05\x06" + end + after


def members(data: bytes) -> dict[str, bytes]:
    """What Python reads in an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(files: Mapping[str, bytes], names: Iterable[str] | None = None, *, deflate: bool = False) -> bytes:
    """An archive as other programs make it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as opened:
        for name in names if names is not None else files:
            opened.writestr(name, files[name])
    return buffer.getvalue()
