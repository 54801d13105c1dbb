"""A thousand clients that wait for a generation: by asking every two seconds, and by listening to events."""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import memory
from ..client import Client
from ..progress import LabError
from ..server import HOST, ComfyServer
from .load import request
from .rows import Row, median, percentile
from .setting import PREFIX, Bench

PART = "Clients"
CLIENTS = 1000
EVERY = 2.0  # seconds between two questions of one client
ROUNDS = 2
SECONDS = 6.0
IDLE_SECONDS = 20.0  # more than a heartbeat
WAIT_SECONDS = 60.0
MEGABYTES = 64
QUEUED = 20  # generations that wait, of which the clients ask
POLLING = Path(__file__).with_name("polling.py")
PLAIN = "/bench/plain"


def allow_many_sockets() -> None:
    """Raise this process's limit of open files, which ComfyUI inherits; call it before ComfyUI starts."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 4 * CLIENTS if most == resource.RLIM_INFINITY else min(4 * CLIENTS, most)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def measure(bench: Bench) -> None:
    with bench.server("clients", kinds=("sd15",)) as server:
        client = Client(server.url)
        _listen(bench, server, client)
        _poll(bench, server, client)


def _poll(bench: Bench, server: ComfyServer, client: Client) -> None:
    client.post("/prompt", {"prompt": {"1": {"class_type": "BenchHold", "inputs": {"seconds": 300}}}})
    ids = [_submit(client, f"polled {number}") for number in range(QUEUED)]
    ours = [f"{PREFIX}/generations/{one}" for one in ids]
    shares: dict[str, list[float]] = {}
    waits: dict[str, list[float]] = {}
    jobs: dict[str, list[str]] = {"idle": [], "barest JSON route": [PLAIN], "a generation": ours}
    for turn in range(ROUNDS + 1):  # interleaved; the first round is not counted
        for name, paths in jobs.items():
            share, waited = _busy(server, paths)
            if turn:
                shares.setdefault(name, []).append(share)
                waits.setdefault(name, []).extend(waited)
    idle = median(shares.pop("idle"))
    bench.add(Row(PART, "processor while nobody asks", f"{idle:.1%} of a core"))
    for name, found in shares.items():
        share = median(found) - idle
        each = share / (CLIENTS / EVERY) * 1e6
        value = f"{share:.1%} of a core ({each:.0f} us each)"
        target = "at most a tenth of one core" if name == "a generation" else ""
        row = f"{CLIENTS} clients ask for {name} every {EVERY:.0f} s"
        bench.add(Row(PART, row, value, target, share <= 0.1 if target else None))
        late = percentile(waits[name], 0.99)
        bench.add(Row(PART, f"{name}: wait of these clients, p99", f"{late * 1000:.1f} ms"))


def _busy(server: ComfyServer, paths: list[str]) -> tuple[float, list[float]]:
    """The share of one core that ComfyUI takes meanwhile, and how long the clients waited (s)."""
    if not paths:
        share = _share(server, lambda: time.sleep(SECONDS))
        return share, []
    job = {
        "port": server.port,
        "requests": [request(path).decode() for path in paths],
        "clients": CLIENTS,
        "every": EVERY,
    }
    with subprocess.Popen(
        [sys.executable, POLLING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as polling:
        if polling.stdin is None or polling.stdout is None:
            raise LabError("The clients have no pipes.")
        polling.stdin.write(json.dumps(job) + "\n")
        polling.stdin.flush()
        polling.stdout.readline()  # all of them are connected
        share = _share(server, lambda: time.sleep(SECONDS))
        polling.stdin.close()
        told = polling.stdout.read()
    if polling.returncode:
        raise LabError("The clients got an unexpected answer.")
    waits: list[float] = json.loads(told)
    return share, waits


def _share(server: ComfyServer, work: Callable[[], None]) -> float:
    before, begun = _processor(server), time.monotonic()
    work()
    return (_processor(server) - before) / (time.monotonic() - begun)


def _processor(server: ComfyServer) -> float:
    """Seconds of processor time that ComfyUI has taken."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{server.url}/bench/processor", timeout=60) as answer:
        return float(json.load(answer)["seconds"])


def _listen(bench: Bench, server: ComfyServer, client: Client) -> None:
    if not memory.can_be_measured():
        bench.add(Row(PART, f"{CLIENTS} idle event streams", "memory cannot be measured here"))
        return
    # What a first run loads is loaded before.
    first = _submit(client, "so that everything is loaded")
    client.get(f"{PREFIX}/generations/{first}?wait=60")
    with _listeners(server, 10):  # what the first ones take is taken once
        pass
    before = memory.resident(server.pid)
    with _listeners(server, CLIENTS) as sockets:
        grown = (memory.resident(server.pid) - before) / 1e6
        target = f"at most {MEGABYTES} MB"
        value = f"{grown:.0f} MB ({grown / CLIENTS * 1000:.0f} KB each)"
        bench.add(Row(PART, f"{CLIENTS} idle event streams", value, target, grown <= MEGABYTES))
        share = _share(server, lambda: time.sleep(IDLE_SECONDS))
        bench.add(Row(PART, "processor for them, heartbeats", f"{share:.1%} of a core"))
        begun = time.monotonic()
        _submit(client, "heard")
        _until_told(sockets)
        taken = time.monotonic() - begun
        bench.add(Row(PART, "all of them told of an event after", f"{taken * 1000:.0f} ms"))


def _submit(client: Client, prompt: str) -> str:
    body = {"prompt": prompt, "width": 64, "height": 64, "steps": 1}
    return str(client.post(f"{PREFIX}/generate/avatar", body)["generation_id"])


@contextmanager
def _listeners(server: ComfyServer, count: int) -> Iterator[list[socket.socket]]:
    sockets: list[socket.socket] = []
    try:
        for _ in range(count):
            opened = socket.create_connection((HOST, server.port), timeout=WAIT_SECONDS)
            sockets.append(opened)
            opened.sendall(request(f"{PREFIX}/events"))
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
