"""Clients that use the API while ComfyUI is killed under them, and the ledger of what it promised them."""

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
#: More than these at once would only make the wait at the end longer.
MOST_ACTIVE = 5
ROUTES = ("/generate/avatar", "/generate_pose?pose=back", "/generate_all_poses")
VIEWS = ("front", "back", "side", "quarter")


def png(seed: int, side: int = 64) -> bytes:
    """A picture of seeded noise, with nothing but the standard library (PNG, third edition, chapter 5)."""
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
    """What was answered. `uploads`: file id -> seed and side of its picture; `generations`: id -> number of
    pictures asked for. `*_asked` are deletes that were sent, `*_deleted` those that were answered with 200.
    `surprises` are answers that nothing explains."""

    uploads: dict[str, tuple[int, int]] = field(default_factory=dict)
    uploads_asked: set[str] = field(default_factory=set)
    uploads_deleted: set[str] = field(default_factory=set)
    generations: dict[str, int] = field(default_factory=dict)
    generations_asked: set[str] = field(default_factory=set)
    generations_deleted: set[str] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)
    answers: int = 0
    unanswered: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Http:
    """One client. A request that gets no whole answer gives status None: it may have been done or not."""

    def __init__(self, port: int, ledger: Ledger) -> None:
        self._port = port
        self._ledger = ledger

    def ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> tuple[int | None, bytes, str]:
        """(status, body, ETag) of a request under the prefix."""
        connection = http.client.HTTPConnection(HOST, self._port, timeout=TIMEOUT)
        try:
            connection.request(method, PREFIX + path, body, {"Content-Type": kind} if body else {})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            with self._ledger.lock:
                self._ledger.unanswered += 1
            return None, b"", ""
        finally:
            connection.close()
        with self._ledger.lock:
            self._ledger.answers += 1
            if answer.status >= 500:
                self._ledger.surprises.append(f"{method} {path}: {answer.status} {content[:300]!r}")
        return answer.status, content, answer.headers.get("ETag", "")

    def tell(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """The body of a 200, else None."""
        status, content, _ = self.ask(method, path, json.dumps(body).encode() if body else None)
        found: dict[str, Any] | None = json.loads(content) if status == 200 else None
        return found

    def upload(self, seed: int, side: int = 64) -> str | None:
        boundary = uuid.uuid4().hex
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        body = head.encode() + png(seed, side) + f"\r\n--{boundary}--\r\n".encode()
        path = f"/upload/{'pose' if seed % 2 else 'reference'}_image"
        status, content, _ = self.ask("POST", path, body, f"multipart/form-data; boundary={boundary}")
        if status != 200:
            return None
        file_id = str(json.loads(content)["file_id"])
        with self._ledger.lock:
            self._ledger.uploads[file_id] = (seed, side)
        return file_id

    def generate(self, route: str, body: dict[str, Any]) -> str | None:
        answer = self.tell("POST", route, {**SMALL, **body})
        if answer is None:
            return None
        with self._ledger.lock:
            self._ledger.generations[answer["generation_id"]] = len(VIEWS) if "all_poses" in route else 1
        return str(answer["generation_id"])

    def delete_upload(self, file_id: str) -> None:
        with self._ledger.lock:
            self._ledger.uploads_asked.add(file_id)
        if self.ask("DELETE", f"/files/{file_id}")[0] == 200:
            with self._ledger.lock:
                self._ledger.uploads_deleted.add(file_id)

    def delete_generation(self, generation_id: str) -> None:
        with self._ledger.lock:
            self._ledger.generations_asked.add(generation_id)
        if self.ask("DELETE", f"/generations/{generation_id}")[0] == 200:
            with self._ledger.lock:
                self._ledger.generations_deleted.add(generation_id)

    def active(self) -> int | None:
        """How many generations are queued or processing; None when nobody answers."""
        counts = [self.tell("GET", f"/generations?limit=1&status={one}") for one in ("queued", "processing")]
        return None if None in counts else sum(found["total"] for found in counts if found is not None)


class Clients:
    """Threads that do what users do, until they are stopped."""

    def __init__(self, port: int, ledger: Ledger, seed: int, count: int) -> None:
        self._port = port
        self._ledger = ledger
        self._stop = threading.Event()
        self._may = threading.Event()
        self._may.set()
        self._threads = [
            threading.Thread(target=self._work, args=(seed * 1000 + number,), daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def pause(self) -> None:
        """Begin nothing new until `go_on`."""
        self._may.clear()

    def go_on(self) -> None:
        self._may.set()

    def stop(self) -> None:
        self._stop.set()
        self._may.set()
        for thread in self._threads:
            thread.join()

    def _work(self, seed: int) -> None:
        http, numbers = Http(self._port, self._ledger), random.Random(seed)  # noqa: S311 - no secret
        while not self._stop.is_set():
            self._may.wait()
            active = http.active()
            if active is None:
                time.sleep(0.3)  # it is down; nothing can be waited for but its return
                continue
            self._one_step(http, numbers, active)
            time.sleep(numbers.uniform(0.0, 0.15))

    def _one_step(self, http: Http, numbers: random.Random, active: int) -> None:
        with self._ledger.lock:
            files = sorted(set(self._ledger.uploads) - self._ledger.uploads_asked)
            ours = sorted(set(self._ledger.generations) - self._ledger.generations_asked)
        deed = numbers.choices(
            ("upload", "generate", "reroll", "cancel", "retry", "delete", "delete upload"),
            (3, 8 if active < MOST_ACTIVE else 0, 3 if active < MOST_ACTIVE else 0, 1, 2, 1, 1),
        )[0]
        if deed == "upload":
            http.upload(numbers.getrandbits(48), numbers.choice((64, 64, 256)))
        elif deed == "generate":
            role = numbers.choice(("pose_file_id", "reference_file_id", None))
            body = {role: numbers.choice(files)} if role and files else {}
            http.generate(numbers.choices(ROUTES, (4, 2, 1))[0], {**body, "seed": numbers.getrandbits(40)})
        elif deed == "delete upload" and files:
            http.delete_upload(numbers.choice(files))
        elif ours:
            # Mostly one of the last few, which are still on their way.
            one = numbers.choice(ours if numbers.random() < 0.3 else list(self._ledger.generations)[-4:])
            if deed == "delete":
                http.delete_generation(one)
            elif deed == "reroll":
                http.ask("POST", f"/generations/{one}/reroll?pose={numbers.choice(VIEWS)}")
            elif deed in ("cancel", "retry"):
                http.ask("POST", f"/generations/{one}/{deed}")
