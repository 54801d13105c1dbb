"""HTTP in and out. `add_routes` puts every endpoint into a route table, with one way to validate,
to answer and to refuse."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web
from pydantic import ValidationError
from pydantic_core import to_json

from . import capabilities, files, form, generations, health, links, live, maintenance, streams
from .access import ACCESS, Access, access_of, finished, guarded, rules, rules_without_settings, warnings_of
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
from .reading import BodyTaken, admitted, check_head, read_body, read_query

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
    *links.ENDPOINTS,
    *live.ENDPOINTS,
    *streams.ENDPOINTS,
    *health.ENDPOINTS,
    *capabilities.ENDPOINTS,
    *maintenance.ENDPOINTS,
)

log = logging.getLogger("avatarforge")

_RawHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_routes(routes: web.RouteTableDef, version: str) -> None:
    """Register everything but `body_routes`. The handlers find the services under `STATE` in the
    application, and who may use them under `ACCESS`. The application is ComfyUI's, so that each handler asks
    for itself."""
    for endpoint in ENDPOINTS:
        if endpoint.takes_body:
            continue
        handler = _serve(endpoint)
        paths = [PREFIX + endpoint.path] + ([endpoint.root_path] if endpoint.root_path else [])
        for path in paths:
            # aiohttp adds HEAD to GET by itself; ComfyUI copies every route under /api.
            routes.route(endpoint.method, path)(handler)
    add_docs(routes, ENDPOINTS, version)
    add_panel(routes)
    routes.route("*", PREFIX + "/{tail:.*}")(guarded(_nothing_here))


def body_routes() -> list[web.RouteDef]:
    """The routes that take a body: for the application itself, before those of its route table.

    They leave `Expect: 100-continue` to their handlers, and ComfyUI's copying of the table under /api cannot
    hand that on: it stops at any option of a route. Append `note_answer` to the application's
    `on_response_prepare` with them.
    """
    return [
        web.RouteDef(
            endpoint.method,
            start + PREFIX + endpoint.path,
            _serve(endpoint),
            {"expect_handler": leave_waiting},
        )
        for endpoint in ENDPOINTS
        if endpoint.takes_body
        for start in ("", "/api")
    ]


def build_models() -> None:
    """Put together what validates and answers, before the first request needs it. Blocks."""
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
            if isinstance(error, BodyTaken):
                _report_taken(endpoint, request)
        if awaits_continue(request):
            answer.force_close()  # the body that it announced would be taken for the next request
        return answer if caller is None else finished(answer, caller)

    return handle


def _report_taken(endpoint: Endpoint, request: web.Request) -> None:
    found = (
        f"{getattr(one, '__module__', '')}.{getattr(one, '__qualname__', one)}"
        for one in request.app.middlewares
    )
    log.error(
        "AvatarForge: a middleware read the body of %s %s before AvatarForge could, and did not keep it. "
        "ComfyUI and its packs have these: %s",
        endpoint.method,
        endpoint.path,
        ", ".join(found),
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
        answer = await (_answer_whole(call) if endpoint.takes_body else endpoint.handler(call))
    if isinstance(answer, web.StreamResponse):
        return answer
    if not endpoint.conditional:
        return json_answer(answer.body if isinstance(answer, JsonBody) else to_json(answer))
    return conditional(request, answer if isinstance(answer, JsonBody) else JsonBody(to_json(answer)))


async def _answer_whole(call: Call) -> Answer:
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


async def _nothing_here(request: web.Request) -> web.StreamResponse:
    allowed = sorted({endpoint.method for endpoint in ENDPOINTS if _fits(endpoint, request.path)})
    # A fitting method that still ended here had a path that no id can have.
    if not allowed or request.method in (*allowed, "HEAD"):
        return error_answer(404, "route_not_found", f"No such route. {PREFIX}/docs lists them.")
    return error_answer(
        405,
        "method_not_allowed",
        f"{request.method} is not possible here; {', '.join(allowed)} is.",
        {"Allow": ", ".join(allowed)},
    )


def _fits(endpoint: Endpoint, path: str) -> bool:
    wanted = (PREFIX + endpoint.path).split("/")
    given = path.removeprefix("/api").split("/")
    return len(wanted) == len(given) and all(
        part.startswith("{") or part == sent for part, sent in zip(wanted, given, strict=True)
    )
