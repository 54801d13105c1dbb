"""A small client for the pack's API, used by the host tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

PREFIX = "/avatarforge-controller"
TERMINAL = ("completed", "failed")
#: How long a request waits for an end, in seconds. Asking again and again would take processor time from what
#: runs.
LONG_POLL = 20


class Api:
    """The API of a running ComfyUI.

    Attributes:
        server: URL of ComfyUI, without a trailing slash.
        base_url: ``server`` followed by the API's prefix.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self.base_url = server + PREFIX
        self.session = requests.Session()
        # Never send requests for 127.0.0.1 through a proxy from the environment.
        self.session.trust_env = False

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request to ``path`` under the prefix, or to an absolute URL."""
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
        """GET ``path`` from the server's root, outside the prefix."""
        return self.request("GET", self.server + path, **options)

    def upload(self, content: bytes, kind: str = "pose", filename: str = "picture.png") -> dict[str, Any]:
        """Upload an image as ``pose`` or ``reference``. Returns the response body."""
        response = self.post(f"/upload/{kind}_image", files={"file": (filename, content)})
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    def generate(self, route: str = "/generate/avatar", **body: Any) -> dict[str, Any]:
        """Request a generation, small and quick unless ``body`` overrides it. Returns the response body."""
        defaults = {"prompt": "a knight", "width": 64, "height": 64, "steps": 1}
        response = self.post(route, json={**defaults, **body})
        assert response.status_code == 200, response.text
        generation: dict[str, Any] = response.json()
        return generation

    def wait(self, generation_id: str, timeout: float = 120.0) -> dict[str, Any]:
        """Wait until a generation completes or fails. Raises TimeoutError after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            response = self.get(f"/generations/{generation_id}", params={"wait": LONG_POLL})
            assert response.status_code == 200, response.text
            generation: dict[str, Any] = response.json()
            if generation["status"] in TERMINAL:
                return generation
            if time.monotonic() > deadline:
                raise TimeoutError(f"generation {generation_id} is still {generation['status']}")

    def until(
        self, generation_id: str, reached: Callable[[dict[str, Any]], bool], timeout: float = 120.0
    ) -> dict[str, Any]:
        """Poll a generation until ``reached`` returns true. Raises TimeoutError after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            response = self.get(f"/generations/{generation_id}")
            assert response.status_code == 200, response.text
            generation: dict[str, Any] = response.json()
            if reached(generation):
                return generation
            if time.monotonic() > deadline:
                raise TimeoutError(f"generation {generation_id} is still {generation['status']}")
            time.sleep(0.05)

    def started(self, generation_id: str) -> dict[str, Any]:
        """Poll a generation until ComfyUI has started it."""
        return self.until(generation_id, lambda generation: generation["status"] != "queued")

    def history(self, prompt_id: str, timeout: float = 120.0) -> dict[str, Any]:
        """What ComfyUI's history says of a prompt, once that has ended. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while prompt_id not in (history := self.root(f"/history/{prompt_id}").json()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"prompt {prompt_id} has not ended")
            time.sleep(0.05)
        record: dict[str, Any] = history[prompt_id]
        return record
