"""A webhook from a real ComfyUI to a receiver on this machine, through a restart."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook

from lab.api import PREFIX, Api
from lab.server import ComfyServer

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PATIENCE = 90.0


class Receiver(ThreadingHTTPServer):
    """Refuses the first message, and takes all that follow."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.messages: list[tuple[dict[str, str], bytes]] = []
        self.came = threading.Semaphore(0)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(500 if len(self.server.messages) == 1 else 204)
        self.end_headers()
        self.server.came.release()

    def log_message(self, *_: Any) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_message_that_was_not_taken_comes_again_after_a_restart(
    comfy_factory: Callable[..., ComfyServer], receiver: Receiver
) -> None:
    env = {
        "AVATARFORGE_WEBHOOK_HOSTS": "127.0.0.1",
        "AVATARFORGE_WEBHOOK_SECRET": SECRET,
        "AVATARFORGE_WEBHOOK_ALLOW_PRIVATE": "true",
    }
    server = comfy_factory(env=env)
    api = Api(server.url)
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    sent = {"callback_url": url, "prompt": "a knight", "width": 64, "height": 64, "steps": 1}
    headers = {"Idempotency-Key": "once"}
    first = api.post("/generate/avatar", json=sent, headers=headers)
    generation_id = first.json()["generation_id"]
    assert receiver.came.acquire(timeout=PATIENCE)
    server.kill()
    server.start()
    assert receiver.came.acquire(timeout=PATIENCE)
    # ComfyUI serves every route under /api too: it is the same route.
    again = api.post(f"{server.url}/api{PREFIX}/generate/avatar", json=sent, headers=headers)
    assert (again.text, again.headers["Idempotent-Replayed"]) == (first.text, "true")
    (earlier, body), (later, same) = receiver.messages
    assert earlier["webhook-id"] == later["webhook-id"]
    assert body == same
    for headers in (earlier, later):
        received = Webhook(SECRET).verify(body, headers)
    assert received["type"] == "generation.completed"
    assert received["data"]["generation_id"] == generation_id
