"""Makes the repository importable as the package ``avatarforge``."""

from __future__ import annotations

from pathlib import Path

from lab.pack import load_pack

load_pack(Path(__file__).resolve().parents[1])

pytest_plugins = ["without_comfyui"]
