"""Shared by all parts of the benchmark: ComfyUI servers, a folder for files, and the results."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import synthetic
from ..host import ComfyUI
from ..links import link
from ..server import ComfyServer
from .rows import Curve, Row, percentile

PROBE = Path(__file__).with_name("probe")
PREFIX = "/avatarforge-controller"


@dataclass
class Bench:
    """One run.

    Attributes:
        root: the clone.
        comfyui: its Python has torch, Pillow, aiohttp and the pack's requirements.
        python: interpreter of the development tools; it sees ComfyUI's packages too.
        folder: for files of this run; removed afterwards.
        rows, curves: the results.
        say: prints a line. Parts print with it, so that a status line does not garble their output.
    """

    root: Path
    comfyui: ComfyUI
    python: Path
    folder: Path
    rows: list[Row] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    say: Callable[[str], None] = print

    def add(self, row: Row) -> None:
        """Store a row and print it."""
        self.rows.append(row)
        mark = {True: "holds", False: "DOES NOT HOLD", None: ""}[row.holds]
        target = f"   target: {row.target}   {mark}" if row.target else ""
        self.say(f"  {row.name:58} {row.value:>22}{target}")

    @contextmanager
    def server(
        self,
        name: str,
        *,
        pack: bool = True,
        kinds: Sequence[str] = (),
        env: Mapping[str, str | None] | None = None,
        args: Sequence[str] = (),
    ) -> Iterator[ComfyServer]:
        """A running ComfyUI with the probe and, optionally, the pack and synthetic models of these ``kinds``.

        Its base directory is ``folder / name``. If it exists from an earlier call, its contents are used.
        """
        server = ComfyServer(
            self.comfyui,
            self.folder / name,
            pack=self.root if pack else None,
            dotenv="" if pack else None,
            models=synthetic.models(self.comfyui, kinds),
            env=env,
            args=args,
        )
        link(PROBE, server.base / "custom_nodes" / "bench_probe")
        with server:
            yield server


@dataclass(frozen=True)
class LoopStats:
    """The probe's measurements of an event loop.

    Attributes:
        stall_p99: 99th percentile of the delay of callbacks (s).
        seconds, processor_seconds: elapsed and CPU time.
    """

    stall_p99: float
    seconds: float
    processor_seconds: float


@contextmanager
def watching(server: ComfyServer) -> Iterator[list[LoopStats]]:
    """Watch ComfyUI's event loop during the block. Afterwards the list contains one `LoopStats`."""
    stats: list[LoopStats] = []
    _post(server, "/bench/watch")
    yield stats
    result = _post(server, "/bench/seen")
    delays = result["late"]
    stats.append(LoopStats(percentile(delays, 0.99), result["seconds"], result["processor_seconds"]))


def collect(server: ComfyServer) -> None:
    """Run the garbage collector of ComfyUI's Python, so that it does not disturb the next measurement."""
    _post(server, "/bench/collect")


def _post(server: ComfyServer, path: str) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(server.url + path, b""), timeout=60) as response:
        return json.load(response)
