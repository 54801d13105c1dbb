"""Many small requests, one after another on each of some connections: rates and waits.

Runs in a process of its own (``ask``), with plain sockets, so that the asking costs as little as it can.
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
class Asked:
    """Requests per second, and how long each waited for its answer (s, in the order of the answers)."""

    rate: float
    waits: list[float]


def request(path: str, method: str = "GET", body: bytes = b"", headers: Sequence[str] = ()) -> bytes:
    """One HTTP/1.1 request on a connection that stays open."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def ask(port: int, requests: Sequence[bytes], *, clients: int, seconds: float, status: int = 200) -> Asked:
    """Send the requests in turn, over and over, for so many seconds, over ``clients`` connections.

    Raises subprocess.CalledProcessError when an answer has another status.
    """
    job = {
        "port": port,
        "requests": [one.decode("latin-1") for one in requests],
        "clients": clients,
        "seconds": seconds,
        "status": status,
    }
    done = subprocess.run(
        [sys.executable, __file__], input=json.dumps(job), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"The load came to an end: {done.stderr.strip()}")
    told = json.loads(done.stdout)
    return Asked(told["rate"], told["waits"])


@dataclass
class _Client:
    link: socket.socket
    position: int
    sent_at: float = 0.0
    answer: bytearray = field(default_factory=bytearray)
    needed: int = 0


def _run(port: int, requests: list[bytes], clients: int, seconds: float, status: int) -> dict[str, Any]:
    wanted = f"HTTP/1.1 {status} ".encode()
    waits: list[float] = []
    with selectors.DefaultSelector() as selector:
        begun = time.perf_counter()
        for number in range(clients):
            link = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = _Client(link, number * len(requests) // clients)
            selector.register(link, selectors.EVENT_READ, client)
            _send(client, requests)
        running, end = clients, begun + seconds
        while running:
            for key, _ in selector.select(TIMEOUT):
                client = key.data
                if not _receive(client, wanted):
                    continue
                now = time.perf_counter()
                waits.append(now - client.sent_at)
                if now < end:
                    _send(client, requests)
                else:
                    selector.unregister(client.link)
                    client.link.close()
                    running -= 1
        return {"rate": len(waits) / (time.perf_counter() - begun), "waits": waits}


def _send(client: _Client, requests: list[bytes]) -> None:
    client.answer.clear()
    client.needed = 0
    client.sent_at = time.perf_counter()
    client.link.sendall(requests[client.position % len(requests)])
    client.position += 1


def _receive(client: _Client, wanted: bytes) -> bool:
    """Take in what has come; whether the answer is whole."""
    piece = client.link.recv(1 << 18)
    if not piece:
        raise ConnectionError(f"the server closed the connection after {bytes(client.answer[:200])!r}")
    client.answer += piece
    if not client.needed:
        end = client.answer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(client.answer[:end]).lower()
        if not client.answer.startswith(wanted):
            raise ConnectionError(f"unexpected answer {bytes(client.answer[:500])!r}")
        start = head.find(b"content-length:")
        length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        client.needed = end + 4 + length
    return len(client.answer) >= client.needed


if __name__ == "__main__":
    job = json.load(sys.stdin)
    job["requests"] = [one.encode("latin-1") for one in job["requests"]]
    json.dump(_run(**job), sys.stdout)
