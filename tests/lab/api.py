"""A small client of the pack's API, for the tests on the real host."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

PREFIX = "/avatarforge-controller"
TERMINAL = ("completed", "failed")


class Api:
    """The API of a running ComfyUI.

    Attributes:
        server: ComfyUI's own URL, without a slash at the end.
        base_url: ``server`` and the API's prefix.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self.base_url = server + PREFIX
        self.session = requests.Session()
        # A proxy from the environment must not stand between us and 127.0.0.1.
        self.session.trust_env = False

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request to ``path`` under the prefix, or to a whole URL."""
        url = path if path.startswith("http") else self.base_url + path
        return self.session.request(method, url, **{"timeout": 60, **options})

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.request("POST", path, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.request("DELETE", path, **options)

    def head(self, path: str, **options: Any) -> requests.Response:
        return self.request("HEAD", path, **options)

    def root(self, path: str, **options: Any) -> requests.Response:
        """GET ``path`` of ComfyUI's server itself, outside the prefix."""
        return self.request("GET", self.server + path, **options)

    def upload(self, content: bytes, kind: str = "pose", filename: str = "picture.png") -> dict[str, Any]:
        """Upload an image as ``pose`` or ``reference``; the answer's body."""
        answer = self.post(f"/upload/{kind}_image", files={"file": (filename, content)})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def generate(self, route: str = "/generate/avatar", **body: Any) -> dict[str, Any]:
        """Ask for a generation; the answer's body. Small and quick unless ``body`` says otherwise."""
        small = {"prompt": "a knight", "width": 64, "height": 64, "steps": 1}
        answer = self.post(route, json={**small, **body})
        assert answer.status_code == 200, answer.text
        generation: dict[str, Any] = answer.json()
        return generation

    def wait(self, generation_id: str, timeout: float = 120.0) -> dict[str, Any]:
        """Poll a generation until it is completed or failed. Raises TimeoutError after ``timeout`` s."""
        return self.until(generation_id, lambda generation: generation["status"] in TERMINAL, timeout)

    def until(
        self, generation_id: str, reached: Callable[[dict[str, Any]], bool], timeout: float = 120.0
    ) -> dict[str, Any]:
        """Poll a generation until ``reached`` says so. Raises TimeoutError after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            answer = self.get(f"/generations/{generation_id}")
            assert answer.status_code == 200, answer.text
            generation: dict[str, Any] = answer.json()
            if reached(generation):
                return generation
            if time.monotonic() > deadline:
                raise TimeoutError(f"generation {generation_id} is still {generation['status']}")
            time.sleep(0.05)

    def started(self, generation_id: str) -> dict[str, Any]:
        """Poll a generation until ComfyUI has begun with it."""
        return self.until(generation_id, lambda generation: generation["status"] != "queued")
