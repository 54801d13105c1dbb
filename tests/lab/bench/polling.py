"""Clients that each ask once in so many seconds, evenly spread, in a process of their own.

Reads its job as one line of JSON, says "ready" when each has asked once, goes on until its input ends, and
prints how long each answer took, in seconds.
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
    links = [socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) for _ in range(clients)]
    waits: list[float] = []
    sent_at = [0.0] * clients
    left = [b""] * clients
    number = 0
    ready = False
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ, None)
        for place, link in enumerate(links):
            selector.register(link, selectors.EVENT_READ, place)
        begun = time.perf_counter()
        while True:
            due = begun + number * every / clients
            for key, _ in selector.select(max(0.0, due - time.perf_counter())):
                if key.data is None:
                    return waits
                left[key.data] += links[key.data].recv(1 << 16)
                if _whole(left[key.data]):
                    waits.append(time.perf_counter() - sent_at[key.data])
                    left[key.data] = b""
            if time.perf_counter() >= due:
                place = number % clients
                sent_at[place] = time.perf_counter()
                links[place].sendall(requests[number % len(requests)])
                number += 1
            if not ready and number >= clients:  # each has asked once
                print("ready", flush=True)
                ready = True
                waits.clear()


def _whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    if not head.startswith(b"HTTP/1.1 200 "):
        raise ConnectionError(f"unexpected answer {head[:200]!r}")
    start = head.lower().index(b"content-length:") + 15
    return len(body) >= int(head[start:].split(b"\r\n", 1)[0])


if __name__ == "__main__":
    job: dict[str, Any] = json.loads(sys.stdin.readline())
    job["requests"] = [one.encode() for one in job["requests"]]
    print(json.dumps(run(**job)))
