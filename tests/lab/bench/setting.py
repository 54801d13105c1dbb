"""What every part of the benchmark works with: ComfyUI servers, a place for files, and the report."""

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
        comfyui: whose Python has torch, Pillow, aiohttp and the pack's requirements.
        python: the interpreter of the development tools; it sees ComfyUI's packages too.
        folder: for files of this run; removed after it.
        rows, curves: what was found.
        say: prints a line; what a part prints goes through it, so that no status line garbles it.
    """

    root: Path
    comfyui: ComfyUI
    python: Path
    folder: Path
    rows: list[Row] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    say: Callable[[str], None] = print

    def add(self, row: Row) -> None:
        """Keep a row and print it."""
        self.rows.append(row)
        mark = {True: "holds", False: "DOES NOT HOLD", None: ""}[row.holds]
        wanted = f"   target: {row.target}   {mark}" if row.target else ""
        self.say(f"  {row.name:58} {row.value:>22}{wanted}")

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
        """A running ComfyUI with the probe and, if wanted, the pack and synthetic models of these ``kinds``.

        Its base directory is ``folder / name``: what lies there from an earlier one of that name is used.
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
class Seen:
    """What the probe saw: how late the loop came (s, 99th percentile), over how many seconds of time and of
    processor."""

    stall_p99: float
    seconds: float
    processor_seconds: float


@contextmanager
def watching(server: ComfyServer) -> Iterator[list[Seen]]:
    """Watch the event loop of a ComfyUI during the block; the list holds one `Seen` after it."""
    found: list[Seen] = []
    _post(server, "/bench/watch")
    yield found
    told = _post(server, "/bench/seen")
    late = told["late"]
    found.append(Seen(percentile(late, 0.99), told["seconds"], told["processor_seconds"]))


def collect(server: ComfyServer) -> None:
    """Have ComfyUI's Python collect its garbage, so that what is measured next begins with none."""
    _post(server, "/bench/collect")


def _post(server: ComfyServer, path: str) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(server.url + path, b""), timeout=60) as answer:
        return json.load(answer)
