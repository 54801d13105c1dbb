"""Memory and file descriptors of a process, read from Linux's /proc."""

from __future__ import annotations

import re
from pathlib import Path

MEBIBYTE = 1024 * 1024


def can_be_measured() -> bool:
    return Path("/proc/self/clear_refs").exists()


def reset_peak(pid: int) -> int:
    """Reset the peak, and return the memory in use now, in bytes (proc(5): clear_refs, value 5)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    return _field(pid, "VmRSS")


def resident(pid: int) -> int:
    """The memory in use now, in bytes."""
    return _field(pid, "VmRSS")


def peak(pid: int) -> int:
    """The peak memory use since `reset_peak`, in bytes."""
    return _field(pid, "VmHWM")


def descriptors(pid: int, suffix: str) -> int:
    """The number of the process's open descriptors whose file name ends with `suffix`."""
    count = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            count += str(entry.readlink()).removesuffix(" (deleted)").endswith(suffix)
        except OSError:
            continue  # closed in the meantime
    return count


def _field(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    match = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    if match is None:
        raise OSError(f"/proc/{pid}/status has no {name}")
    return int(match[1]) * 1024
