"""Conditional requests (RFC 9110, 13): ETag and If-None-Match."""

from __future__ import annotations

from aiohttp import ETag, web

from .errors import json_answer
from .json_body import JsonBody


def conditional(request: web.Request, answer: JsonBody) -> web.Response:
    """The JSON with its ETag, or 304. Clients must revalidate a cached response each time."""
    headers = {"ETag": f'"{answer.tag}"', "Cache-Control": "private, no-cache"}
    if "If-None-Match" in request.headers and has_already(request, answer.tag):
        return web.Response(status=304, headers=headers)
    return json_answer(answer.body, headers=headers)


def has_already(request: web.Request, tag: str) -> bool:
    """Whether If-None-Match names this tag."""
    return request.if_none_match is not None and matches(request.if_none_match, tag, weak=True)


def matches(tags: tuple[ETag, ...], tag: str, *, weak: bool) -> bool:
    """Whether one of the ETags is `tag` or `*`. Weak ones count only if `weak` (RFC 9110, 8.8.3.2)."""
    return any(etag.value in ("*", tag) and (weak or not etag.is_weak) for etag in tags)
