"""A minimal API client for the demo, using only the standard library."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from .progress import LabError

PREFIX = "/avatarforge-controller"


class ApiError(LabError):
    """The API refused a call or did not respond. The message includes the error's ``detail``."""


class Client:
    """Calls the API of the ComfyUI at ``server`` (a URL without a trailing slash). Raises ApiError."""

    def __init__(self, server: str) -> None:
        self.server = server
        # Never send requests for 127.0.0.1 through a proxy from the environment.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path: str) -> Any:
        return json.loads(self._open(urllib.request.Request(self.server + path)))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.server + path, json.dumps(body).encode(), headers)
        return json.loads(self._open(request))

    def upload(self, path: str, file: Path) -> Any:
        """Send a file as the multipart field ``file`` (RFC 7578)."""
        boundary = uuid.uuid4().hex
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{urllib.parse.quote(file.name)}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return json.loads(self._open(urllib.request.Request(self.server + path, body, headers)))

    def download(self, url: str, target: Path) -> None:
        """Save the file at ``url``, which may be relative to the server's root, as in API responses."""
        target.write_bytes(self._open(urllib.request.Request(urllib.parse.urljoin(self.server + "/", url))))

    def _open(self, request: urllib.request.Request) -> bytes:
        try:
            with self._opener.open(request, timeout=60) as response:
                content: bytes = response.read()
                return content
        except urllib.error.HTTPError as error:
            raise ApiError(
                f"{request.get_method()} {request.full_url}: {error.code}, {_detail(error)}"
            ) from error
        except OSError as error:
            raise ApiError(f"{request.get_method()} {request.full_url}: {error}") from error


def _detail(error: urllib.error.HTTPError) -> str:
    text = error.read().decode("utf-8", "replace")
    try:
        detail = json.loads(text)["detail"]
    except (ValueError, KeyError, TypeError):
        return text.strip() or error.reason
    return detail if isinstance(detail, str) else json.dumps(detail)
