"""What the middlewares of other packs do with a body before a handler sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Look = Callable[[web.Request], Awaitable[web.Request]]


async def read(request: web.Request) -> web.Request:
    await request.read()
    return request


async def text(request: web.Request) -> web.Request:
    await request.text()
    return request


async def json(request: web.Request) -> web.Request:
    await request.json()
    return request


async def post(request: web.Request) -> web.Request:
    request["fields"] = dict(await request.post())
    return request


async def post_and_look(request: web.Request) -> web.Request:
    for field in (await request.post()).values():
        if isinstance(field, web.FileField):
            field.file.read(100)
    return request


async def read_a_clone(request: web.Request) -> web.Request:
    clone = request.clone()
    await clone.read()
    return clone


async def post_a_clone(request: web.Request) -> web.Request:
    clone = request.clone()
    await clone.post()
    return clone


async def only_clone(request: web.Request) -> web.Request:
    return request.clone()


async def put_back(request: web.Request) -> web.Request:
    """Look at the first bytes with the means of the stream itself."""
    first = await request.content.readany()
    request.content.unread_data(first)
    return request


async def drain(request: web.Request) -> web.Request:
    await request.content.read()
    return request


async def first_byte(request: web.Request) -> web.Request:
    await request.content.read(1)
    return request


async def first_line(request: web.Request) -> web.Request:
    await request.content.readline()
    return request


async def all_but_the_end(request: web.Request) -> web.Request:
    size = 0
    while size < (request.content_length or 0) - 5:
        size += len(await request.content.read((request.content_length or 0) - 5 - size))
    return request


async def first_part(request: web.Request) -> web.Request:
    part = await (await request.multipart()).next()
    if part is not None:
        await part.read()  # type: ignore[union-attr]
    return request


async def first_headers(request: web.Request) -> web.Request:
    await (await request.multipart()).next()
    return request


async def release(request: web.Request) -> web.Request:
    await request.release()
    return request


async def read_beside_a_clone(request: web.Request) -> web.Request:
    clone = request.clone()
    await request.read()
    return clone


async def post_and_clone(request: web.Request) -> web.Request:
    await request.post()
    return request.clone()


async def post_and_close(request: web.Request) -> web.Request:
    for field in (await request.post()).values():
        if isinstance(field, web.FileField):
            field.file.close()
    return request


async def read_too_much(request: web.Request) -> web.Request:
    """As where the body is larger than ComfyUI's own limit, which the API's may exceed."""
    small = request.clone(client_max_size=16)
    await small.read()
    return request


#: After these the body is there, or aiohttp keeps it.
KEEPING: dict[str, Look] = {
    item.__name__: item
    for item in (read, text, json, post, post_and_look, read_a_clone, post_a_clone, only_clone, put_back)
}
#: After these it is gone, or a part of it.
LOSING: dict[str, Look] = {
    item.__name__: item
    for item in (drain, first_byte, first_line, all_but_the_end, release, read_beside_a_clone, read_too_much)
}
#: After these the body of a form is gone; another one they leave alone.
LOSING_FORMS: dict[str, Look] = {
    item.__name__: item for item in (first_part, first_headers, post_and_clone, post_and_close)
}


def middleware(look: Look) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
    """A middleware that looks at each body first and takes no interest in what goes wrong there."""

    @web.middleware
    async def looking(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.can_read_body:
            with suppress(Exception):  # as packs do
                request = await look(request)
        return await handler(request)

    return looking
