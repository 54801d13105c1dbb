"""Uploads that stall, drip, break off or come all at once: each frees its temp file, descriptor and slot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from pictures import picture
from services import Product

from avatarforge.forge.errors import BusyError
from avatarforge.forge.workers import Slots
from avatarforge.routes import PREFIX, reading

from .conftest import Client

HEAD = (
    f"POST {PREFIX}/upload/pose_image HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    "Content-Type: multipart/form-data; boundary=b\r\n"
)
START = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
DESCRIPTORS = Path("/proc/self/fd")
COUNTED = int(DESCRIPTORS.is_dir())


def descriptors() -> int:
    """Open temp files of this process; 0 where the system does not tell."""
    if not COUNTED:
        return 0
    found = 0
    for entry in DESCRIPTORS.iterdir():
        try:
            found += str(entry.readlink()).endswith(".part")
        except OSError:
            continue  # it was the folder's own
    return found


def temporary(forge: Product) -> list[Path]:
    return list((forge.blobs.folder / "incoming").iterdir())


async def until(reached: Callable[[], bool]) -> None:
    """Give the loop away until it is so; pytest's own timeout bounds this."""
    while True:
        if reached():
            return
        await asyncio.sleep(0.005)


@asynccontextmanager
async def connection(client: Client) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def status_of(reader: asyncio.StreamReader) -> tuple[int, str]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    return int(head.split()[1]), head


@pytest.mark.parametrize("sent", [b"", START, START + bytes(3_000_000)], ids=["nothing", "head", "3 MB"])
async def test_an_upload_that_stalls_ends_with_408_and_leaves_nothing(
    client: Client, forge: Product, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(reading, "STALL_SECONDS", 0.3)
    async with connection(client) as (reader, writer):
        writer.write(f"{HEAD}Content-Length: 5000000\r\n\r\n".encode() + sent)
        if len(sent) > 1000:
            await until(lambda: temporary(forge) != [])
        status, head = await status_of(reader)
        assert status == 408
        assert "connection: close" in head.lower()
        body = json.loads(await reader.read(1000))
        assert ("too slowly" in body["detail"], body["code"]) == (True, "body_too_slow")
    await until(lambda: forge.workers.uploads.taken == 0)
    assert temporary(forge) == []
    assert descriptors() == 0


async def test_an_upload_that_drips_ends_too(
    client: Client, forge: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "STALL_SECONDS", 0.5)
    async with connection(client) as (reader, writer):
        writer.write(f"{HEAD}Content-Length: 5000000\r\n\r\n".encode() + START)
        answered = asyncio.ensure_future(status_of(reader))
        sent = 0
        while not answered.done():
            writer.write(b"x")
            sent += 1
            await asyncio.wait({answered}, timeout=0.05)
        assert (await answered)[0] == 408
        assert sent > 5  # each byte came in time; together they were too slow


async def test_a_json_body_that_stalls_ends_with_408(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STALL_SECONDS", 0.3)
    async with connection(client) as (reader, writer):
        head = HEAD.replace("/upload/pose_image", "/generate/avatar").replace(
            "multipart/form-data; boundary=b", "application/json"
        )
        writer.write(f"{head}Content-Length: 500\r\n\r\n{{".encode())
        assert (await status_of(reader))[0] == 408


async def test_our_own_slowness_is_not_counted_against_the_client(
    client: Client, forge: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "STALL_SECONDS", 0.5)
    monkeypatch.setattr(reading, "MIN_RATE", 10**9)
    really = forge.workers.disk

    async def slow(function: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(function, "__name__", "") == "write":
            await asyncio.sleep(0.4)
        return await really(function, *args, **kwargs)

    monkeypatch.setattr(forge.workers, "disk", slow)
    data = picture(1, (1000, 1200))
    assert len(data) > 3 * 1024 * 1024
    form = FormData()
    form.add_field("file", data, filename="a.png")
    answer = await client.post(f"{PREFIX}/upload/pose_image", data=form)
    assert answer.status == 200, await answer.text()


@pytest.mark.parametrize("framing", ["Content-Length: 5000000", "Transfer-Encoding: chunked"])
async def test_a_client_that_breaks_off_leaves_nothing(client: Client, forge: Product, framing: str) -> None:
    body = START + bytes(3_000_000)
    async with connection(client) as (_, writer):
        chunk = f"{len(body):x}\r\n".encode() if "chunked" in framing else b""
        writer.write(f"{HEAD}{framing}\r\n\r\n".encode() + chunk + body)
        await until(lambda: temporary(forge) != [] and temporary(forge)[0].stat().st_size > 2_000_000)
        assert forge.workers.uploads.taken == 1
        assert descriptors() == COUNTED
        writer.transport.abort()
    await until(lambda: forge.workers.uploads.taken == 0)
    assert temporary(forge) == []
    assert descriptors() == 0
    assert (await forge.health.measure()).stored_files == 0


async def test_uploads_take_turns_and_too_many_are_told_to_come_again(client: Client, forge: Product) -> None:
    forge.workers.uploads = slots = Slots(2, 1)
    async with connection(client) as item, connection(client) as two, connection(client) as three:
        for _, writer in (item, two, three):
            writer.write(f"{HEAD}Content-Length: 5000000\r\n\r\n".encode() + START)
        await until(lambda: (slots.taken, slots.waiting) == (2, 1))
        form = FormData()
        form.add_field("file", picture(), filename="a.png")
        answer = await client.post(f"{PREFIX}/upload/pose_image", data=form)
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        body = await answer.json()
        assert ("Too many uploads" in body["detail"], body["code"]) == (True, "busy")
        assert (await client.get(f"{PREFIX}/health")).status == 200
    await until(lambda: slots.taken == 0)
    form = FormData()
    form.add_field("file", picture(), filename="a.png")
    assert (await client.post(f"{PREFIX}/upload/pose_image", data=form)).status == 200


async def test_large_json_bodies_take_turns(client: Client, forge: Product) -> None:
    forge.workers.large_bodies = slots = Slots(1, 0)
    head = HEAD.replace("/upload/pose_image", "/generate/avatar").replace(
        "multipart/form-data; boundary=b", "application/json"
    )
    async with connection(client) as (_, writer):
        writer.write(f"{head}Content-Length: {reading.LARGE_BODY + 1}\r\n\r\n{{".encode())
        await until(lambda: slots.taken == 1)
        large = {"prompt": "x", "pose_image": "A" * (reading.LARGE_BODY + 1)}
        assert (await client.post(f"{PREFIX}/generate/avatar", json=large)).status == 503
        assert (await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "x"})).status == 200
    await until(lambda: slots.taken == 0)


async def test_slots_go_in_the_order_of_arrival_and_come_back_when_a_client_goes_away() -> None:
    slots = Slots(1, 10)
    order: list[int] = []
    leave = asyncio.Event()

    async def come(number: int) -> None:
        async with slots.take():
            order.append(number)
            if number == 0:
                await leave.wait()

    tasks = []
    for number in range(6):
        tasks.append(asyncio.ensure_future(come(number)))
        await asyncio.sleep(0)
    tasks[3].cancel()
    await asyncio.sleep(0)
    assert (slots.taken, slots.waiting) == (1, 4)
    leave.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [0, 1, 2, 4, 5]
    assert (slots.taken, slots.waiting) == (0, 0)
    full = Slots(1, 0)
    async with full.take():
        with pytest.raises(BusyError):
            async with full.take():
                pass


async def test_two_hundred_uploads_of_fifty_clients_all_arrive(client: Client, forge: Product) -> None:
    waiting = iter(range(200))
    seen: list[str] = []
    most = 0

    async def one_client() -> None:
        nonlocal most
        for number in waiting:
            form = FormData()
            form.add_field("file", picture(number), filename="a.png")
            answer = await client.post(f"{PREFIX}/upload/pose_image", data=form)
            assert answer.status == 200, await answer.text()
            most = max(most, forge.workers.uploads.taken)
            seen.append((await answer.json())["file_id"])

    await asyncio.gather(*[one_client() for _ in range(50)])
    assert len(set(seen)) == 200
    assert (await forge.health.measure()).stored_files == 200
    assert most <= 32
    assert temporary(forge) == []
