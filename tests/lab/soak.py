"""Fault injection: kills a real ComfyUI repeatedly while clients use it, then checks that nothing was lost.

The clients' actions and the delays follow from the seed, but their interleaving does not: a seed repeats the
plan, not the run.
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
from .soak_checks import fsck_offline, has_fsck, no_reroll_waits, verify
from .soak_clients import Clients, Http, Ledger

#: What each kill should interrupt. "random" and "running" hit whatever happens at that moment.
AIMS = ("random", "upload", "save", "resume", "delete", "running")
IDLE_TIMEOUT = 300.0
AIM_TIMEOUT = 20.0


def run_soak(root: Path, kills: int, seed: int | None) -> int:
    """`dev.py soak`. Returns 1 if it finds a fault."""
    chosen = random.SystemRandom().randrange(2**32) if seed is None else seed
    comfyui = obtain_comfyui()
    with tempfile.TemporaryDirectory() as base:
        faults = soak(root, comfyui, Path(base), kills=kills, seed=chosen)
    return 1 if faults else 0


def soak(
    root: Path,
    comfyui: ComfyUI,
    base: Path,
    *,
    kills: int,
    seed: int,
    aims: Sequence[str] = AIMS,
    idle_share: float = 0.3,
    clients: int = 3,
) -> list[str]:
    """Kill ComfyUI `kills` times and check the result. Prints progress and returns the faults, one line each.

    Kills rotate through `aims`. `idle_share` is the probability of waiting, before a kill, until no
    generation is queued or processing, so that nothing of the previous kill is left.
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
                if numbers.random() < idle_share:
                    users.pause()
                    _wait_until_idle(server, ledger)
                    users.resume()
                _aim(aim, server, ledger, numbers)
                server.kill()
                print(
                    f"  {time.monotonic() - started:6.0f} s  kill {number}/{kills} ({aim}): "
                    f"{len(ledger.uploads)} uploads, {len(ledger.generations)} generations accepted",
                    flush=True,
                )
                server.start()
                if aim == "resume":  # kill again while it resumes generations
                    time.sleep(numbers.uniform(0.0, 0.3))
                    server.kill()
                    server.start()
        finally:
            users.stop()
        faults = [] if _wait_until_idle(server, ledger) else ["some generations did not end"]
        found, summary = verify(server, ledger)
        with_fsck = has_fsck(Http(server.port, ledger))
    faults += found
    faults += fsck_offline(root, server) if with_fsck else []
    print(summary, flush=True)
    if not with_fsck:
        print("This pack has no fsck: that check was skipped.", flush=True)
    for fault in faults:
        print(f"WRONG: {fault}", flush=True)
    print(f"soak: seed {seed}, {kills} kills, {len(faults)} faults", flush=True)
    return faults


def _aim(aim: str, server: ComfyServer, ledger: Ledger, numbers: random.Random) -> None:
    """Wait for the moment at which the next kill should happen."""
    http = Http(server.port, ledger)
    if aim == "upload":
        upload = threading.Thread(target=http.upload, args=(numbers.getrandbits(48), 512), daemon=True)
        upload.start()
        time.sleep(numbers.uniform(0.0, 0.08))
    elif aim == "save":
        before = _pictures(server.base)
        http.generate("/generate_all_poses", {})
        _until(lambda: _pictures(server.base) - before, numbers.uniform(0.0, 0.02))
    elif aim == "delete":
        created = http.generate("/generate/avatar", {"steps": 4})
        if created is not None:
            path = f"/generations/{created}"
            _until(lambda: (http.call("GET", path) or {}).get("status") != "queued", 0.0)
            threading.Thread(target=http.delete_generation, args=(created,), daemon=True).start()
            time.sleep(numbers.uniform(0.0, 0.1))
    elif aim == "running":
        _until(lambda: http.call("GET", "/generations?status=processing&limit=1") or 0, 0.0)
        time.sleep(numbers.uniform(0.0, 0.5))
    else:
        time.sleep(numbers.uniform(0.05, 3.0))


def _pictures(base: Path) -> set[str]:
    """All files in the folders of the generations, including those being written."""
    # os.walk tolerates folders that are deleted while it runs.
    walk = os.walk(base / "output" / "avatarforge")
    return {str(Path(folder) / name) for folder, _, names in walk for name in names}


def _until(reached: Callable[[], object], delay: float) -> None:
    """Poll until `reached` returns true, for at most AIM_TIMEOUT seconds; then sleep for `delay` seconds."""
    deadline = time.monotonic() + AIM_TIMEOUT
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(delay)


def _wait_until_idle(server: ComfyServer, ledger: Ledger) -> bool:
    """Wait until nothing is queued or processing and no re-roll waits. Returns False if it takes too long."""
    http = Http(server.port, ledger)
    deadline = time.monotonic() + IDLE_TIMEOUT
    while http.active() != 0 or not no_reroll_waits(http):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
