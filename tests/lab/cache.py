"""The user's cache for everything that is slow to make, safe to share between concurrent runs.

An entry is a folder whose name contains a hash of what it was made from, so a changed pin makes a new entry.
An entry is valid only if it contains its marker. The marker is written last, so an incomplete folder is made
again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

MARKER = "finished.json"


def cache_root() -> Path:
    """``AVATARFORGE_CACHE``, else ``avatarforge`` in the system's cache folder for this user."""
    configured = os.environ.get("AVATARFORGE_CACHE")
    if configured:
        return Path(configured).expanduser().absolute()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        parent = Path(local) if local else Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        parent = Path.home() / "Library" / "Caches"
    else:
        # The XDG specification says to ignore a relative path.
        xdg = Path(os.environ.get("XDG_CACHE_HOME", ""))
        parent = xdg if xdg.is_absolute() else Path.home() / ".cache"
    return parent / "avatarforge"


def key(*parts: object) -> str:
    """A hash of the parts: twelve hex digits."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:12]


def is_finished(folder: Path) -> bool:
    return (folder / MARKER).is_file()


def mark_finished(folder: Path, made_from: Mapping[str, object]) -> None:
    """Write the marker atomically. Its content, ``made_from``, is for people who inspect the cache."""
    write_atomically(folder / MARKER, json.dumps(dict(made_from), indent=2, default=str) + "\n")


def write_atomically(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + f".{os.getpid()}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


@contextlib.contextmanager
def being_made(folder: Path, made_from: Mapping[str, object]) -> Iterator[bool]:
    """Make a cached folder once, even if several runs need it at the same time.

    Yields True if the body must fill the (empty) folder, False if it exists already. The marker is written
    when the body ends without an exception.
    """
    if is_finished(folder):
        yield False
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(folder.name + ".lock")):
        if is_finished(folder):
            yield False
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        yield True
        mark_finished(folder, made_from)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an inter-process lock. The system releases it when the process dies, however that happens."""
    with path.open("a+b") as file:
        if not _try_lock(file):
            print(f"Another run is making {path.stem}; waiting for it …", flush=True)
            while not _try_lock(file):
                time.sleep(0.5)
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
