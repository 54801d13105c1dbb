"""Callers of the API: with which headers, from where, and on which routes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping

from avatarforge.routes import ENDPOINTS, PREFIX, NetworkExposure
from avatarforge.routes.context import Endpoint

from .conftest import Client

KEY = "a-key-of-more-than-16-characters"
NETWORK = NetworkExposure(network=True, own_names=("Studio-PC", "studio-pc.local"))
PAGES = ("/docs", "/redoc", "/openapi.json", "/docs/assets/swagger-ui.css")
FOREIGN = (
    {"Host": "evil.example"},
    {"Host": "evil.example:8188"},
    {"Host": "localhost.evil.example"},
    {"Host": "user@localhost"},
    {"Host": ""},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "file://"},
)
Open = Callable[..., Awaitable[Client]]


def paths_of(endpoint: Endpoint) -> list[str]:
    """Where an endpoint answers, with ids that fit."""
    some = {
        "file_id": "b1c29540-8712-4faf-8d5c-9ed86409ddce",
        "generation_id": "b1c29540-8712-4faf-8d5c-9ed86409ddce",
        "content_hash": "a" * 64,
        "name": "avatarforge_00001.png",
        "position": "0",
        "view": "front",
        "take": "1",
        "pose_id": "b1c29540-8712-4faf-8d5c-9ed86409ddce",
        "template_id": "b1c29540-8712-4faf-8d5c-9ed86409ddce",
        "character_id": "b1c29540-8712-4faf-8d5c-9ed86409ddce",
        "batch_id": "b1c29540-8712-4faf-8d5c-9ed86409ddce",
        "family": "sd15",
    }
    root = [endpoint.path.format_map(some)] if endpoint.root_path else []
    return [PREFIX + endpoint.path.format_map(some), *root]


ROUTES = [(endpoint, path) for endpoint in ENDPOINTS for path in paths_of(endpoint)]


async def status(client: Client, method: str, path: str, headers: Mapping[str, str]) -> int:
    answer = await client.request(method, path, headers=headers)
    if answer.content_type == "text/event-stream":  # it goes on until we leave
        answer.close()
        return answer.status
    body = await answer.read()
    if answer.status >= 400 and method != "HEAD":
        detail = json.loads(body)["detail"]
        assert detail, (method, path)
        assert KEY not in str(detail)
    return answer.status
