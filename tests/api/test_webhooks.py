"""Webhooks, sent to a receiver on this machine."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from services import Product, product
from standardwebhooks import Webhook

from avatarforge.db import webhooks as queries
from avatarforge.forge.errors import UnprocessableError
from avatarforge.forge.ports import PromptEvent
from avatarforge.forge.settings import Settings
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.webhooks.delivery import Deliveries, SendingError
from avatarforge.forge.webhooks.signature import read_secret
from avatarforge.forge.webhooks.targets import Targets
from avatarforge.routes import webhook_sender
from avatarforge.routes.webhook_sender import REFUSED, WebhookSender

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
SETTINGS = Settings(webhook_hosts="127.0.0.1", webhook_secret=SECRET, webhook_allow_private=True)
INSIDE = Targets(("127.0.0.1", "localhost", "hook.example"), True)


@dataclass
class Message:
    headers: dict[str, str]
    body: str


class Receiver:
    """Answers with the statuses it was given, then with 200."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.statuses: list[int] = []
        self.answer: Callable[[web.Request], Any] | None = None
        self.server: TestServer

    @property
    def url(self) -> str:
        return str(self.server.make_url("/hook"))

    async def take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.messages.put_nowait(Message(headers, await request.text()))
        if self.answer is not None:
            answer: web.StreamResponse = await self.answer(request)
            return answer
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def receiver(aiohttp_server: Any) -> Receiver:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{tail:.*}", receiver.take)
    receiver.server = await aiohttp_server(app)
    return receiver


@asynccontextmanager
async def delivering(forge: Product, targets: Targets = INSIDE, tries: int = 3) -> AsyncIterator[Deliveries]:
    delays = (0.01,) * (tries - 1)
    deliveries = Deliveries(forge.database, WebhookSender(targets), targets, read_secret(SECRET), delays)
    forge.live.on_end(deliveries.wake)
    task = asyncio.create_task(deliveries.run())
    try:
        yield deliveries
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def submit(forge: Product, url: str) -> str:
    record = await forge.generations.submit(AvatarRequest("a knight", callback_url=url), "avatar", None)
    return record.id


async def emptied(forge: Product) -> None:
    while await forge.database.read(queries.count):
        pass  # every look gives the loop away


async def test_a_completed_generation_is_told_and_signed(tmp_path: Path, receiver: Receiver) -> None:
    async with product(tmp_path, settings=SETTINGS) as forge, delivering(forge):
        generation_id = await submit(forge, receiver.url)
        forge.host.succeed(generation_id)
        message = await receiver.messages.get()
        await emptied(forge)
    received = Webhook(SECRET).verify(message.body, message.headers)
    assert received["type"] == "generation.completed"
    assert received["data"]["generation_id"] == generation_id
    assert [item["pose_type"] for item in received["data"]["output_files"]] == ["front"]
    assert received["timestamp"] == received["data"]["completed_at"]
    assert message.headers["content-type"] == "application/json"


async def test_a_failed_generation_is_told_too(tmp_path: Path, receiver: Receiver) -> None:
    async with product(tmp_path, settings=SETTINGS) as forge, delivering(forge):
        generation_id = await submit(forge, receiver.url)
        forge.host.start(generation_id)
        forge.host.end(PromptEvent("failed", generation_id, "out of cheese"))
        received = json.loads((await receiver.messages.get()).body)
    assert (received["type"], received["data"]["status"]) == ("generation.failed", "failed")
    assert received["data"]["error"] == "out of cheese"


async def test_a_message_that_was_not_taken_is_sent_again_as_the_same_one(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.statuses = [500, 302]
    async with product(tmp_path, settings=SETTINGS) as forge, delivering(forge):
        forge.host.succeed(await submit(forge, receiver.url))
        first, second, third = [await receiver.messages.get() for _ in range(3)]
        await emptied(forge)
    assert {message.headers["webhook-id"] for message in (first, second, third)} == {
        first.headers["webhook-id"]
    }
    assert first.body == second.body == third.body
    Webhook(SECRET).verify(third.body, third.headers)


async def test_what_could_not_be_sent_is_sent_after_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    async with product(tmp_path, settings=SETTINGS) as forge:
        generation_id = await submit(forge, receiver.url)
        forge.host.succeed(generation_id)
        await forge.until(generation_id, "completed")
        # Nobody sends, but it is committed with the end.
        assert await forge.database.read(queries.count) == 1
    async with product(tmp_path, settings=SETTINGS) as forge, delivering(forge):
        received = json.loads((await receiver.messages.get()).body)
        await emptied(forge)
    assert received["data"]["generation_id"] == generation_id


@pytest.mark.parametrize(("statuses", "sent"), [([500] * 9, 3), ([410] * 9, 1)])
async def test_it_is_given_up_in_the_end_and_at_once_when_the_receiver_wants_no_more(
    tmp_path: Path, receiver: Receiver, statuses: list[int], sent: int, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.statuses = statuses
    async with product(tmp_path, settings=SETTINGS) as forge, delivering(forge, tries=3):
        forge.host.succeed(await submit(forge, receiver.url + "?token=hunter2"))
        await receiver.messages.get()
        await emptied(forge)
    assert 1 + receiver.messages.qsize() == sent
    assert f"is given up: it answered {statuses[0]}" in caplog.text
    assert "hunter2" not in caplog.text


async def test_hosts_that_are_no_longer_listed_are_not_called(tmp_path: Path, receiver: Receiver) -> None:
    async with product(tmp_path, settings=SETTINGS) as forge, delivering(forge, Targets((), True)):
        generation_id = await submit(forge, receiver.url)
        forge.host.succeed(generation_id)
        await forge.until(generation_id, "completed")
        await emptied(forge)
    assert receiver.messages.empty()


async def test_webhooks_are_off_by_default(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        with pytest.raises(UnprocessableError, match="Webhooks are off"):
            await submit(forge, "https://example.org/hook")
        assert forge.host.submitted == []


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    receiver.answer = elsewhere
    assert await WebhookSender(INSIDE).send(receiver.url, {}, "{}") == 307
    assert receiver.messages.qsize() == 1


async def test_an_endless_answer_is_not_read(receiver: Receiver) -> None:
    left = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        finally:
            left.set()

    receiver.answer = endless
    assert await WebhookSender(INSIDE).send(receiver.url, {}, "{}") == 200
    await left.wait()


async def test_a_receiver_that_never_answers_is_left(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = asyncio.Event()

    async def never(request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    receiver.answer = never
    monkeypatch.setattr(webhook_sender, "SECONDS", 0.2)
    with pytest.raises(SendingError, match="no answer within"):
        await WebhookSender(INSIDE).send(receiver.url, {}, "{}")
    release.set()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "169.254.169.254", "[::ffff:127.0.0.1]"])
async def test_addresses_inside_are_refused_by_name_and_by_number(host: str) -> None:
    sender = WebhookSender(Targets((host,), False))
    with pytest.raises(SendingError, match=REFUSED):
        await sender.send(f"https://{host}:1/", {}, "{}")


def answers(*addresses: str) -> Callable[..., list[Any]]:
    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        kind = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, ""
        return [(*kind, (address, port)) for address in addresses]

    return getaddrinfo


async def test_the_address_that_was_looked_at_is_the_one_that_is_called(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested = []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        requested.append(host)
        # A second answer would lead elsewhere, as in DNS rebinding.
        return answers("127.0.0.1" if len(requested) == 1 else "127.0.0.2")(host, port)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert await WebhookSender(INSIDE).send(f"http://hook.example:{receiver.server.port}/", {}, "{}") == 200
    assert requested == ["hook.example"]
    assert (await receiver.messages.get()).headers["host"] == f"hook.example:{receiver.server.port}"


async def test_one_bad_address_among_good_ones_refuses_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("127.0.0.1", "169.254.169.254"))
    with pytest.raises(SendingError, match=REFUSED):
        await WebhookSender(INSIDE).send("http://hook.example/", {}, "{}")


async def test_a_proxy_of_the_environment_does_not_stand_in_between(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert await WebhookSender(INSIDE).send(receiver.url, {}, "{}") == 200


async def test_what_cannot_be_reached_is_said_without_the_url() -> None:
    with pytest.raises(SendingError) as caught:
        await WebhookSender(INSIDE).send("http://127.0.0.1:1/hook?token=hunter2", {}, "{}")
    assert str(caught.value) == "it cannot be reached"


async def test_a_full_outbox_leaves_a_message_out_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("avatarforge.forge.webhooks.outbox.MOST", 0)
    async with product(tmp_path, settings=SETTINGS) as forge:
        generation_id = await submit(forge, "http://127.0.0.1:1/hook")
        forge.host.succeed(generation_id)
        await forge.until(generation_id, "completed")
        assert await forge.database.read(partial(queries.due, now=2**62, limit=1)) == []
    assert "is left out" in caplog.text
