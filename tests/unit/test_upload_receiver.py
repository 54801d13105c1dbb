"""Uploads on their way in: what is known costs nothing more, what runs at once, what is left of a failure."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from disks import FailingDisk
from pictures import picture
from services import Product, product

from avatarforge.forge.errors import RejectedUploadError, UnavailableError
from avatarforge.forge.store import upload_receiver
from avatarforge.forge.store.blobs import Incoming
from avatarforge.forge.store.disk import Disk
from avatarforge.forge.store.files import Received
from avatarforge.forge.store.inspect import inspect_file


async def pieces(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def receive(forge: Product, data: bytes, **how: Any) -> Received:
    return await forge.files.receive(pieces(data), "a.png", **how)


def counting(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    seen: list[Path] = []
    really = inspect_file

    def look(path: Path, limits: Any) -> Any:
        seen.append(path)
        return really(path, limits)

    monkeypatch.setattr(upload_receiver, "inspect_file", look)
    return seen


async def test_a_known_content_is_not_looked_into_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = counting(monkeypatch)
    async with product(tmp_path) as forge:
        first = await receive(forge, picture())
        assert len(seen) == 1
        again = await receive(forge, picture())
        assert (again.file.id, again.is_duplicate, len(seen)) == (first.file.id, True, 1)


@pytest.mark.parametrize("found", [b"", b"altered", None])
async def test_altered_or_lost_bytes_are_put_right_by_the_same_upload(
    tmp_path: Path, found: bytes | None
) -> None:
    async with product(tmp_path) as forge:
        path = forge.files.path((await receive(forge, picture())).file)
        altered = found and found + picture()[len(found) :]  # as long as it was
        path.unlink() if altered is None else path.write_bytes(altered)
        assert (await receive(forge, picture())).is_duplicate
        assert path.read_bytes() == picture()
        assert list(forge.blobs.incoming.iterdir()) == []


async def test_what_comes_in_many_batches_is_stored_byte_for_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_receiver, "WRITE_SIZE", 10_000)
    monkeypatch.setattr(
        upload_receiver, "LARGE", 10_000
    )  # so that it is checked and pushed to the disk at once
    data = picture(1, (300, 300))
    async with product(tmp_path) as forge:
        record = (await forge.files.receive(pieces(data, 777), "a.png")).file
        assert record.content_hash == hashlib.sha256(data).hexdigest()
        assert forge.files.path(record).read_bytes() == data
        with pytest.raises(RejectedUploadError):
            await receive(forge, data[:-20])
        assert list(forge.blobs.incoming.iterdir()) == []


async def test_a_content_that_is_not_the_announced_one_is_refused(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        known = (await receive(forge, picture())).file
        with pytest.raises(RejectedUploadError, match="announced"):
            await receive(forge, picture(1), announced=known.content_hash)
        assert (await receive(forge, picture(), announced=known.content_hash)).file.id == known.id
        assert (await forge.health.measure()).stored_files == 1


async def test_a_disk_that_fails_while_the_picture_is_checked_is_not_the_pictures_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FailingDisk()
    monkeypatch.setattr(upload_receiver, "LARGE", 1)
    async with product(tmp_path, disk=disk) as forge:
        disk.broken = ("sync", errno.EIO)
        with pytest.raises(UnavailableError, match="Input/output error"):
            await receive(forge, picture())
        assert list(forge.blobs.incoming.iterdir()) == []


async def test_at_most_two_pngs_and_one_other_picture_are_looked_into_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, lock = inspect_file, threading.Lock()
    inside: dict[str, int] = {"check": 0, "decode": 0}
    most = dict(inside)

    def look(path: Path, limits: Any) -> Any:
        pool = "check" if "check" in threading.current_thread().name else "decode"
        with lock:
            inside[pool] += 1
            most[pool] = max(most[pool], inside[pool])
        try:
            return really(path, limits)
        finally:
            with lock:
                inside[pool] -= 1

    monkeypatch.setattr(upload_receiver, "inspect_file", look)
    async with product(tmp_path) as forge:
        pictures = [picture(n, (200, 200), kind) for n in range(8) for kind in ("PNG", "JPEG")]
        await asyncio.gather(*(receive(forge, data) for data in pictures))
    assert 1 <= most["check"] <= 2
    assert most["decode"] == 1


def test_two_threads_may_need_the_same_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "ab"
    really = Path.is_dir

    def late(path: Path) -> bool:
        found = really(path)
        if path == target and not found:
            target.mkdir()  # the other thread comes between the look and the making
        return found

    monkeypatch.setattr(Path, "is_dir", late)
    Disk().make_folder(target)
    assert really(target)


async def test_many_uploads_at_once_gather_no_more_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_receiver, "WRITE_SIZE", 4000)
    monkeypatch.setattr(upload_receiver, "GATHERED", 8000)
    written: list[int] = []
    write = Incoming.write

    def note(incoming: Incoming, *chunks: bytes) -> None:
        written.append(sum(map(len, chunks)))
        write(incoming, *chunks)

    monkeypatch.setattr(Incoming, "write", note)
    data = picture(1, (100, 100))
    async with product(tmp_path) as forge, AsyncExitStack() as held:
        await forge.files.receive(pieces(data, 500), "a.png")
        assert max(written) == 4000
        written.clear()
        for _ in range(8):
            await held.enter_async_context(forge.workers.uploads.take())
        await forge.files.receive(pieces(data, 500), "a.png")
        assert max(written) == 1000
