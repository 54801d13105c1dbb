"""Clients that poll at a fixed interval, evenly spread. Runs in its own process.

Reads its job as one line of JSON, prints "ready" when each client has sent one request, continues until its
input ends, and prints the wait for each response, in seconds.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from typing import Any

TIMEOUT = 60.0


def run(port: int, requests: list[bytes], clients: int, every: float) -> list[float]:
    connections = [socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) for _ in range(clients)]
    waits: list[float] = []
    sent_at = [0.0] * clients
    buffers = [b""] * clients
    number = 0
    ready = False
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ, None)
        for index, connection in enumerate(connections):
            selector.register(connection, selectors.EVENT_READ, index)
        started = time.perf_counter()
        while True:
            due = started + number * every / clients
            for key, _ in selector.select(max(0.0, due - time.perf_counter())):
                if key.data is None:
                    return waits
                buffers[key.data] += connections[key.data].recv(1 << 16)
                if _is_complete(buffers[key.data]):
                    waits.append(time.perf_counter() - sent_at[key.data])
                    buffers[key.data] = b""
            if time.perf_counter() >= due:
                index = number % clients
                sent_at[index] = time.perf_counter()
                connections[index].sendall(requests[number % len(requests)])
                number += 1
            if not ready and number >= clients:  # each client has sent one request
                print("ready", flush=True)
                ready = True
                waits.clear()


def _is_complete(response: bytes) -> bool:
    head, end, body = response.partition(b"\r\n\r\n")
    if not end:
        return False
    if not head.startswith(b"HTTP/1.1 200 "):
        raise ConnectionError(f"unexpected response {head[:200]!r}")
    start = head.lower().index(b"content-length:") + 15
    return len(body) >= int(head[start:].split(b"\r\n", 1)[0])


if __name__ == "__main__":
    job: dict[str, Any] = json.loads(sys.stdin.readline())
    job["requests"] = [text.encode() for text in job["requests"]]
    print(json.dumps(run(**job)))
