"""What a ComfyUI installation is: a folder and the interpreter that runs it."""

from __future__ import annotations

import functools
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROBE = """
import torch
ready = torch.cuda.is_available() or (hasattr(torch, "xpu") and torch.xpu.is_available())
print(int(ready or torch.backends.mps.is_available()))
"""


@dataclass(frozen=True)
class ComfyUI:
    """A ComfyUI tree and the Python that has its requirements.

    Attributes:
        root: folder with ``main.py``.
        python: its interpreter.
        is_ours: whether the lab installed it (True) or the user brought it (False).
    """

    root: Path
    python: Path
    is_ours: bool

    def version(self) -> str:
        """Its version, such as ``0.30.0``; ``unknown`` for a tree older than the version file."""
        file = self.root / "comfyui_version.py"
        found = re.search(r'"([^"]+)"', file.read_text(encoding="utf-8")) if file.is_file() else None
        return found[1] if found else "unknown"

    def has_accelerator(self) -> bool:
        """Whether its torch can use a GPU; without one ComfyUI needs ``--cpu``."""
        return _has_accelerator(self.python)


@functools.cache
def _has_accelerator(python: Path) -> bool:
    answer = subprocess.run([python, "-c", _PROBE], capture_output=True, text=True, check=False)
    return answer.stdout.strip() == "1"
