"""A small disk, a tmpfs of a few megabytes, for tests that fill it or make it read-only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEBIBYTE = 1024 * 1024


class SmallDisk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, leave: int = 0) -> None:
        """Fill the disk until only `leave` bytes are free, to the nearest page."""
        with self._ballast.open("ab", buffering=0) as file:
            while (free := self.free - leave) > 0:
                try:
                    file.write(bytes(min(free, MEBIBYTE)))
                except OSError:
                    break

    def empty(self) -> None:
        self._ballast.unlink()

    @property
    def free(self) -> int:
        stats = os.statvfs(self.folder)
        return stats.f_bavail * stats.f_frsize

    def set_read_only(self, read_only: bool) -> None:
        _mount("-o", f"remount,{'ro' if read_only else 'rw'}", str(self.folder))


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount a small disk. Skips the test, with the reason, if that is not possible."""
    if sys.platform != "linux":
        pytest.skip("NOT TESTED: a full disk needs a tmpfs, which only Linux has")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "avatarforge-test", str(folder))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"NOT TESTED: a full disk needs permission to mount one, which is missing here ({error})")
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily, so that a leftover process cannot keep the test folder from being removed.
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True, timeout=30)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True, timeout=30)
