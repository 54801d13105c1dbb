"""What a process holds, as Linux tells it."""

from __future__ import annotations

import re
from pathlib import Path

MEBIBYTE = 1024 * 1024


def can_be_measured() -> bool:
    return Path("/proc/self/clear_refs").exists()


def reset_peak(pid: int) -> int:
    """Forget the peak so far; the memory in use now, in bytes (proc(5): clear_refs, value 5)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    return _field(pid, "VmRSS")


def resident(pid: int) -> int:
    """The memory in use now, in bytes."""
    return _field(pid, "VmRSS")


def peak(pid: int) -> int:
    """The most memory in use since `reset_peak`, in bytes."""
    return _field(pid, "VmHWM")


def descriptors(pid: int, ending: str) -> int:
    """How many open descriptors of the process lead to files of that ending."""
    found = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found += str(entry.readlink()).removesuffix(" (deleted)").endswith(ending)
        except OSError:
            continue  # closed meanwhile
    return found


def _field(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    match = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    if match is None:
        raise OSError(f"/proc/{pid}/status has no {name}")
    return int(match[1]) * 1024
