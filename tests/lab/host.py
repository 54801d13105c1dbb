"""A ComfyUI installation: its folder and the interpreter that runs it."""

from __future__ import annotations

import functools
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROBE = """
import torch
available = torch.cuda.is_available() or (hasattr(torch, "xpu") and torch.xpu.is_available())
print(int(available or torch.backends.mps.is_available()))
"""


@dataclass(frozen=True)
class ComfyUI:
    """A ComfyUI source tree and the Python that has its requirements.

    Attributes:
        root: the folder that contains ``main.py``.
        python: the interpreter.
        is_ours: True if the lab installed it, False if it is the user's own.
    """

    root: Path
    python: Path
    is_ours: bool

    def version(self) -> str:
        """The version, such as ``0.30.0``; ``unknown`` for a tree that has no version file yet."""
        file = self.root / "comfyui_version.py"
        match = re.search(r'"([^"]+)"', file.read_text(encoding="utf-8")) if file.is_file() else None
        return match[1] if match else "unknown"

    def has_accelerator(self) -> bool:
        """Whether torch can use a GPU; without one, ComfyUI needs ``--cpu``."""
        return _has_accelerator(self.python)


@functools.cache
def _has_accelerator(python: Path) -> bool:
    result = subprocess.run([python, "-c", _PROBE], capture_output=True, text=True, check=False)
    return result.stdout.strip() == "1"
