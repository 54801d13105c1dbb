"""Makes the repository importable as the package ``avatarforge``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import settings

from lab.pack import load_pack

#: One thread for torch and numpy, here and in every ComfyUI that a test starts. The threads of an operation
#: wait for each other in busy loops: beside another busy process, a step of a tiny model takes ten times as
#: long with two threads as with one, and takes the time from the other tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Without bytecode on disk, each of a hundred processes compiles ComfyUI and the pack again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Time says nothing on a busy machine.
settings.register_profile("avatarforge", deadline=None)
settings.load_profile("avatarforge")

load_pack(Path(__file__).resolve().parents[1])

pytest_plugins = ["thinning", "without_comfyui"]
