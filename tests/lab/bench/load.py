"""A load generator: sends small requests one after another on each of several connections.

``ask`` runs it in its own process, with plain sockets, so that sending costs as little as possible.
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

TIMEOUT = 60.0


@dataclass(frozen=True)
class LoadResult:
    """Requests per second, and the wait for each response (s, in the order of the responses)."""

    rate: float
    waits: list[float]


def request(path: str, method: str = "GET", body: bytes = b"", headers: Sequence[str] = ()) -> bytes:
    """Build an HTTP/1.1 request for a persistent connection."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def ask(
    port: int, requests: Sequence[bytes], *, clients: int, seconds: float, status: int = 200
) -> LoadResult:
    """Send the requests in turn, repeatedly for ``seconds`` seconds, over ``clients`` connections.

    Raises RuntimeError if a response has another status.
    """
    job = {
        "port": port,
        "requests": [data.decode("latin-1") for data in requests],
        "clients": clients,
        "seconds": seconds,
        "status": status,
    }
    result = subprocess.run(
        [sys.executable, __file__], input=json.dumps(job), capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise RuntimeError(f"The load generator failed: {result.stderr.strip()}")
    measured = json.loads(result.stdout)
    return LoadResult(measured["rate"], measured["waits"])


@dataclass
class _Client:
    connection: socket.socket
    position: int
    sent_at: float = 0.0
    response: bytearray = field(default_factory=bytearray)
    expected_size: int = 0


def _run(port: int, requests: list[bytes], clients: int, seconds: float, status: int) -> dict[str, Any]:
    status_line = f"HTTP/1.1 {status} ".encode()
    waits: list[float] = []
    with selectors.DefaultSelector() as selector:
        started = time.perf_counter()
        for number in range(clients):
            connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = _Client(connection, number * len(requests) // clients)
            selector.register(connection, selectors.EVENT_READ, client)
            _send(client, requests)
        running, end = clients, started + seconds
        while running:
            for key, _ in selector.select(TIMEOUT):
                client = key.data
                if not _receive(client, status_line):
                    continue
                now = time.perf_counter()
                waits.append(now - client.sent_at)
                if now < end:
                    _send(client, requests)
                else:
                    selector.unregister(client.connection)
                    client.connection.close()
                    running -= 1
        return {"rate": len(waits) / (time.perf_counter() - started), "waits": waits}


def _send(client: _Client, requests: list[bytes]) -> None:
    client.response.clear()
    client.expected_size = 0
    client.sent_at = time.perf_counter()
    client.connection.sendall(requests[client.position % len(requests)])
    client.position += 1


def _receive(client: _Client, status_line: bytes) -> bool:
    """Read available data. Returns whether the response is complete."""
    piece = client.connection.recv(1 << 18)
    if not piece:
        raise ConnectionError(f"the server closed the connection after {bytes(client.response[:200])!r}")
    client.response += piece
    if not client.expected_size:
        end = client.response.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(client.response[:end]).lower()
        if not client.response.startswith(status_line):
            raise ConnectionError(f"unexpected response {bytes(client.response[:500])!r}")
        start = head.find(b"content-length:")
        length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        client.expected_size = end + 4 + length
    return len(client.response) >= client.expected_size


if __name__ == "__main__":
    job = json.load(sys.stdin)
    job["requests"] = [text.encode("latin-1") for text in job["requests"]]
    json.dump(_run(**job), sys.stdout)
