"""Swagger UI, ReDoc and the OpenAPI document, served from the pack itself: no internet needed."""

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
# Keeps the pages from reaching for fonts and logos elsewhere.
_POLICY = (
    "default-src 'self'; script-src 'self' blob:; worker-src blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
    # Its "try it out" buttons must not lie invisible under the pointer in somebody else's page.
    "frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
)
_HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>AvatarForge API</title>'
# Every address is relative, so that the pages work under /api and behind a proxy's own path too.
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
    """Register the pages. They answer also while the pack is unavailable: they explain the API."""
    written: list[bytes] = []

    async def openapi(request: web.Request) -> web.Response:
        if not written:  # made when first asked for, so that loading the pack stays quick
            key_needed = access_of(request).key_needed
            written.append(json.dumps(document(endpoints, version, key_needed=key_needed)).encode())
        return json_answer(written[0])

    async def swagger(_: web.Request) -> web.Response:
        return _page(SWAGGER_PAGE)

    async def redoc(_: web.Request) -> web.Response:
        return _page(REDOC_PAGE)

    async def asset(request: web.Request) -> web.StreamResponse:
        name = _ASSETS.get(request.match_info["name"])
        if name is None:
            return error_answer(404, "route_not_found", "The documentation has no such part.")
        return web.FileResponse(VENDOR / name, headers={"Cache-Control": "no-cache"})

    # They hold nothing of this server's, so that nobody needs a key for them.
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
