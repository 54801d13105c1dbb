"""Server-sent events (HTML Living Standard, 9.2): live events of generations."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from ..forge.errors import NotFoundError
from ..forge.generations.service import GenerationRecord
from ..forge.live.listeners import Listener, PositionLostError
from ..forge.live.log import Event
from ..forge.waiting import wait_at_most
from . import queries, rendering
from .context import Call, Endpoint

RETRY_MS = 2000
HEARTBEAT = b": still there\n\n"
# A client that reads nothing for so long is disconnected. It reconnects and gets the current state.
WRITE_SECONDS = 30.0
HELLO_LIMIT = 100
LAST_EVENT_ID = "The id of the last event that was seen: the stream goes on after it."
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # Otherwise nginx buffers the events.
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
        last_event_id = (
            request.headers.get("Last-Event-ID")
            or self._call.validated_query(queries.EventsQuery).last_event_id
        )
        position = self._log.position(last_event_id)
        initial = None
        if position is None:
            position, initial = await self._current_state()
        elif self._topic is not None and not self._log.since(position, self._topic):
            await self._call.services.generations.get(self._topic)  # raises NotFoundError if it was deleted
        if request.method == "HEAD":
            await self._response.prepare(request)
            return self._response
        listener = self._live.listeners.join(self._topic, position, self._is_closed)
        try:
            await self._response.prepare(request)
            await self._write(f"retry: {RETRY_MS}\n\n".encode() + (initial or b""))
            await self._forward(listener)
        except (ConnectionError, asyncio.TimeoutError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._live.listeners.leave(listener)
        return self._response

    async def _forward(self, listener: Listener) -> None:
        while not self._is_closed():
            try:
                events = await listener.next()
            except PositionLostError:
                try:
                    listener.position, state = await self._current_state()
                except NotFoundError:
                    return
                await self._write(state)
                continue
            await self._write(b"".join(map(self._frame, events)) or HEARTBEAT)
            if self._topic is not None and any(event.kind == "deleted" for event in events):
                return

    async def _current_state(self) -> tuple[int, bytes]:
        """(number of the last event that the state includes, frame with the state)"""
        position = self._log.last
        generations = self._call.services.generations
        if self._topic is not None:
            (state,) = self._render([await generations.get(self._topic)])
            kind, data = "state", state
        else:
            kind, data = "hello", {"active": self._render(await generations.active(HELLO_LIMIT))}
        text = json.dumps(data, separators=(",", ":"))
        return position, _frame(self._log.event_id(position), kind, text)

    def _render(self, records: list[GenerationRecord]) -> list[dict[str, object]]:
        states = self._live.states(records)
        return [
            rendering.generation_fields(record, state) for record, state in zip(records, states, strict=True)
        ]

    def _frame(self, event: Event) -> bytes:
        return _frame(self._log.event_id(event.number), event.kind, event.data)

    def _is_closed(self) -> bool:
        transport = self._call.request.transport
        return transport is None or transport.is_closing()

    async def _write(self, data: bytes) -> None:
        await wait_at_most(self._response.write(data), WRITE_SECONDS)


def _frame(event_id: str, kind: str, data: str) -> bytes:
    return f"id: {event_id}\nevent: {kind}\ndata: {data}\n\n".encode()


ENDPOINTS = (
    Endpoint(
        "GET",
        "/generations/{generation_id}/events",
        generation_events,
        "What happens to one generation, as server-sent events",
        "live",
        query=queries.EventsQuery,
        media_types=("text/event-stream",),
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
        query=queries.EventsQuery,
        media_types=("text/event-stream",),
        ranges=False,
        stream=True,
        headers={"Last-Event-ID": LAST_EVENT_ID},
    ),
)
