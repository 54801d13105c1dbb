"""Three kills of `dev.py soak`, which runs a hundred."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.host import ComfyUI
from lab.soak import soak

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(os.name == "nt", reason="a process is killed as POSIX does it")
@pytest.mark.timeout(600)
def test_three_kills_lose_nothing_and_double_nothing(comfyui: ComfyUI, tmp_path: Path) -> None:
    aims = ("upload", "save", "delete")
    assert soak(ROOT, comfyui, tmp_path, kills=3, seed=1, aims=aims, idle_share=0.0, clients=2) == []
