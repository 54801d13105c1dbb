"""Conditional requests (RFC 9110, 13): ETag and If-None-Match."""

from __future__ import annotations

from aiohttp import ETag, web

from .errors import json_answer
from .json_body import JsonBody


def conditional(request: web.Request, answer: JsonBody) -> web.Response:
    """The JSON with its tag, or 304. It is asked for again each time: what is kept may be old."""
    headers = {"ETag": f'"{answer.tag}"', "Cache-Control": "private, no-cache"}
    if "If-None-Match" in request.headers and has_already(request, answer.tag):
        return web.Response(status=304, headers=headers)
    return json_answer(answer.body, headers=headers)


def has_already(request: web.Request, tag: str) -> bool:
    return request.if_none_match is not None and matches(request.if_none_match, tag, weak=True)


def matches(tags: tuple[ETag, ...], tag: str, *, weak: bool) -> bool:
    return any(one.value in ("*", tag) and (weak or not one.is_weak) for one in tags)
