"""What many idle listeners cost: memory and processor time of a real ComfyUI."""

from __future__ import annotations

import contextlib
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..client import PREFIX, Client
from ..progress import LabError
from ..server import ComfyServer

LISTENERS = 1000
IDLE_SECONDS = 30.0  # two heartbeats for each
WAIT_SECONDS = 60.0
# psutil is among ComfyUI's own requirements.
_USAGE = (
    "import psutil, sys; p = psutil.Process(int(sys.argv[1])); t = p.cpu_times(); "
    "print(p.memory_info().rss, t.user + t.system)"
)


def allow_many_sockets() -> None:
    """Raise this process's limit of open files, which ComfyUI inherits; call it before ComfyUI starts."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 4 * LISTENERS if most == resource.RLIM_INFINITY else min(4 * LISTENERS, most)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def measure_listeners(client: Client, server: ComfyServer) -> None:
    """Print one row for no listeners and one for LISTENERS of them, and how soon an event reaches all."""
    memory, _ = _usage(server)
    busy = _idle(server)
    print(f"\nidle event streams, {IDLE_SECONDS:.0f} s:")
    print(f"  {'none':22} {memory / 1e6:7.0f} MB {busy * 100:6.2f} % of one processor")
    with _listeners(server) as sockets:
        with_them, _ = _usage(server)
        busy = _idle(server)
        each = (with_them - memory) / len(sockets) / 1e3
        print(
            f"  {len(sockets):<22} {with_them / 1e6:7.0f} MB {busy * 100:6.2f} % of one processor, "
            f"{each:.0f} KB each"
        )
        started = time.monotonic()
        client.post(f"{PREFIX}/generate/avatar", {"prompt": "heard", "width": 64, "height": 64, "steps": 1})
        _until_told(sockets)
        print(f"  a new generation is told to all of them after {(time.monotonic() - started) * 1000:.0f} ms")


@contextmanager
def _listeners(server: ComfyServer) -> Iterator[list[socket.socket]]:
    sockets: list[socket.socket] = []
    request = f"GET {PREFIX}/events HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    try:
        for _ in range(LISTENERS):
            opened = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS)
            sockets.append(opened)
            opened.sendall(request)
            answer = b""
            while b"event: hello" not in answer:
                piece = opened.recv(65536)
                if not piece:
                    raise LabError(f"listener {len(sockets)} was refused: {answer[:200]!r}")
                answer += piece
        yield sockets
    finally:
        for opened in sockets:
            opened.close()


def _usage(server: ComfyServer) -> tuple[int, float]:
    """(bytes of memory, seconds of processor time) of ComfyUI."""
    command = [str(server.comfyui.python), "-c", _USAGE, str(server.pid)]
    memory, seconds = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(memory), float(seconds)


def _idle(server: ComfyServer) -> float:
    """The share of one processor that ComfyUI uses while nobody asks for anything."""
    _, before = _usage(server)
    time.sleep(IDLE_SECONDS)
    _, after = _usage(server)
    return (after - before) / IDLE_SECONDS


def _until_told(sockets: list[socket.socket]) -> None:
    """Read them all until each has been told of the generation, past the heartbeats that came before."""
    deadline = time.monotonic() + WAIT_SECONDS
    told = {opened: b"" for opened in sockets}
    with selectors.DefaultSelector() as selector:
        for number, opened in enumerate(sockets):
            selector.register(opened, selectors.EVENT_READ, number)
        while told:
            if time.monotonic() > deadline:
                raise LabError(f"{len(told)} listeners were not told in {WAIT_SECONDS:.0f} s")
            for key, _ in selector.select(timeout=1.0):
                opened = sockets[key.data]
                told[opened] += opened.recv(65536)
                if b"event: queued" in told[opened]:
                    selector.unregister(opened)
                    del told[opened]
