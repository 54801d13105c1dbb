"""The HTTP API. `add_routes` registers every endpoint with the same validation, serialisation and error
handling."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web
from pydantic import ValidationError
from pydantic_core import to_json

from . import (
    batches,
    capabilities,
    character_files,
    characters,
    exports,
    files,
    form,
    gallery,
    generations,
    guide,
    health,
    installed,
    links,
    live,
    maintenance,
    matrix,
    poses,
    streams,
    styles,
    takes,
    templates,
)
from .access import (
    ACCESS,
    Access,
    access_of,
    guarded,
    rules,
    rules_without_settings,
    warnings_of,
    with_caller_headers,
)
from .conditional import conditional
from .context import (
    PREFIX,
    STATE,
    Answer,
    Call,
    Caller,
    Endpoint,
    Services,
    Unavailable,
    read_state,
    services_of,
)
from .docs import add_docs
from .errors import answer_for, error_answer, json_answer, problems
from .expect import awaits_continue, leave_waiting, note_answer, take_over
from .json_body import JsonBody
from .models import build_lazy_models
from .origins import NetworkExposure
from .panel import add_panel
from .reading import BodyAlreadyRead, admitted, check_head, read_body, read_query

__all__ = [
    "ACCESS",
    "ENDPOINTS",
    "PREFIX",
    "STATE",
    "Access",
    "NetworkExposure",
    "Services",
    "Unavailable",
    "add_routes",
    "body_routes",
    "build_models",
    "note_answer",
    "rules",
    "rules_without_settings",
    "services_of",
    "warnings_of",
]

ENDPOINTS: tuple[Endpoint, ...] = (
    *files.ENDPOINTS,
    *form.ENDPOINTS,
    *generations.ENDPOINTS,
    *takes.ENDPOINTS,
    *gallery.ENDPOINTS,
    *batches.ENDPOINTS,
    *matrix.ENDPOINTS,
    *links.ENDPOINTS,
    *live.ENDPOINTS,
    *streams.ENDPOINTS,
    *styles.ENDPOINTS,
    *guide.ENDPOINTS,
    *health.ENDPOINTS,
    *capabilities.ENDPOINTS,
    *installed.ENDPOINTS,
    *maintenance.ENDPOINTS,
    *templates.ENDPOINTS,
    *poses.ENDPOINTS,
    *characters.ENDPOINTS,
    *character_files.ENDPOINTS,
    *exports.ENDPOINTS,
)

log = logging.getLogger("avatarforge")

_RawHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_routes(routes: web.RouteTableDef, version: str) -> None:
    """Register everything except `body_routes`. Handlers find the services under `STATE` in the application,
    and the access rules under `ACCESS`. The application is ComfyUI's, so no middleware of ours checks access:
    each handler does.
    """
    for endpoint in ENDPOINTS:
        if endpoint.takes_body:
            continue
        handler = _serve(endpoint)
        paths = [PREFIX + endpoint.path] + ([endpoint.root_path] if endpoint.root_path else [])
        for path in paths:
            # aiohttp adds HEAD to every GET, and ComfyUI copies every route under /api.
            routes.route(endpoint.method, path)(handler)
    add_docs(routes, ENDPOINTS, version)
    add_panel(routes)
    routes.route("*", PREFIX + "/{tail:.*}")(guarded(_not_found))


def body_routes() -> list[web.RouteDef]:
    """The routes that take a body. Add them to the application before those of the route table, and append
    `note_answer` to its `on_response_prepare`.

    Their handlers deal with `Expect: 100-continue`, so they need the option `expect_handler`. ComfyUI cannot
    copy routes with options under /api, so these routes include both paths.
    """
    return [
        web.RouteDef(
            endpoint.method,
            base + PREFIX + endpoint.path,
            _serve(endpoint),
            {"expect_handler": leave_waiting},
        )
        for endpoint in ENDPOINTS
        if endpoint.takes_body
        for base in ("", "/api")
    ]


def build_models() -> None:
    """Build the pydantic models of all endpoints, before the first request needs them. Blocks."""
    for endpoint in ENDPOINTS:
        build_lazy_models(
            model for model in (endpoint.body, endpoint.query, endpoint.answer) if model is not None
        )


def _serve(endpoint: Endpoint) -> _RawHandler:
    @functools.wraps(endpoint.handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        caller = None
        take_over(request)
        try:
            caller = access_of(request).admit(request, endpoint)
            answer = await _answer(endpoint, request, caller)
        except Exception as error:  # noqa: BLE001 - the boundary: aiohttp would answer with plain text
            answer = answer_for(error)
            if isinstance(error, BodyAlreadyRead):
                _log_middlewares(endpoint, request)
        if awaits_continue(request):
            answer.force_close()  # otherwise the announced body would be parsed as the next request
        return answer if caller is None else with_caller_headers(answer, caller)

    return handle


def _log_middlewares(endpoint: Endpoint, request: web.Request) -> None:
    names = (
        f"{getattr(middleware, '__module__', '')}.{getattr(middleware, '__qualname__', middleware)}"
        for middleware in request.app.middlewares
    )
    log.error(
        "AvatarForge: a middleware read the body of %s %s before AvatarForge could, and did not keep it. "
        "ComfyUI and its packs have these: %s",
        endpoint.method,
        endpoint.path,
        ", ".join(names),
    )


async def _answer(endpoint: Endpoint, request: web.Request, caller: Caller) -> web.StreamResponse:
    state = read_state(request)
    if isinstance(state, Unavailable):
        if endpoint is not health.HEALTH:
            return error_answer(503, "unavailable", state.reason)
        answer: Answer = await health.health_while_unavailable(state, caller)
    else:
        try:
            query = read_query(endpoint, request) if endpoint.query else None
        except ValidationError as error:
            return error_answer(422, "invalid_request", problems(error, "query"))
        call = Call(endpoint, request, caller, state, None, query)
        answer = await (_answer_with_body(call) if endpoint.takes_body else endpoint.handler(call))
    if isinstance(answer, web.StreamResponse):
        return answer
    if not endpoint.conditional:
        return json_answer(answer.body if isinstance(answer, JsonBody) else to_json(answer))
    return conditional(request, answer if isinstance(answer, JsonBody) else JsonBody(to_json(answer)))


async def _answer_with_body(call: Call) -> Answer:
    endpoint, request, state = call.endpoint, call.request, call.services
    check_head(endpoint, request, state)
    early = await endpoint.early(call) if endpoint.early else None
    if early is not None:
        return early
    async with admitted(endpoint, request, state):
        try:
            body = await read_body(endpoint, request, state) if endpoint.body else None
        except ValidationError as error:
            return error_answer(422, "invalid_request", problems(error, "body"))
        return await endpoint.handler(replace(call, body=body))


async def _not_found(request: web.Request) -> web.StreamResponse:
    allowed = sorted({endpoint.method for endpoint in ENDPOINTS if _matches(endpoint, request.path)})
    # An allowed method that was still routed here has a path segment that the route's pattern rejects.
    if not allowed or request.method in (*allowed, "HEAD"):
        return error_answer(404, "route_not_found", f"No such route. {PREFIX}/docs lists them.")
    return error_answer(
        405,
        "method_not_allowed",
        f"{request.method} is not possible here; {', '.join(allowed)} is.",
        {"Allow": ", ".join(allowed)},
    )


def _matches(endpoint: Endpoint, path: str) -> bool:
    pattern = (PREFIX + endpoint.path).split("/")
    segments = path.removeprefix("/api").split("/")
    return len(pattern) == len(segments) and all(
        part.startswith("{") or part == segment for part, segment in zip(pattern, segments, strict=True)
    )
