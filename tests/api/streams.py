"""Event streams and the states of generations, as a client reads them over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import sse
from aiohttp import ClientResponse
from services import Product

from avatarforge.routes import PREFIX

from .conftest import Client, generate


class Stream:
    """What has come so far of an event stream."""

    def __init__(self, answer: ClientResponse) -> None:
        self.answer = answer
        self._lines: list[str] = []

    async def next(self) -> sse.Event:
        """The next event. pytest's own timeout bounds the wait."""
        while True:
            line = (await self.answer.content.readline()).decode()
            assert line.endswith("\n"), "the stream has ended"
            self._lines.append(line.removesuffix("\n"))
            if line == "\n":
                received = list(sse.read(self._lines))
                self._lines.clear()
                if received:
                    return received[0]

    async def until(self, kind: str) -> list[sse.Event]:
        """The events up to the first of this kind."""
        found = [await self.next()]
        while found[-1].kind != kind:
            found.append(await self.next())
        return found


@asynccontextmanager
async def streaming(client: Client, path: str, **options: Any) -> AsyncIterator[Stream]:
    answer = await client.get(PREFIX + path, **options)
    assert answer.status == 200, await answer.text()
    try:
        yield Stream(answer)
    finally:
        answer.close()


async def look(client: Client, generation_id: str, query: str = "") -> dict[str, Any]:
    answer = await client.get(f"{PREFIX}/generations/{generation_id}{query}")
    assert answer.status == 200, await answer.text()
    body: dict[str, Any] = await answer.json()
    return body


def sampler(forge: Product, prompt_id: str) -> str:
    (key,) = (key for key, node in forge.host.prompts[prompt_id].items() if node["class_type"] == "KSampler")
    return key


async def started(forge: Product, client: Client, **body: Any) -> tuple[str, str]:
    """(generation id, sampler's node id) of a generation that runs."""
    generation_id = (await generate(client, **body))["generation_id"]
    forge.host.start(generation_id)
    await forge.until(generation_id, "processing")
    async with streaming(client, f"/generations/{generation_id}/events") as stream:
        state = await stream.next()
        if state.data["status"] == "queued":
            await stream.until("started")
    return generation_id, sampler(forge, generation_id)
