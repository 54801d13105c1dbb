"""Writes and reads zip archives (PKWARE APPNOTE 6.3.10), reading only what such a file needs.

Python's `zipfile` reads much more than that: comments, ZIP64, data before the archive, headers that
contradict each other, and as many entries as fit into the file, all in memory. A file of a stranger can use
each of these.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

PIECE = 256 * 1024
MOST_MEMBERS = 4_096
LONGEST_NAME = 100  # bytes
#: Bytes of the fields with which archivers note times and owners.
LONGEST_EXTRA = 256
#: A member may have so many times the bytes that it takes in the archive: text seldom reaches 50.
MOST_RATIO = 100

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_LOCATOR_MARK, _LOCATOR_SIZE = b"PK\x06\x07", 20  # of ZIP64's own end
_STORED, _DEFLATED = 0, 8
# How hard a member was deflated, that its sizes follow it, and that its name is in UTF-8.
_ALLOWED_FLAGS = 0x0002 | 0x0004 | 0x0008 | 0x0800
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
#: Extra fields that contradict what the directory says: sizes of ZIP64, and another name.
_ZIP64, _OTHER_NAME = 0x0001, 0x7075
_UNIX = 3
_FIRST_DAY = 0x0021  # 1980-01-01, the first day that the format knows


class InvalidArchive(ValueError):
    """The archive cannot be read; the message is a sentence for its author."""


@dataclass(frozen=True)
class NewMember:
    """A member to write. `crc` is the CRC-32 of its `size` bytes."""

    name: str
    size: int
    crc: int


@dataclass(frozen=True)
class Member:
    """A member of an archive. `start` is the offset of its data, which takes `stored` bytes there and has
    `size`."""

    name: str
    method: int
    crc: int
    stored: int
    size: int
    offset: int
    start: int = 0


def archive_size(members: Iterable[NewMember]) -> int:
    """The bytes of an archive of these members."""
    per_name = _LOCAL.size + _CENTRAL.size
    return _END.size + sum(per_name + 2 * len(member.name) + member.size for member in members)


def local_header(member: NewMember) -> bytes:
    """What stands before the bytes of a member, which are written as they are. Without a time, so that the
    same members make the same archive."""
    name = member.name.encode("ascii")
    fields = (10, 0, _STORED, 0, _FIRST_DAY, member.crc, member.size, member.size, len(name), 0)
    return _LOCAL.pack(_LOCAL_MARK, *fields) + name


def directory(members: Sequence[NewMember]) -> bytes:
    """The end of an archive of these members, in the order in which they were written."""
    entries, offset = [], 0
    for member in members:
        name = member.name.encode("ascii")
        made_by, mode = _UNIX << 8 | 20, (stat.S_IFREG | 0o644) << 16
        head = (made_by, 10, 0, _STORED, 0, _FIRST_DAY, member.crc, member.size, member.size)
        entries.append(_CENTRAL.pack(_CENTRAL_MARK, *head, len(name), 0, 0, 0, 0, mode, offset) + name)
        offset += _LOCAL.size + len(name) + member.size
    listed = b"".join(entries)
    count = len(members)
    return listed + _END.pack(_END_MARK, 0, 0, count, count, len(listed), offset, 0)


class ArchiveWriter:
    """What stands between the bytes of the members of an archive, which are written in the order in which
    they are added."""

    def __init__(self) -> None:
        self._members: list[NewMember] = []

    def add(self, name: str, size: int, crc: int) -> bytes:
        """What stands before the bytes of a member."""
        member = NewMember(name, size, crc)
        self._members.append(member)
        return local_header(member)

    def end(self) -> bytes:
        """What follows the last member."""
        return directory(self._members)


class ArchiveReader:
    """The members of an archive, by name. Everything here blocks. One thread reads at a time."""

    def __init__(self, file: BinaryIO, most_bytes: int) -> None:
        """Read the directory. `most_bytes` limits the bytes of all members together. Raises InvalidArchive,
        and OSError if the disk fails."""
        self._file = file
        self.members: Mapping[str, Member] = self._read_directory(most_bytes)

    def read(self, name: str, most_bytes: int) -> bytes:
        """A member as a whole. Raises InvalidArchive."""
        if self.members[name].size > most_bytes:
            raise InvalidArchive(f"{name} has {self.members[name].size} bytes; the limit is {most_bytes}.")
        return b"".join(self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a member. Raises InvalidArchive if they are not those that the directory promises."""
        member = self.members[name]
        total = crc = 0
        for piece in self._inflated(member) if member.method == _DEFLATED else self._stored(member):
            total += len(piece)
            crc = zlib.crc32(piece, crc)
            if total > member.size:
                break
            yield piece
        if (total, crc) != (member.size, member.crc):
            raise InvalidArchive(f"{name} is damaged: its bytes are not those that the archive promises.")

    def _stored(self, member: Member) -> Iterator[bytes]:
        at, end = member.start, member.start + member.stored
        while at < end:
            # Somebody else may read on between two pieces.
            self._file.seek(at)
            piece = self._file.read(min(PIECE, end - at))
            if not piece:
                return
            at += len(piece)
            yield piece

    def _inflated(self, member: Member) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for piece in self._stored(member):
                waiting = piece
                while waiting and not inflater.eof:
                    yield inflater.decompress(waiting, PIECE)
                    waiting = inflater.unconsumed_tail
            while not inflater.eof:
                rest = inflater.decompress(inflater.unconsumed_tail, PIECE)
                if not rest:
                    return
                yield rest
        except zlib.error as error:
            raise InvalidArchive(f"{member.name} is damaged: it cannot be decompressed.") from error

    def _read_directory(self, most_bytes: int) -> dict[str, Member]:
        size = self._file.seek(0, os.SEEK_END)
        if size < _END.size:
            raise InvalidArchive("It is too short for a zip archive.")
        end = _END.unpack(self._read_at(size - _END.size, _END.size))
        mark, disk, first_disk, here, count, listed, offset, comment = end
        if mark != _END_MARK or comment:
            raise InvalidArchive("It is no zip archive, or something follows its end.")
        if disk or first_disk or here != count:
            raise InvalidArchive("It is a part of a split archive.")
        if count > MOST_MEMBERS:
            raise InvalidArchive(f"It has {count} members; the limit is {MOST_MEMBERS}.")
        if offset + listed != size - _END.size or listed > count * (
            _CENTRAL.size + LONGEST_NAME + LONGEST_EXTRA
        ):
            raise InvalidArchive("Its directory does not lie where its end says.")
        listing = self._read_at(offset, listed)
        if listing[-_LOCATOR_SIZE:].startswith(_LOCATOR_MARK):
            # Other readers would take another directory, where this says it lies.
            raise InvalidArchive("It uses ZIP64, which no file of this size needs.")
        members = _entries(listing, count)
        if sum(member.size for member in members) > most_bytes:
            raise InvalidArchive(f"Its members have more than {most_bytes} bytes together.")
        placed = self._place(members, offset)
        found = {member.name: member for member in placed}
        if len(found) < len(placed):
            raise InvalidArchive("Two of its members have the same name.")
        return found

    def _place(self, members: Sequence[Member], end: int) -> list[Member]:
        """The members with the offsets of their data, which must not overlap."""
        placed, free_from = [], 0
        for member in sorted(members, key=lambda item: item.offset):
            if member.offset < free_from or member.offset + _LOCAL.size > end:
                raise InvalidArchive("Its members overlap.")
            mark, _, flags, method, *_, named, extra = _LOCAL.unpack(
                self._read_at(member.offset, _LOCAL.size)
            )
            name = self._read_at(member.offset + _LOCAL.size, min(named, LONGEST_NAME + 1))
            contradicts = (name, method) != (member.name.encode("ascii"), member.method)
            if mark != _LOCAL_MARK or contradicts or flags & ~_ALLOWED_FLAGS:
                raise InvalidArchive(f"{member.name} has two headers that contradict each other.")
            start = member.offset + _LOCAL.size + named + extra
            free_from = start + member.stored
            if free_from > end:
                raise InvalidArchive("Its members overlap.")
            placed.append(Member(**{**vars(member), "start": start}))
        return placed

    def _read_at(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        data = self._file.read(size)
        if len(data) < size:
            raise InvalidArchive("It ends before its last member does.")
        return data


def _entries(data: bytes, count: int) -> list[Member]:
    members, at = [], 0
    for _ in range(count):
        if len(data) - at < _CENTRAL.size:
            raise InvalidArchive("Its directory has fewer members than its end says.")
        fields = _CENTRAL.unpack_from(data, at)
        mark, made_by, _, flags, method, _, _, crc, stored, size, named, extra, comment, disk = fields[:14]
        attributes, offset = fields[15:]
        at += _CENTRAL.size
        raw, extras = data[at : at + named], data[at + named : at + named + extra]
        at += named + extra + comment
        if mark != _CENTRAL_MARK or at > len(data) or comment or disk:
            raise InvalidArchive("Its directory is damaged.")
        name = _name(raw)
        _check_kind(name, flags, method, made_by, attributes)
        fields_of_it = _extra_fields(extras)
        if _ZIP64 in fields_of_it:
            raise InvalidArchive(f"{name} uses ZIP64, which no file of this size needs.")
        if _OTHER_NAME in fields_of_it:
            raise InvalidArchive(f"{name} has another name besides.")
        if (method == _STORED and stored != size) or size > stored * MOST_RATIO + PIECE:
            raise InvalidArchive(f"{name} claims to have {size} bytes in {stored}.")
        members.append(Member(name, method, crc, stored, size, offset))
    if at != len(data):
        raise InvalidArchive("Its directory has more members than its end says.")
    return members


def _name(raw: bytes) -> str:
    try:
        name = raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise InvalidArchive("A member has a name that is not ASCII.") from error
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidArchive(f"The name of a member is empty, longer than {LONGEST_NAME} bytes or not text.")
    return name


def _check_kind(name: str, flags: int, method: int, made_by: int, attributes: int) -> None:
    if flags & _ENCRYPTED:
        raise InvalidArchive(f"{name} is encrypted.")
    if flags & ~_ALLOWED_FLAGS or method not in (_STORED, _DEFLATED):
        raise InvalidArchive(f"{name} is packed in a way that is not read here: store or deflate it.")
    kind = stat.S_IFMT(attributes >> 16) if made_by >> 8 == _UNIX else 0
    if kind not in (0, stat.S_IFREG):
        raise InvalidArchive(f"{name} is a link, a folder or a device.")


def _extra_fields(extras: bytes) -> set[int]:
    """The identifiers of a member's extra fields."""
    found, at = set(), 0
    while at + 4 <= len(extras):
        identifier, size = struct.unpack_from("<2H", extras, at)
        found.add(identifier)
        at += 4 + size
    return found
