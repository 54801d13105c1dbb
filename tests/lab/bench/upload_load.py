"""Uploads from a process of their own, with plain sockets, so that sending costs as little as it can.

Every upload is the same picture with a private chunk that holds its number: another number, another content.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import socket
import struct
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

TIMEOUT = 120.0
BOUNDARY = b"----FormBoundaryT2dD1mYxq7vKp0aZ"  # as long as that of a browser
END_CHUNK = 12  # bytes of a PNG's IEND


@dataclass(frozen=True)
class Job:
    """Upload the picture at ``picture`` under each of ``numbers``, over ``clients`` connections at once.

    Attributes:
        field: name of the form's field.
        announce: send `Expect: 100-continue` and the SHA-256, and no body: the answer must come before it.
    """

    port: int
    path: str
    field: str
    picture: str
    numbers: list[int]
    clients: int
    announce: bool = False


@dataclass(frozen=True)
class Sent:
    """Seconds that all of them took together, bytes of the pictures, and the answers' bodies."""

    seconds: float
    size: int
    answers: list[Any]

    @property
    def rate(self) -> float:
        """Megabytes per second."""
        return self.size / self.seconds / 1e6


def send(job: Job) -> Sent:
    """Raises RuntimeError when an answer is not 200."""
    done = subprocess.run(
        [sys.executable, __file__], input=json.dumps(asdict(job)), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"The uploads came to an end: {done.stderr.strip()}")
    return Sent(**json.loads(done.stdout))


def _run(job: Job) -> Sent:
    with Path(job.picture).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        picture = whole[:]
    start = memoryview(picture)[:-END_CHUNK]
    known = hashlib.sha256(start)
    tails = [_numbered(number) + picture[-END_CHUNK:] for number in job.numbers]
    requests = []
    for number, tail in zip(job.numbers, tails, strict=True):
        digest = known.copy()
        digest.update(tail)
        size = len(start) + len(tail)
        requests.append(
            (_head(job, number, size, digest.hexdigest()), tail + b"\r\n--" + BOUNDARY + b"--\r\n")
        )
    with ThreadPoolExecutor(job.clients) as pool:
        begun = time.perf_counter()
        answers = list(pool.map(lambda one: _upload(job, one[0], start, one[1]), requests))
        seconds = time.perf_counter() - begun
    return Sent(seconds, len(picture) * len(requests), answers)


def _numbered(number: int) -> bytes:
    body = b"prVt" + struct.pack(">Q", number)
    return struct.pack(">I", 8) + body + struct.pack(">I", zlib.crc32(body))


def _head(job: Job, number: int, size: int, digest: str) -> bytes:
    part = (
        f'--{BOUNDARY.decode()}\r\nContent-Disposition: form-data; name="{job.field}"; '
        f'filename="{number}.png"\r\nContent-Type: image/png\r\n\r\n'
    ).encode()
    length = len(part) + size + len(BOUNDARY) + 8
    lines = [
        f"POST {job.path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}",
        f"Content-Length: {length}",
        *(("Expect: 100-continue", f"X-Content-SHA256: {digest}") if job.announce else ()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if job.announce else part)


def _upload(job: Job, head: bytes, start: memoryview, end: bytes) -> Any:
    with socket.create_connection(("127.0.0.1", job.port), timeout=TIMEOUT) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.sendall(head)
        if not job.announce:
            link.sendall(start)
            link.sendall(end)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = link.recv(65536)
            if not piece:
                raise ConnectionError(f"no answer, but {answer[:200]!r}")
            answer += piece
        top, _, body = answer.partition(b"\r\n\r\n")
        if top.split()[1] != b"200":
            raise ConnectionError(f"unexpected answer {answer[:500]!r}")
        lengths = [line for line in top.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while len(body) < int(lengths[0].split(b":")[1]):
            body += link.recv(65536)
        return json.loads(body)


if __name__ == "__main__":
    json.dump(asdict(_run(Job(**json.load(sys.stdin)))), sys.stdout)
