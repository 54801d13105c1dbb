"""`Expect: 100-continue` (RFC 9110, 10.1.1): a client holds its body back until it is told to go on.

aiohttp tells it so before any handler has looked at the request. Here the code that reads the body does.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import HttpVersion11, StreamReader, hdrs, web

#: Seconds between two looks at a request that has not reached us yet.
LOOK_SECONDS = 0.02


@dataclass
class _Expectation:
    """Of one request and all its clones. `told`: the client was told to go on. `reached`: our handler has
    begun, and decides from now on. `answered`: an answer has begun."""

    told: bool = False
    reached: bool = False
    answered: bool = False
    watch: asyncio.Task[None] | None = None


#: aiohttp before 3.14 has plain strings only.
_EXPECTATION: Any = (
    web.RequestKey("avatarforge-expectation", _Expectation)
    if hasattr(web, "RequestKey")
    else "avatarforge-expectation"
)


def awaits_continue(request: web.Request) -> bool:
    """Whether the client still holds its body back."""
    expectation = request.get(_EXPECTATION)
    return (
        request.headers.get(hdrs.EXPECT, "").lower() == "100-continue"
        and request.version >= HttpVersion11
        and not (expectation is not None and expectation.told)
        and not request.content.is_eof()
    )


async def leave_waiting(request: web.Request) -> None:
    """In the place of aiohttp's own handler of Expect, which runs before all middlewares."""
    if awaits_continue(request):
        expectation = request[_EXPECTATION] = _Expectation()
        expectation.watch = asyncio.create_task(_watch(request, expectation))


def take_over(request: web.Request) -> None:
    """Our handler has begun: from now on nobody else tells the client to go on."""
    expectation = request.get(_EXPECTATION)
    if expectation is not None:
        expectation.reached = True
        if expectation.watch is not None:
            expectation.watch.cancel()


async def note_answer(request: web.Request, _response: web.StreamResponse) -> None:
    """For `on_response_prepare` of the application, which aiohttp calls before it sends the head of any
    answer, also where a middleware of another pack answers."""
    expectation = request.get(_EXPECTATION)
    if expectation is not None:
        expectation.answered = True


def let_continue(request: web.Request) -> None:
    """Tell the client to send its body. Raises ConnectionResetError when the client has left."""
    expectation = request.get(_EXPECTATION)
    if expectation is None:
        expectation = request[_EXPECTATION] = _Expectation()
    expectation.told = True
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("The client has left.")
    transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")  # documented for handlers of Expect


async def _watch(request: web.Request, expectation: _Expectation) -> None:
    """Let the body come where a middleware of another pack waits for it: it would wait for ever."""
    while not (expectation.reached or expectation.answered or _is_over(request)):
        if _is_waited_for(request.content):
            with suppress(ConnectionError):
                let_continue(request)
            return
        await asyncio.sleep(LOOK_SECONDS)


def _is_over(request: web.Request) -> bool:
    """Whether the body has come, or the client has left."""
    content, transport = request.content, request.transport
    gone = transport is None or transport.is_closing() or content.exception() is not None
    return gone or content.is_eof()


def _is_waited_for(content: StreamReader) -> bool:
    try:
        content.read_nowait(0)
    except RuntimeError:  # documented for a stream that another coroutine waits for
        return True
    return False
