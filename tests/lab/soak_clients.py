"""Clients that use the API while ComfyUI is killed, and a ledger of what the API confirmed to them."""

from __future__ import annotations

import http.client
import json
import random
import struct
import threading
import time
import uuid
import zlib
from dataclasses import dataclass, field
from typing import Any

from .client import PREFIX
from .server import HOST

TIMEOUT = 60.0
SMALL = {"prompt": "a knight", "width": 64, "height": 64, "steps": 1}
#: More active generations would only make the final wait longer.
MAX_ACTIVE = 5
ROUTES = ("/generate/avatar", "/generate_pose?pose=back", "/generate_all_poses")
VIEWS = ("front", "back", "side", "quarter")


def png(seed: int, side: int = 64) -> bytes:
    """A picture of seeded noise, made with the standard library only (PNG, third edition, chapter 5)."""
    numbers = random.Random(seed)  # noqa: S311 - no secret
    rows = b"".join(b"\0" + numbers.randbytes(side * 3) for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@dataclass
class Ledger:
    """What clients requested and what the API confirmed.

    Attributes:
        uploads: file id -> seed and side of its picture.
        generations: generation id -> number of requested pictures.
        upload_deletes, generation_deletes: ids for which a delete was sent.
        uploads_deleted, generations_deleted: ids whose delete got status 200.
        surprises: unexpected responses, such as a status of 500.
        responses, unanswered: number of requests with a response and without one.
    """

    uploads: dict[str, tuple[int, int]] = field(default_factory=dict)
    upload_deletes: set[str] = field(default_factory=set)
    uploads_deleted: set[str] = field(default_factory=set)
    generations: dict[str, int] = field(default_factory=dict)
    generation_deletes: set[str] = field(default_factory=set)
    generations_deleted: set[str] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)
    responses: int = 0
    unanswered: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Http:
    """One client. A request without a complete response has status None: it may have taken effect or not."""

    def __init__(self, port: int, ledger: Ledger) -> None:
        self._port = port
        self._ledger = ledger

    def request(
        self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json"
    ) -> tuple[int | None, bytes, str]:
        """Send a request to `path` under the prefix. Returns (status, body, ETag)."""
        connection = http.client.HTTPConnection(HOST, self._port, timeout=TIMEOUT)
        try:
            connection.request(method, PREFIX + path, body, {"Content-Type": content_type} if body else {})
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            with self._ledger.lock:
                self._ledger.unanswered += 1
            return None, b"", ""
        finally:
            connection.close()
        with self._ledger.lock:
            self._ledger.responses += 1
            if response.status >= 500:
                self._ledger.surprises.append(f"{method} {path}: {response.status} {content[:300]!r}")
        return response.status, content, response.headers.get("ETag", "")

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """Send a request. Returns the JSON of a response with status 200, else None."""
        status, content, _ = self.request(method, path, json.dumps(body).encode() if body else None)
        document: dict[str, Any] | None = json.loads(content) if status == 200 else None
        return document

    def upload(self, seed: int, side: int = 64) -> str | None:
        boundary = uuid.uuid4().hex
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        body = head.encode() + png(seed, side) + f"\r\n--{boundary}--\r\n".encode()
        path = f"/upload/{'pose' if seed % 2 else 'reference'}_image"
        status, content, _ = self.request("POST", path, body, f"multipart/form-data; boundary={boundary}")
        if status != 200:
            return None
        file_id = str(json.loads(content)["file_id"])
        with self._ledger.lock:
            self._ledger.uploads[file_id] = (seed, side)
        return file_id

    def generate(self, route: str, body: dict[str, Any]) -> str | None:
        created = self.call("POST", route, {**SMALL, **body})
        if created is None:
            return None
        with self._ledger.lock:
            self._ledger.generations[created["generation_id"]] = len(VIEWS) if "all_poses" in route else 1
        return str(created["generation_id"])

    def delete_upload(self, file_id: str) -> None:
        with self._ledger.lock:
            self._ledger.upload_deletes.add(file_id)
        if self.request("DELETE", f"/files/{file_id}")[0] == 200:
            with self._ledger.lock:
                self._ledger.uploads_deleted.add(file_id)

    def delete_generation(self, generation_id: str) -> None:
        with self._ledger.lock:
            self._ledger.generation_deletes.add(generation_id)
        if self.request("DELETE", f"/generations/{generation_id}")[0] == 200:
            with self._ledger.lock:
                self._ledger.generations_deleted.add(generation_id)

    def active(self) -> int | None:
        """The number of queued or processing generations; None if ComfyUI does not respond."""
        pages = [
            self.call("GET", f"/generations?limit=1&status={status}") for status in ("queued", "processing")
        ]
        return None if None in pages else sum(page["total"] for page in pages if page is not None)


class Clients:
    """Threads that act like users until they are stopped."""

    def __init__(self, port: int, ledger: Ledger, seed: int, count: int) -> None:
        self._port = port
        self._ledger = ledger
        self._stop = threading.Event()
        self._resumed = threading.Event()
        self._resumed.set()
        self._threads = [
            threading.Thread(target=self._work, args=(seed * 1000 + number,), daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def pause(self) -> None:
        """Start nothing new until `resume`."""
        self._resumed.clear()

    def resume(self) -> None:
        self._resumed.set()

    def stop(self) -> None:
        self._stop.set()
        self._resumed.set()
        for thread in self._threads:
            thread.join()

    def _work(self, seed: int) -> None:
        http, numbers = Http(self._port, self._ledger), random.Random(seed)  # noqa: S311 - no secret
        while not self._stop.is_set():
            self._resumed.wait()
            active = http.active()
            if active is None:
                time.sleep(0.3)  # ComfyUI is down
                continue
            self._act(http, numbers, active)
            time.sleep(numbers.uniform(0.0, 0.15))

    def _act(self, http: Http, numbers: random.Random, active: int) -> None:
        with self._ledger.lock:
            files = sorted(set(self._ledger.uploads) - self._ledger.upload_deletes)
            generations = sorted(set(self._ledger.generations) - self._ledger.generation_deletes)
        action = numbers.choices(
            ("upload", "generate", "reroll", "cancel", "retry", "delete", "delete upload"),
            (3, 8 if active < MAX_ACTIVE else 0, 3 if active < MAX_ACTIVE else 0, 1, 2, 1, 1),
        )[0]
        if action == "upload":
            http.upload(numbers.getrandbits(48), numbers.choice((64, 64, 256)))
        elif action == "generate":
            role = numbers.choice(("pose_file_id", "reference_file_id", None))
            body = {role: numbers.choice(files)} if role and files else {}
            http.generate(numbers.choices(ROUTES, (4, 2, 1))[0], {**body, "seed": numbers.getrandbits(40)})
        elif action == "delete upload" and files:
            http.delete_upload(numbers.choice(files))
        elif generations:
            # Mostly one of the latest, which are still active.
            latest = list(self._ledger.generations)[-4:]
            generation_id = numbers.choice(generations if numbers.random() < 0.3 else latest)
            if action == "delete":
                http.delete_generation(generation_id)
            elif action == "reroll":
                http.request("POST", f"/generations/{generation_id}/reroll?pose={numbers.choice(VIEWS)}")
            elif action in ("cancel", "retry"):
                http.request("POST", f"/generations/{generation_id}/{action}")
