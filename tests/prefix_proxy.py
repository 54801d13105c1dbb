"""A reverse proxy that serves ComfyUI under a path, such as https://host/comfy/."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

HOST = "127.0.0.1"
#: Hop-by-hop headers (RFC 9110, 7.6.1), and Content-Length, which aiohttp sets.
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}


@dataclass
class PrefixProxy:
    """A running proxy.

    Attributes:
        origin, url: its address without and with the path, as the browser sees it.
        strayed: requests for paths outside the prefix.
    """

    origin: str
    url: str
    strayed: list[str] = field(default_factory=list)


@contextmanager
def prefix_proxy(upstream: str, prefix: str = "/comfy") -> Iterator[PrefixProxy]:
    """Serve `upstream` under `prefix` in a thread. All other paths are 404.

    Forwards ``Host`` as the browser sent it, as docs/security.md requires of a proxy.
    """
    loop = asyncio.new_event_loop()
    started: asyncio.Future[PrefixProxy] = loop.create_future()
    ready, stop = threading.Event(), asyncio.Event()
    thread = threading.Thread(
        target=loop.run_until_complete, args=(_serve(upstream, prefix, started, ready, stop),)
    )
    thread.start()
    ready.wait()
    try:
        yield started.result()
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def _serve(
    upstream: str,
    prefix: str,
    started: asyncio.Future[PrefixProxy],
    ready: threading.Event,
    stop: asyncio.Event,
) -> None:
    try:
        async with ClientSession(auto_decompress=False) as session:
            app = web.Application(client_max_size=0)
            runner = web.AppRunner(app, shutdown_timeout=1)
            proxy = PrefixProxy("", "")

            async def forward(request: web.Request) -> web.StreamResponse:
                try:
                    return await _forward(request, session, upstream)
                except ConnectionError:  # the browser closed the connection, as it does with event streams
                    return web.Response(status=502)

            async def stray(request: web.Request) -> web.Response:
                proxy.strayed.append(f"{request.method} {request.path_qs}")
                return web.Response(status=404)

            app.router.add_route("*", prefix + "/{tail:.*}", forward)
            app.router.add_route("*", "/{tail:.*}", stray)
            await runner.setup()
            site = web.TCPSite(runner, HOST, 0)
            await site.start()
            proxy.origin = f"http://{HOST}:{runner.addresses[0][1]}"
            proxy.url = proxy.origin + prefix
            started.set_result(proxy)
            ready.set()
            await stop.wait()
            await runner.cleanup()
    except BaseException as error:
        if not started.done():
            started.set_exception(error)
        raise
    finally:
        ready.set()


async def _forward(request: web.Request, session: ClientSession, upstream: str) -> web.StreamResponse:
    tail = request.raw_path.split("/", 2)[2]
    url = f"{upstream}/{tail}"
    headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await _forward_socket(request, session, url)
    body = request.content if request.can_read_body else None
    async with session.request(
        request.method, url, headers=headers, data=body, allow_redirects=False
    ) as upstream_response:
        forwarded = [
            (name, value)
            for name, value in upstream_response.headers.items()
            if name.lower() not in HOP_BY_HOP
        ]
        response = web.StreamResponse(status=upstream_response.status, reason=upstream_response.reason)
        response.headers.extend(forwarded)
        await response.prepare(request)
        async for piece in upstream_response.content.iter_any():
            await response.write(piece)
        await response.write_eof()
        return response


async def _forward_socket(request: web.Request, session: ClientSession, url: str) -> web.WebSocketResponse:
    browser = web.WebSocketResponse(max_msg_size=0)
    await browser.prepare(request)
    headers = {"Host": request.headers["Host"], "Origin": request.headers.get("Origin", "")}
    async with session.ws_connect(url, headers=headers, max_msg_size=0) as server:
        pumps = [asyncio.create_task(_pump(browser, server)), asyncio.create_task(_pump(server, browser))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await browser.close()
    return browser


Socket = web.WebSocketResponse | ClientWebSocketResponse


async def _pump(source: Socket, target: Socket) -> None:
    async for message in source:
        if message.type is WSMsgType.TEXT:
            await target.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await target.send_bytes(message.data)
