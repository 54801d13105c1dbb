"""Server-sent events (HTML Living Standard, 9.2): what happens to generations, as it happens."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from ..forge.errors import NotFoundError
from ..forge.generations.service import GenerationRecord
from ..forge.live.listeners import Listener, PositionLostError
from ..forge.live.log import Event
from . import rendering, requests
from .context import Call, Endpoint

RETRY_MS = 2000
HEARTBEAT = b": still there\n\n"
# A client that takes nothing for so long is cut; it comes back and is told how things stand.
WRITE_SECONDS = 30.0
HELLO_LIMIT = 100
LAST_EVENT_ID = "The id of the last event that was seen: the stream goes on after it."
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # nginx would collect the events otherwise.
    "X-Accel-Buffering": "no",
}


async def generation_events(call: Call) -> web.StreamResponse:
    return await _Stream(call, call.path("generation_id")).serve()


async def all_events(call: Call) -> web.StreamResponse:
    return await _Stream(call, None).serve()


class _Stream:
    def __init__(self, call: Call, topic: str | None) -> None:
        self._call = call
        self._topic = topic
        self._live = call.services.live
        self._log = call.services.live.log
        self._response = web.StreamResponse(headers={**HEADERS, **call.caller.headers})

    async def serve(self) -> web.StreamResponse:
        request = self._call.request
        seen = (
            request.headers.get("Last-Event-ID")
            or self._call.validated_query(requests.EventsQuery).last_event_id
        )
        position = self._log.position(seen)
        first = None
        if position is None:
            position, first = await self._start_over()
        elif self._topic is not None and not self._log.since(position, self._topic):
            await self._call.services.generations.get(self._topic)  # 404 for one that is gone
        if request.method == "HEAD":
            await self._response.prepare(request)
            return self._response
        listener = self._live.listeners.join(self._topic, position, self._gone)
        try:
            await self._response.prepare(request)
            await self._write(f"retry: {RETRY_MS}\n\n".encode() + (first or b""))
            await self._forward(listener)
        except (ConnectionError, asyncio.TimeoutError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._live.listeners.leave(listener)
        return self._response

    async def _forward(self, listener: Listener) -> None:
        while not self._gone():
            try:
                events = await listener.next()
            except PositionLostError:
                try:
                    listener.position, first = await self._start_over()
                except NotFoundError:
                    return
                await self._write(first)
                continue
            await self._write(b"".join(map(self._frame, events)) or HEARTBEAT)
            if self._topic is not None and any(event.kind == "deleted" for event in events):
                return

    async def _start_over(self) -> tuple[int, bytes]:
        """How things stand, and the number of the last event that this surely includes."""
        position = self._log.last
        generations = self._call.services.generations
        if self._topic is not None:
            (state,) = self._answers([await generations.get(self._topic)])
            kind, data = "state", state
        else:
            kind, data = "hello", {"active": self._answers(await generations.active(HELLO_LIMIT))}
        text = json.dumps(data, separators=(",", ":"))
        return position, _frame(self._log.event_id(position), kind, text)

    def _answers(self, records: list[GenerationRecord]) -> list[dict[str, object]]:
        states = self._live.states(records)
        return [
            rendering.generation_fields(record, state) for record, state in zip(records, states, strict=True)
        ]

    def _frame(self, event: Event) -> bytes:
        return _frame(self._log.event_id(event.number), event.kind, event.data)

    def _gone(self) -> bool:
        transport = self._call.request.transport
        return transport is None or transport.is_closing()

    async def _write(self, piece: bytes) -> None:
        await asyncio.wait_for(self._response.write(piece), WRITE_SECONDS)


def _frame(event_id: str, kind: str, data: str) -> bytes:
    return f"id: {event_id}\nevent: {kind}\ndata: {data}\n\n".encode()


ENDPOINTS = (
    Endpoint(
        "GET",
        "/generations/{generation_id}/events",
        generation_events,
        "What happens to one generation, as server-sent events",
        "live",
        query=requests.EventsQuery,
        gives=("text/event-stream",),
        ranges=False,
        stream=True,
        headers={"Last-Event-ID": LAST_EVENT_ID},
        refusals=(404,),
    ),
    Endpoint(
        "GET",
        "/events",
        all_events,
        "What happens to all generations, as server-sent events",
        "live",
        query=requests.EventsQuery,
        gives=("text/event-stream",),
        ranges=False,
        stream=True,
        headers={"Last-Event-ID": LAST_EVENT_ID},
    ),
)
