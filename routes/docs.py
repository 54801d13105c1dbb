"""Serves Swagger UI, ReDoc and the OpenAPI document from the pack itself, without internet access."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from .access import access_of, guarded
from .context import PREFIX, Endpoint
from .errors import error_answer, json_answer
from .openapi import document

VENDOR = Path(__file__).parent / "vendor"
_ASSETS = {
    "swagger-ui.css": "swagger-ui/swagger-ui.css",
    "swagger-ui-bundle.js": "swagger-ui/swagger-ui-bundle.js",
    "favicon-32x32.png": "swagger-ui/favicon-32x32.png",
    "redoc.standalone.js": "redoc/redoc.standalone.js",
    "start-swagger-ui.js": "start-swagger-ui.js",
}
# Prevents the pages from loading fonts and logos from other servers.
_POLICY = (
    "default-src 'self'; script-src 'self' blob:; worker-src blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
    # Against clickjacking of the "try it out" buttons.
    "frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
)
_HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>AvatarForge API</title>'
# All URLs are relative, so that the pages also work under /api and behind a proxy's path.
_ICON = '<link rel="icon" href="docs/assets/favicon-32x32.png">'
SWAGGER_PAGE = (
    f'{_HEAD}{_ICON}<link rel="stylesheet" href="docs/assets/swagger-ui.css"></head><body>'
    '<div id="swagger-ui" data-document="openapi.json"></div>'
    '<script src="docs/assets/swagger-ui-bundle.js"></script>'
    '<script src="docs/assets/start-swagger-ui.js"></script></body></html>'
)
REDOC_PAGE = (
    f'{_HEAD}{_ICON}<meta name="viewport" content="width=device-width"></head><body style="margin:0">'
    '<redoc spec-url="openapi.json" disable-google-font="true"></redoc>'
    '<script src="docs/assets/redoc.standalone.js"></script></body></html>'
)


def add_docs(routes: web.RouteTableDef, endpoints: Sequence[Endpoint], version: str) -> None:
    """Register the pages. They are also served while the pack is unavailable."""
    cached: list[bytes] = []

    async def openapi(request: web.Request) -> web.Response:
        if not cached:  # built on the first request, so that the pack loads quickly
            key_needed = access_of(request).key_needed
            cached.append(json.dumps(document(endpoints, version, key_needed=key_needed)).encode())
        return json_answer(cached[0])

    async def swagger(_: web.Request) -> web.Response:
        return _page(SWAGGER_PAGE)

    async def redoc(_: web.Request) -> web.Response:
        return _page(REDOC_PAGE)

    async def asset(request: web.Request) -> web.StreamResponse:
        name = _ASSETS.get(request.match_info["name"])
        if name is None:
            return error_answer(404, "route_not_found", "The documentation has no such part.")
        return web.FileResponse(VENDOR / name, headers={"Cache-Control": "no-cache"})

    # They need no key, because they reveal nothing about this server.
    routes.get(f"{PREFIX}/openapi.json")(guarded(openapi))
    routes.get(f"{PREFIX}/docs")(guarded(swagger))
    routes.get(f"{PREFIX}/redoc")(guarded(redoc))
    routes.get(f"{PREFIX}/docs/assets/{{name}}")(guarded(asset))


def _page(text: str) -> web.Response:
    return web.Response(
        text=text,
        content_type="text/html",
        headers={
            "Content-Security-Policy": _POLICY,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-cache",
        },
    )
