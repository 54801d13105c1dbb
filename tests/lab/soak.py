"""A fault harness: SIGKILL to a real ComfyUI again and again while clients use it; then all is counted.

The clients and the moments follow from the seed; how they fall together does not, so a seed repeats the plan
and not the run.
"""

from __future__ import annotations

import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import synthetic
from .host import ComfyUI
from .obtain import obtain_comfyui
from .server import ComfyServer
from .soak_checks import fsck_offline, has_fsck, verify
from .soak_clients import Clients, Http, Ledger

#: Where a kill is aimed at. "random" and "running" hit whatever goes on then.
AIMS = ("random", "upload", "save", "resume", "delete", "running")
SETTLE_SECONDS = 300.0
AIM_SECONDS = 20.0


def run_soak(root: Path, kills: int, seed: int | None) -> int:
    """`dev.py soak`. Returns 1 when something that was promised does not hold."""
    chosen = random.SystemRandom().randrange(2**32) if seed is None else seed
    comfyui = obtain_comfyui()
    with tempfile.TemporaryDirectory() as base:
        wrong = soak(root, comfyui, Path(base), kills=kills, seed=chosen)
    return 1 if wrong else 0


def soak(
    root: Path,
    comfyui: ComfyUI,
    base: Path,
    *,
    kills: int,
    seed: int,
    aims: Sequence[str] = AIMS,
    settle: float = 0.3,
    clients: int = 3,
) -> list[str]:
    """Kill and count. Returns what is wrong, one line each; prints as it goes.

    The aims take turns; `settle` is the share of the starts after which everything is waited for, and the
    next kill finds nothing of the one before.
    """
    print(f"soak: {kills} kills, seed {seed}", flush=True)
    numbers = random.Random(seed)  # noqa: S311 - no secret
    ledger = Ledger()
    models = synthetic.models(comfyui, ("sd15", "sd15-openpose"))
    server = ComfyServer(comfyui, base, pack=root, dotenv="", models=models)
    started = time.monotonic()
    with server:
        users = Clients(server.port, ledger, seed, clients)
        try:
            for number in range(1, kills + 1):
                aim = aims[(number - 1) % len(aims)]
                if numbers.random() < settle:
                    users.pause()
                    _settled(server, ledger)
                    users.go_on()
                _aim(aim, server, ledger, numbers)
                server.kill()
                print(
                    f"  {time.monotonic() - started:6.0f} s  kill {number}/{kills} ({aim}): "
                    f"{len(ledger.uploads)} uploads, {len(ledger.generations)} generations accepted",
                    flush=True,
                )
                server.start()
                if aim == "resume":  # once more, in the middle of going on
                    time.sleep(numbers.uniform(0.0, 0.3))
                    server.kill()
                    server.start()
        finally:
            users.stop()
        wrong = [] if _settled(server, ledger) else ["not everything came to an end"]
        found, summary = verify(server, ledger)
        checked = has_fsck(Http(server.port, ledger))
    wrong += found
    wrong += fsck_offline(root, server) if checked else []
    print(summary, flush=True)
    if not checked:
        print("This pack has no fsck: it was left out.", flush=True)
    for fault in wrong:
        print(f"WRONG: {fault}", flush=True)
    print(f"soak: seed {seed}, {kills} kills, {len(wrong)} faults", flush=True)
    return wrong


def _aim(aim: str, server: ComfyServer, ledger: Ledger, numbers: random.Random) -> None:
    """Wait for the moment."""
    http = Http(server.port, ledger)
    if aim == "upload":
        sending = threading.Thread(target=http.upload, args=(numbers.getrandbits(48), 512), daemon=True)
        sending.start()
        time.sleep(numbers.uniform(0.0, 0.08))
    elif aim == "save":
        before = _pictures(server.base)
        http.generate("/generate_all_poses", {})
        _until(lambda: _pictures(server.base) - before, numbers.uniform(0.0, 0.02))
    elif aim == "delete":
        one = http.generate("/generate/avatar", {"steps": 4})
        if one is not None:
            _until(lambda: (http.tell("GET", f"/generations/{one}") or {}).get("status") != "queued", 0.0)
            threading.Thread(target=http.delete_generation, args=(one,), daemon=True).start()
            time.sleep(numbers.uniform(0.0, 0.1))
    elif aim == "running":
        _until(lambda: http.tell("GET", "/generations?status=processing&limit=1") or 0, 0.0)
        time.sleep(numbers.uniform(0.0, 0.5))
    else:
        time.sleep(numbers.uniform(0.05, 3.0))


def _pictures(base: Path) -> set[str]:
    """The files in the folders of the generations, those that are being written too."""
    # os.walk goes on when a folder is deleted while it looks.
    walk = os.walk(base / "output" / "avatarforge")
    return {str(Path(folder) / name) for folder, _, names in walk for name in names}


def _until(reached: Callable[[], object], then: float) -> None:
    deadline = time.monotonic() + AIM_SECONDS
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(then)


def _settled(server: ComfyServer, ledger: Ledger) -> bool:
    """Wait until nothing is queued or processing; False when that takes too long."""
    http = Http(server.port, ledger)
    deadline = time.monotonic() + SETTLE_SECONDS
    while http.active() != 0:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
