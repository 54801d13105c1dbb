"""Describes the machine of a run, without anything that identifies it: no host name and no path."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from pathlib import Path

from ..host import ComfyUI

#: Packages that affect the results, besides ComfyUI and Python.
DISTRIBUTIONS = ("torch", "aiohttp", "SQLAlchemy", "Pillow", "pydantic")
_VERSIONS = """
import importlib.metadata, json, platform, sqlite3, sys
found = {"Python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found[name] = "none"
print(json.dumps({**found, "SQLite": sqlite3.sqlite_version}))
"""


def machine(folder: Path) -> dict[str, str]:
    """Processor, memory and system. ``folder`` is on the file system that the run writes to."""
    found = {
        "Processor": f"{_processor()}, {os.cpu_count() or '?'} cores",
        "Memory": _memory(),
        "System": _system(),
        "File system": _file_system(folder),
    }
    return {name: value for name, value in found.items() if value}


def versions(comfyui: ComfyUI, root: Path) -> dict[str, str]:
    """Versions of ComfyUI, of its Python and packages, and of the pack in the clone at ``root``."""
    command: list[str | Path] = [comfyui.python, "-c", _VERSIONS, *DISTRIBUTIONS]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pack = re.search(r'^version = "(.+)"$', (root / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    return {"AvatarForge": pack[1] if pack else "unknown", "ComfyUI": comfyui.version(), **json.loads(output)}


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return model[1].strip() if model else platform.machine()


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return ""
    return f"{size / 1024**3:.0f} GB"


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = ""
    return ", ".join(part for part in (name, f"{platform.system()} {platform.release()}") if part)


def _file_system(folder: Path) -> str:
    """The type of the folder's file system; "" if unknown. Linux only (proc(5): mountinfo)."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    resolved = folder.resolve()
    types = {}
    for line in lines:
        mount, _, rest = line.partition(" - ")
        types[Path(mount.split()[4])] = rest.split()[0]
    return next((types[path] for path in (resolved, *resolved.parents) if path in types), "")
