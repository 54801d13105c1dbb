"""One kept connection to a ComfyUI, for calls whose every tenth of a millisecond counts."""

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
    """Raises LabError for every answer but 200."""

    def __init__(self, port: int) -> None:
        self._link = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT)

    def get(self, path: str) -> Any:
        return json.loads(self.send("GET", path))

    def post(self, path: str, body: object) -> Any:
        return json.loads(self.send("POST", path, json.dumps(body).encode(), _JSON))

    def timed_post(self, path: str, body: object) -> tuple[float, Any]:
        """(seconds until the whole answer was there, the answer)."""
        sent = json.dumps(body).encode()
        begun = time.perf_counter()
        answer = self.send("POST", path, sent, _JSON)
        return time.perf_counter() - begun, json.loads(answer)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        self._link.request(method, path, body, headers or {})
        answer = self._link.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise LabError(f"{method} {path}: {answer.status}, {content[:500]!r}")
        return content

    def upload(self, kind: str, png: bytes) -> str:
        """The id that the picture gets."""
        edge = "----avatarforge-bench"
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        body = head.encode() + png + f"\r\n--{edge}--\r\n".encode()
        sent = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        answer = json.loads(self.send("POST", f"{PREFIX}/upload/{kind}_image", body, sent))
        return str(answer["file_id"])

    def until_ended(self, generation_id: str, pause: float = POLL_SECONDS) -> float:
        """Poll a generation until it is completed; the moment (`time.time()`) when that was seen."""
        return self._until(f"{PREFIX}/generations/{generation_id}", _is_completed, pause)

    def until_in_history(self, prompt_id: str, pause: float = POLL_SECONDS) -> float:
        """The same for ComfyUI's own history."""
        return self._until(f"/history/{prompt_id}", bool, pause)

    def messages(self, prompt_id: str) -> dict[str, dict[str, Any]]:
        """What ComfyUI told of a prompt that has ended, by event; each has its `timestamp` in ms."""
        told = self.get(f"/history/{prompt_id}")[prompt_id]["status"]["messages"]
        return {kind: data for kind, data in told}

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
