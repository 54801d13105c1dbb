"""Archives: what is written can be read everywhere, and nothing but that is read."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zlib

import pytest
from archives import Entry, archive, members, packed
from hypothesis import given, settings
from hypothesis import strategies as st

from avatarforge.forge.export.archive import (
    MOST_MEMBERS,
    ArchiveReader,
    InvalidArchive,
    NewMember,
    archive_size,
    directory,
    local_header,
)

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789./-", min_size=1, max_size=40)
FILES = st.dictionaries(NAMES, st.binary(max_size=2000), max_size=6)
LIMIT = 1_000_000


def write(files: dict[str, bytes]) -> bytes:
    listed = [NewMember(name, len(data), zlib.crc32(data)) for name, data in files.items()]
    body = b"".join(local_header(item) + files[item.name] for item in listed)
    written = body + directory(listed)
    assert len(written) == archive_size(listed)
    return written


def read(data: bytes, limit: int = LIMIT) -> dict[str, bytes]:
    reader = ArchiveReader(io.BytesIO(data), limit)
    return {name: reader.read(name, limit) for name in reader.members}


@settings(deadline=None, max_examples=50)
@given(files=FILES)
def test_what_is_written_is_read_by_us_and_by_python(files: dict[str, bytes]) -> None:
    written = write(files)
    assert read(written) == files == members(written)
    assert write(files) == written


@pytest.mark.parametrize("deflate", [False, True])
def test_what_other_programs_pack_is_read(deflate: bool) -> None:
    files = {"manifest.json": b'{"a": 1}' * 100, "files/a.png": bytes(range(256)) * 100}
    assert read(packed(files, deflate=deflate)) == files


ZIP64 = struct.pack("<2HQ", 1, 8, 2)
HOSTILE = {
    "nothing": b"",
    "no archive": b"x" * 100,
    "a comment": archive(Entry())[:-2] + b"\x01\x00x",
    "something after it": archive(Entry(), after=b"x" * 22),
    "something before it": b"MZ" + archive(Entry()),
    "fewer members than it says": archive(Entry(), count=2),
    "more members than it says": archive(Entry(), Entry("b"), count=1),
    "too many members": archive(count=MOST_MEMBERS + 1),
    "a directory elsewhere": archive(Entry(), shift=-1),
    "encrypted": archive(Entry(flags=1)),
    "encrypted as a whole": archive(Entry(flags=0x2000)),
    "a patch": archive(Entry(flags=0x20)),
    "another method": archive(Entry(method=12)),
    "a link": archive(Entry(mode=stat.S_IFLNK | 0o777)),
    "a folder": archive(Entry("files/", b"", mode=stat.S_IFDIR | 0o755)),
    "a device": archive(Entry(mode=stat.S_IFCHR | 0o644)),
    "the same name twice": archive(Entry(), Entry()),
    "an empty name": archive(Entry("")),
    "a long name": archive(Entry("a" * 101)),
    "a name in another script": archive(Entry("mänifest.json")),
    "a name with a zero": archive(Entry("manifest.json\0.png")),
    "another name in its own header": archive(Entry(local={"name": "manifest.jsoN"})),
    "another method in its own header": archive(Entry(local={"method": 8})),
    "encrypted in its own header": archive(Entry(local={"flags": 1})),
    "zip64": archive(Entry(extra=ZIP64)),
    "zip64 in the place of the end of its last member": archive(
        Entry(extra=struct.pack("<2H", 0x9999, 20) + b"PK\x06\x07" + b"\0" * 16)
    ),
    "another name besides": archive(Entry(extra=struct.pack("<2H", 0x7075, 6) + b"\x01\0\0\0\0b")),
    "a comment of a member": archive(Entry(comment=b"x")),
    "another disk": archive(Entry(disk=1)),
    "members that overlap": archive(Entry("a", b"x" * 50), Entry("a", b"x" * 50, offset=0)),
    "one member under two names": archive(Entry("a", b"x" * 50), Entry("b", b"x" * 50, offset=0)),
    "a member outside": archive(Entry(offset=10_000)),
    "a member that goes on": archive(Entry(size=5000, stored=5000)),
    "another size than stored": archive(Entry(size=1)),
    "sizes of four gigabytes": archive(Entry(size=2**32 - 1, stored=2**32 - 1)),
    "bytes of another checksum": archive(Entry(crc=7)),
    "more than the limit": archive(Entry(data=b"x" * (LIMIT + 1))),
    "a directory of noise": archive(Entry())[:-60] + b"\0" * 38 + archive(Entry())[-22:],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_plain_archive_is_refused(name: str) -> None:
    with pytest.raises(InvalidArchive, match=r"^[A-Za-z].*\.$"):
        read(HOSTILE[name])


def bomb(claimed: int) -> bytes:
    """Deflated zeros, a thousand times smaller than they are, that claim to be `claimed` bytes."""
    return archive(Entry(data=b"\0" * 20_000_000, method=8, size=claimed))


@pytest.mark.parametrize("claimed", [20_000_000, 900_000, 10])
def test_a_bomb_is_refused_before_it_goes_off(claimed: int) -> None:
    data = bomb(claimed)
    assert len(data) < 30_000
    tracemalloc.start()
    with pytest.raises(InvalidArchive):
        read(data, 100_000_000 if claimed > LIMIT else LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_damaged_bytes_are_refused_or_read_as_they_were(data: st.DataObject) -> None:
    files = {"manifest.json": b"{}" * 20, "files/a.png": b"abc" * 30}
    damaged = bytearray(write(files))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(damaged))
    except InvalidArchive:
        return
    assert sorted(found.values()) == sorted(files.values())
