"""`Expect: 100-continue` (RFC 9110, 10.1.1): the client sends its body only after 100 Continue.

aiohttp sends 100 Continue before any handler runs. Here, the code that reads the body sends it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import HttpVersion11, StreamReader, hdrs, web

#: Seconds between two checks of a request that has not reached its handler yet.
POLL_SECONDS = 0.02


@dataclass
class _Expectation:
    """The state of one request and all its clones. `continued`: 100 Continue was sent. `handled`: our handler
    has started, and decides from now on. `answered`: a response has started."""

    continued: bool = False
    handled: bool = False
    answered: bool = False
    watcher: asyncio.Task[None] | None = None


#: aiohttp before 3.14 supports only strings.
_EXPECTATION: Any = (
    web.RequestKey("avatarforge-expectation", _Expectation)
    if hasattr(web, "RequestKey")
    else "avatarforge-expectation"
)


def awaits_continue(request: web.Request) -> bool:
    """Whether the client still waits for 100 Continue."""
    expectation = request.get(_EXPECTATION)
    return (
        request.headers.get(hdrs.EXPECT, "").lower() == "100-continue"
        and request.version >= HttpVersion11
        and not (expectation is not None and expectation.continued)
        and not request.content.is_eof()
    )


async def leave_waiting(request: web.Request) -> None:
    """Replace aiohttp's handler of Expect, which runs before all middlewares."""
    if awaits_continue(request):
        expectation = request[_EXPECTATION] = _Expectation()
        expectation.watcher = asyncio.create_task(_watch(request, expectation))


def take_over(request: web.Request) -> None:
    """Stop the watcher when our handler starts: only the handler sends 100 Continue from now on."""
    expectation = request.get(_EXPECTATION)
    if expectation is not None:
        expectation.handled = True
        if expectation.watcher is not None:
            expectation.watcher.cancel()


async def note_answer(request: web.Request, _response: web.StreamResponse) -> None:
    """Record that a response has started. For the application's `on_response_prepare`, which aiohttp calls
    before it sends the head of any response, also one of another pack's middleware."""
    expectation = request.get(_EXPECTATION)
    if expectation is not None:
        expectation.answered = True


def let_continue(request: web.Request) -> None:
    """Send 100 Continue. Raises ConnectionResetError if the client has disconnected."""
    expectation = request.get(_EXPECTATION)
    if expectation is None:
        expectation = request[_EXPECTATION] = _Expectation()
    expectation.continued = True
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("The client has left.")
    transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")  # documented for handlers of Expect


async def _watch(request: web.Request, expectation: _Expectation) -> None:
    """Send 100 Continue if a middleware of another pack waits for the body; otherwise it would wait
    forever."""
    while not (expectation.handled or expectation.answered or _is_over(request)):
        if _is_being_read(request.content):
            with suppress(ConnectionError):
                let_continue(request)
            return
        await asyncio.sleep(POLL_SECONDS)


def _is_over(request: web.Request) -> bool:
    """Whether the whole body has arrived, or the client has disconnected."""
    content, transport = request.content, request.transport
    disconnected = transport is None or transport.is_closing() or content.exception() is not None
    return disconnected or content.is_eof()


def _is_being_read(content: StreamReader) -> bool:
    try:
        content.read_nowait(0)
    except RuntimeError:  # documented: another coroutine waits for this stream
        return True
    return False
