"""HTTP in and out. `add_routes` puts every endpoint into a route table, with one way to validate,
to answer and to refuse."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

from aiohttp import web
from pydantic import BaseModel, ValidationError

from ..forge.errors import TooLargeError
from . import capabilities, files, generations, health
from .context import PREFIX, STATE, Call, Endpoint, Services, Unavailable, read_state
from .docs import add_docs
from .errors import answer_for, error_answer, json_answer, problems
from .panel import add_panel

__all__ = ["ENDPOINTS", "PREFIX", "STATE", "Services", "Unavailable", "add_routes"]

ENDPOINTS: tuple[Endpoint, ...] = (
    *files.ENDPOINTS,
    *generations.ENDPOINTS,
    *health.ENDPOINTS,
    *capabilities.ENDPOINTS,
)

SMALL_BODY = 64 * 1024
_RawHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_routes(routes: web.RouteTableDef, version: str) -> None:
    """Register everything. The handlers find the services under `STATE` in the application."""
    for endpoint in ENDPOINTS:
        handler = _serve(endpoint)
        paths = [PREFIX + endpoint.path] + ([endpoint.root_path] if endpoint.root_path else [])
        for path in paths:
            # aiohttp adds HEAD to GET by itself; ComfyUI copies every route under /api.
            routes.route(endpoint.method, path)(handler)
    add_docs(routes, ENDPOINTS, version)
    add_panel(routes)
    routes.route("*", PREFIX + "/{tail:.*}")(_nothing_here)


def _serve(endpoint: Endpoint) -> _RawHandler:
    @functools.wraps(endpoint.handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await _answer(endpoint, request)
        except Exception as error:  # noqa: BLE001 - the boundary: aiohttp would answer with plain text
            return answer_for(error)

    return handle


async def _answer(endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
    state = read_state(request)
    if isinstance(state, Unavailable):
        if endpoint is not health.HEALTH:
            return error_answer(503, state.reason)
        answer: BaseModel | web.StreamResponse = await health.health_while_unavailable(state)
    else:
        try:
            query = _read_query(endpoint.query, request) if endpoint.query else None
        except ValidationError as error:
            return error_answer(422, problems(error, "query"))
        try:
            body = await _read_body(endpoint.body, request, state) if endpoint.body else None
        except ValidationError as error:
            return error_answer(422, problems(error, "body"))
        answer = await endpoint.handler(Call(request, state, body, query))
    return answer if isinstance(answer, web.StreamResponse) else json_answer(answer.model_dump_json())


def _read_query(model: type[BaseModel], request: web.Request) -> BaseModel:
    # A name given twice becomes a list, which no field takes: better than dropping one of the two.
    values = {
        name: found[0] if len(found := request.query.getall(name)) == 1 else found for name in request.query
    }
    return model.model_validate(values)


async def _read_body(model: type[BaseModel], request: web.Request, services: Services) -> BaseModel:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(reason="Send the body as application/json.")
    # Two pictures as base64, each a third larger than its bytes, and the words.
    limit = services.settings.max_file_size // 3 * 4 * 2 + SMALL_BODY * 2
    pieces, size = [], 0
    async for piece in request.content.iter_any():
        size += len(piece)
        if size > limit:
            raise TooLargeError(f"The body is too large: the limit is {limit} bytes.")
        pieces.append(piece)
    raw = b"".join(pieces)
    if size <= SMALL_BODY:
        return model.model_validate_json(raw)
    return await services.workers.decode(model.model_validate_json, raw)


async def _nothing_here(request: web.Request) -> web.StreamResponse:
    allowed = sorted({endpoint.method for endpoint in ENDPOINTS if _fits(endpoint, request.path)})
    # A fitting method that still ended here had a path that no id can have.
    if not allowed or request.method in (*allowed, "HEAD"):
        return error_answer(404, f"No such route. {PREFIX}/docs lists them.")
    return error_answer(
        405, f"{request.method} is not possible here; {', '.join(allowed)} is.", {"Allow": ", ".join(allowed)}
    )


def _fits(endpoint: Endpoint, path: str) -> bool:
    wanted = (PREFIX + endpoint.path).split("/")
    given = path.removeprefix("/api").split("/")
    return len(wanted) == len(given) and all(
        part.startswith("{") or part == sent for part, sent in zip(wanted, given, strict=True)
    )
