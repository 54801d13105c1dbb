"""A client with a persistent connection to ComfyUI, for measurements of tenths of a millisecond."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

from ..progress import LabError
from ..server import HOST
from .setting import PREFIX

TIMEOUT = 120.0
POLL_SECONDS = 0.005
_JSON = {"Content-Type": "application/json"}


class Quick:
    """Calls a ComfyUI over one connection. Raises LabError for any status except 200."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT)

    def get(self, path: str) -> Any:
        return json.loads(self.send("GET", path))

    def post(self, path: str, body: object) -> Any:
        return json.loads(self.send("POST", path, json.dumps(body).encode(), _JSON))

    def timed_post(self, path: str, body: object) -> tuple[float, Any]:
        """POST a JSON body. Returns (seconds until the complete response arrived, its JSON)."""
        data = json.dumps(body).encode()
        started = time.perf_counter()
        response = self.send("POST", path, data, _JSON)
        return time.perf_counter() - started, json.loads(response)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        self._connection.request(method, path, body, headers or {})
        response = self._connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise LabError(f"{method} {path}: {response.status}, {content[:500]!r}")
        return content

    def upload(self, kind: str, png: bytes) -> str:
        """Upload a picture. Returns its file id."""
        boundary = "----avatarforge-bench"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        body = head.encode() + png + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        uploaded = json.loads(self.send("POST", f"{PREFIX}/upload/{kind}_image", body, headers))
        return str(uploaded["file_id"])

    def until_ended(self, generation_id: str, pause: float = POLL_SECONDS) -> float:
        """Poll a generation until it is completed. Returns when that was seen, as `time.time()`."""
        return self._until(f"{PREFIX}/generations/{generation_id}", _is_completed, pause)

    def until_in_history(self, prompt_id: str, pause: float = POLL_SECONDS) -> float:
        """Poll ComfyUI's history until it has the prompt. Returns when that was seen, as `time.time()`."""
        return self._until(f"/history/{prompt_id}", bool, pause)

    def messages(self, prompt_id: str) -> dict[str, dict[str, Any]]:
        """ComfyUI's messages about a finished prompt, by event; each has a `timestamp` in ms."""
        messages = self.get(f"/history/{prompt_id}")[prompt_id]["status"]["messages"]
        return {event: data for event, data in messages}

    def graph(self, generation_id: str) -> dict[str, Any]:
        graph: dict[str, Any] = self.get(f"{PREFIX}/generations/{generation_id}/prompt")["prompt"]
        return graph

    def _until(self, path: str, reached: Any, pause: float) -> float:
        deadline = time.monotonic() + TIMEOUT
        while not reached(self.get(path)):
            if time.monotonic() > deadline:
                raise LabError(f"{path} did not end in {TIMEOUT:.0f} s")
            if pause:
                time.sleep(pause)
        return time.time()


def _is_completed(generation: dict[str, Any]) -> bool:
    if generation["status"] == "failed":
        raise LabError(f"generation {generation['generation_id']} failed: {generation['error']}")
    return bool(generation["status"] == "completed")
