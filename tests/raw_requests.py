"""Requests to a real ComfyUI with exactly the headers that a test gives, and its routes."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from lab.api import PREFIX, Api
from lab.server import ComfyServer

ID = "00000000-0000-4000-8000-000000000000"
FILLED = {
    "file_id": ID,
    "generation_id": ID,
    "batch_id": ID,
    "content_hash": "a" * 64,
    "name": "avatarforge_00001.png",
    "position": "0",
    "view": "front",
    "take": "1",
    "template_id": ID,
    "pose_id": ID,
    "character_id": ID,
    "family": "sd15",
}
FOREIGN = (
    {"Host": "evil.example"},
    {"Host": "evil.example:{port}"},
    {"Host": "localhost:{port}@evil.example"},
    {"Host": "127.0.0.1.evil.example:{port}"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://evil.example:{port}"},
    {"Origin": "null"},
)
#: What answers without a key, as far as Host and Origin allow it.
OPEN = ("/health", "/docs", "/redoc", "/openapi.json", "/docs/assets/swagger-ui.css")


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def detail(self) -> Any:
        return json.loads(self.body)["detail"]


def ask(
    server: ComfyServer, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
) -> Answer:
    """A request with exactly these headers: libraries for people mend `Host` and paths on the way."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        filled = {name: value.format(port=server.port) for name, value in headers.items()}
        connection.request(method, path, body, filled)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


def routes_of(api: Api) -> list[tuple[str, str]]:
    """(method, path) of everything that the server says it has, plain, under /api, and under the root."""
    paths: dict[str, dict[str, Any]] = api.get("/openapi.json").json()["paths"]
    found = []
    for path, operations in paths.items():
        filled = path.format_map(FILLED)
        root = filled.removeprefix(PREFIX)
        for method in operations:
            aliased = method == "get" and root.startswith(("/files/0", "/outputs/0"))
            for base in (filled, root) if aliased else (filled,):
                found += [(method.upper(), base), (method.upper(), f"/api{base}")]
    assert len(found) > 40
    return found


def sign(owner: Api, *urls: str) -> list[str]:
    answer = owner.post("/signed_urls", json={"urls": urls})
    assert answer.status_code == 200, answer.text
    return [found["signed_url"] for found in answer.json()["urls"]]
