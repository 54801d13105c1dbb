"""``dev.py dolls``: draws the pictures of the documentation that show paper dolls. ComfyUI does not run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .environment import development_python
from .obtain import obtain_comfyui
from .pack import load_pack
from .progress import Command

FOLDER = Path("docs/images")


def run_illustrations(root: Path) -> int:
    """Draw them again. Returns the exit code. Raises LabError."""
    python = development_python(obtain_comfyui(), root)
    command: Command = [python, "-m", "lab.illustrations", root]
    return subprocess.run(command, cwd=root / "tests", check=False).returncode


def draw_illustrations(root: Path) -> list[Path]:
    """Draw icon, banner, overview and contact sheet. Returns the files written. Needs Pillow."""
    load_pack(root)
    from .brand import draw_brand
    from .dolls import draw_dolls
    from .overview import draw_overview

    folder = root / FOLDER
    return [*draw_brand(folder), draw_overview(folder / "overview.png"), draw_dolls(folder / "dolls.jpg")]


if __name__ == "__main__":
    for path in draw_illustrations(Path(sys.argv[1])):
        print(path.name)
