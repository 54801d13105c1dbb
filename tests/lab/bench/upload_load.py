"""Sends uploads from its own process, with plain sockets, so that sending costs as little as possible.

Every upload is the same picture plus a private chunk with a number, so each number makes a different content.
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
BOUNDARY = b"----FormBoundaryT2dD1mYxq7vKp0aZ"  # as long as a browser's
END_CHUNK = 12  # bytes of a PNG's IEND


@dataclass(frozen=True)
class Job:
    """Upload the picture at ``picture`` once for each number, over ``clients`` concurrent connections.

    Attributes:
        field: name of the form field.
        announce: send `Expect: 100-continue` and the SHA-256 but no body; the response must not wait for it.
    """

    port: int
    path: str
    field: str
    picture: str
    numbers: list[int]
    clients: int
    announce: bool = False


@dataclass(frozen=True)
class UploadResult:
    """Total seconds, total size of the pictures in bytes, and the response bodies."""

    seconds: float
    size: int
    responses: list[Any]

    @property
    def rate(self) -> float:
        """Megabytes per second."""
        return self.size / self.seconds / 1e6


def send(job: Job) -> UploadResult:
    """Run the job in its own process. Raises RuntimeError if a response is not 200."""
    result = subprocess.run(
        [sys.executable, __file__], input=json.dumps(asdict(job)), capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise RuntimeError(f"The uploads failed: {result.stderr.strip()}")
    return UploadResult(**json.loads(result.stdout))


def _run(job: Job) -> UploadResult:
    with Path(job.picture).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        picture = data[:]
    start = memoryview(picture)[:-END_CHUNK]
    start_hash = hashlib.sha256(start)
    tails = [_number_chunk(number) + picture[-END_CHUNK:] for number in job.numbers]
    requests = []
    for number, tail in zip(job.numbers, tails, strict=True):
        digest = start_hash.copy()
        digest.update(tail)
        size = len(start) + len(tail)
        requests.append(
            (_head(job, number, size, digest.hexdigest()), tail + b"\r\n--" + BOUNDARY + b"--\r\n")
        )
    with ThreadPoolExecutor(job.clients) as pool:
        started = time.perf_counter()
        responses = list(pool.map(lambda parts: _upload(job, parts[0], start, parts[1]), requests))
        seconds = time.perf_counter() - started
    return UploadResult(seconds, len(picture) * len(requests), responses)


def _number_chunk(number: int) -> bytes:
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
    with socket.create_connection(("127.0.0.1", job.port), timeout=TIMEOUT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head)
        if not job.announce:
            connection.sendall(start)
            connection.sendall(end)
        response = b""
        while b"\r\n\r\n" not in response:
            piece = connection.recv(65536)
            if not piece:
                raise ConnectionError(f"no response, but {response[:200]!r}")
            response += piece
        header, _, body = response.partition(b"\r\n\r\n")
        if header.split()[1] != b"200":
            raise ConnectionError(f"unexpected response {response[:500]!r}")
        lengths = [line for line in header.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while len(body) < int(lengths[0].split(b":")[1]):
            body += connection.recv(65536)
        return json.loads(body)


if __name__ == "__main__":
    json.dump(asdict(_run(Job(**json.load(sys.stdin)))), sys.stdout)
