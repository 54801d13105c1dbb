"""A thousand clients that wait for a generation: by polling every two seconds, and with event streams."""

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
POLL_INTERVAL = 2.0  # seconds between two requests of one client
ROUNDS = 2
SECONDS = 6.0
IDLE_SECONDS = 20.0  # more than a heartbeat
WAIT_SECONDS = 60.0
MAX_MEGABYTES = 64
QUEUED = 20  # waiting generations that the clients poll
POLLING = Path(__file__).with_name("polling.py")
PLAIN = "/bench/plain"


def allow_many_sockets() -> None:
    """Raise this process's limit of open files. Call it before ComfyUI starts, which inherits the limit."""
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        soft = 4 * CLIENTS if hard == resource.RLIM_INFINITY else min(4 * CLIENTS, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def measure(bench: Bench) -> None:
    with bench.server("clients", kinds=("sd15",)) as server:
        client = Client(server.url)
        _listen(bench, server, client)
        _poll(bench, server, client)


def _poll(bench: Bench, server: ComfyServer, client: Client) -> None:
    client.post("/prompt", {"prompt": {"1": {"class_type": "BenchHold", "inputs": {"seconds": 300}}}})
    ids = [_submit(client, f"polled {number}") for number in range(QUEUED)]
    generation_paths = [f"{PREFIX}/generations/{generation_id}" for generation_id in ids]
    loads: dict[str, list[float]] = {}
    waits: dict[str, list[float]] = {}
    jobs: dict[str, list[str]] = {"idle": [], "barest JSON route": [PLAIN], "a generation": generation_paths}
    for turn in range(ROUNDS + 1):  # interleaved; the first round is not counted
        for name, paths in jobs.items():
            load, round_waits = _measure_polling(server, paths)
            if turn:
                loads.setdefault(name, []).append(load)
                waits.setdefault(name, []).extend(round_waits)
    idle = median(loads.pop("idle"))
    bench.add(Row(PART, "processor while nobody asks", f"{idle:.1%} of a core"))
    for name, measured in loads.items():
        load = median(measured) - idle
        each = load / (CLIENTS / POLL_INTERVAL) * 1e6
        value = f"{load:.1%} of a core ({each:.0f} us each)"
        target = "at most a tenth of one core" if name == "a generation" else ""
        row = f"{CLIENTS} clients ask for {name} every {POLL_INTERVAL:.0f} s"
        bench.add(Row(PART, row, value, target, load <= 0.1 if target else None))
        slowest = percentile(waits[name], 0.99)
        bench.add(Row(PART, f"{name}: wait of these clients, p99", f"{slowest * 1000:.1f} ms"))


def _measure_polling(server: ComfyServer, paths: list[str]) -> tuple[float, list[float]]:
    """Poll the paths. Returns ComfyUI's CPU use, as a fraction of one core, and the clients' waits (s)."""
    if not paths:
        return _cpu_use(server, lambda: time.sleep(SECONDS)), []
    job = {
        "port": server.port,
        "requests": [request(path).decode() for path in paths],
        "clients": CLIENTS,
        "every": POLL_INTERVAL,
    }
    with subprocess.Popen(
        [sys.executable, POLLING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as polling:
        if polling.stdin is None or polling.stdout is None:
            raise LabError("The clients have no pipes.")
        polling.stdin.write(json.dumps(job) + "\n")
        polling.stdin.flush()
        polling.stdout.readline()  # all clients are connected
        load = _cpu_use(server, lambda: time.sleep(SECONDS))
        polling.stdin.close()
        output = polling.stdout.read()
    if polling.returncode:
        raise LabError("The clients got an unexpected response.")
    waits: list[float] = json.loads(output)
    return load, waits


def _cpu_use(server: ComfyServer, work: Callable[[], None]) -> float:
    """ComfyUI's CPU use during `work`, as a fraction of one core."""
    before, started = _cpu_seconds(server), time.monotonic()
    work()
    return (_cpu_seconds(server) - before) / (time.monotonic() - started)


def _cpu_seconds(server: ComfyServer) -> float:
    """ComfyUI's CPU time so far."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{server.url}/bench/processor", timeout=60) as response:
        return float(json.load(response)["seconds"])


def _listen(bench: Bench, server: ComfyServer, client: Client) -> None:
    if not memory.can_be_measured():
        bench.add(Row(PART, f"{CLIENTS} idle event streams", "memory cannot be measured here"))
        return
    # Let ComfyUI load everything that a first run needs.
    first = _submit(client, "warm-up")
    client.get(f"{PREFIX}/generations/{first}?wait=60")
    with _listeners(server, 10):  # the first listeners need memory that later ones do not
        pass
    before = memory.resident(server.pid)
    with _listeners(server, CLIENTS) as sockets:
        growth = (memory.resident(server.pid) - before) / 1e6
        target = f"at most {MAX_MEGABYTES} MB"
        value = f"{growth:.0f} MB ({growth / CLIENTS * 1000:.0f} KB each)"
        bench.add(Row(PART, f"{CLIENTS} idle event streams", value, target, growth <= MAX_MEGABYTES))
        load = _cpu_use(server, lambda: time.sleep(IDLE_SECONDS))
        bench.add(Row(PART, "processor for them, heartbeats", f"{load:.1%} of a core"))
        started = time.monotonic()
        _submit(client, "announced")
        _wait_for_event(sockets)
        seconds = time.monotonic() - started
        bench.add(Row(PART, "all of them told of an event after", f"{seconds * 1000:.0f} ms"))


def _submit(client: Client, prompt: str) -> str:
    body = {"prompt": prompt, "width": 64, "height": 64, "steps": 1}
    return str(client.post(f"{PREFIX}/generate/avatar", body)["generation_id"])


@contextmanager
def _listeners(server: ComfyServer, count: int) -> Iterator[list[socket.socket]]:
    sockets: list[socket.socket] = []
    try:
        for _ in range(count):
            connection = socket.create_connection((HOST, server.port), timeout=WAIT_SECONDS)
            sockets.append(connection)
            connection.sendall(request(f"{PREFIX}/events"))
            response = b""
            while b"event: hello" not in response:
                piece = connection.recv(65536)
                if not piece:
                    raise LabError(f"listener {len(sockets)} was refused: {response[:200]!r}")
                response += piece
        yield sockets
    finally:
        for connection in sockets:
            connection.close()


def _wait_for_event(sockets: list[socket.socket]) -> None:
    """Read all sockets until each has received the generation's first event, skipping earlier heartbeats."""
    deadline = time.monotonic() + WAIT_SECONDS
    received = {connection: b"" for connection in sockets}
    with selectors.DefaultSelector() as selector:
        for number, connection in enumerate(sockets):
            selector.register(connection, selectors.EVENT_READ, number)
        while received:
            if time.monotonic() > deadline:
                raise LabError(f"{len(received)} listeners got no event in {WAIT_SECONDS:.0f} s")
            for key, _ in selector.select(timeout=1.0):
                connection = sockets[key.data]
                received[connection] += connection.recv(65536)
                if b"event: queued" in received[connection]:
                    selector.unregister(connection)
                    del received[connection]
