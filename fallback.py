"""Routes that report why the pack's own routes could not be registered.

The usual reasons are a missing or outdated package, or a module that fails to import. So this module needs
only the standard library and aiohttp. `__init__` calls it with the error that `bootstrap` raised.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from .forge.error_text import summarize_unexpected

PREFIX = "/avatarforge-controller"
STOPPED = "AvatarForge could not start."
SEE_LOG = "AvatarForge is not available. ComfyUI's log says why."
_UUID = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_ROOT_PATHS = ("/files/{id:%s}", "/files/{id:%s}/thumbnail", "/outputs/{id:%s}/{name}")
_LOCAL_HOST = re.compile(r"(?:localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?", re.IGNORECASE)
_LOCAL_PEER = re.compile(r"(?:::ffff:)?127\.[0-9.]+|::1")
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")

log = logging.getLogger("avatarforge")


def add_fallback(server: Any, error: Exception) -> None:
    """Register routes that report the reason, and log the error with its traceback. `server` is ComfyUI's."""
    log.error("AvatarForge is not available", exc_info=error)
    reason = f"AvatarForge could not start: {summarize_unexpected(error)}."
    try:
        from .avatarforge_nodes.registry import registry

        registry.reason = reason
    except Exception:  # the nodes may need the module that failed to import, too
        log.exception("AvatarForge: the nodes could not be loaded")
    routes = web.RouteTableDef()
    _add(routes, reason)
    try:
        for route in routes:
            if isinstance(route, web.RouteDef):
                server.routes.route(route.method, route.path)(route.handler)
    except Exception:  # without a server there are no routes, but the nodes still work
        log.exception("AvatarForge: no routes could be registered")


def _add(routes: web.RouteTableDef, reason: str) -> None:
    async def health(request: web.Request) -> web.Response:
        if not _is_local(request):
            return _json(200, {"api_status": "unavailable"})
        stopped = {"status": "unhealthy", "reason": STOPPED}
        body = {
            "api_status": "unavailable",
            "reason": reason,
            "comfyui": {"status": "healthy", "url": "", "stats": {}},
            "database": stopped,
            "storage": {**stopped, "files": 0, "bytes": 0},
            "queue": {**stopped, "waiting": 0, "running": 0, "generations": {}},
            "capabilities": {"missing": [STOPPED]},
        }
        return _json(200, body)

    async def unavailable(request: web.Request) -> web.Response:
        return _json(503, {"detail": reason if _is_local(request) else SEE_LOG, "code": "unavailable"})

    routes.get(f"{PREFIX}/health")(health)
    routes.route("*", PREFIX)(unavailable)
    routes.route("*", PREFIX + "/{tail:.*}")(unavailable)
    for path in _ROOT_PATHS:
        routes.get(path % _UUID)(unavailable)


def _is_local(request: web.Request) -> bool:
    """Whether the request is from this machine. Others get no details, because no settings were read that
    could allow it."""
    return (
        _LOCAL_PEER.fullmatch(request.remote or "") is not None
        and _LOCAL_HOST.fullmatch(request.headers.get("Host", "")) is not None
        and not any(name in request.headers for name in _FORWARDED)
    )


def _json(status: int, body: Mapping[str, Any]) -> web.Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(
        text=json.dumps(body), status=status, content_type="application/json", headers=headers
    )
