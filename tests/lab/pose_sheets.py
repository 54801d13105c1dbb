"""``dev.py poses``: draws the built-in poses of the library on contact sheets, to look at each of them.

Every pose is drawn from several sides twice: as the skeleton that ControlNets get, and as a paper doll.
ComfyUI does not run.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .environment import development_python
from .obtain import obtain_comfyui
from .pack import load_pack
from .progress import Command

if TYPE_CHECKING:
    from PIL import Image

VIEWS = ("front", "quarter_left", "left", "back")
CELL = (200, 260)  # pixels of a picture
COLUMNS, ROWS = 2, 6  # poses beside and above one another on a sheet
WORDS = "woman, short brown hair, white shirt, blue jeans, sneakers"
LABEL = (128, 128, 128)


def run_pose_sheets(root: Path, folder: Path) -> int:
    """Draw them into the folder. Returns the exit code. Raises LabError."""
    python = development_python(obtain_comfyui(), root)
    command: Command = [python, "-m", "lab.pose_sheets", root, folder.resolve()]
    return subprocess.run(command, cwd=root / "tests", check=False).returncode


def draw_pose_sheets(folder: Path) -> list[Path]:
    """Write the sheets as PNG files; returns their paths. Needs the loaded pack."""
    poses = importlib.import_module("avatarforge.forge.pictures.library.builtin").BUILT_IN_POSES
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, draw in (("skeletons", _skeletons), ("dolls", _dolls)):
        for number, first in enumerate(range(0, len(poses), COLUMNS * ROWS), 1):
            path = folder / f"{kind}_{number}.png"
            _sheet(poses[first : first + COLUMNS * ROWS], draw).save(path)
            written.append(path)
    return written


def _sheet(poses: tuple[Any, ...], draw: Callable[[Any], list[Image.Image]]) -> Image.Image:
    from PIL import Image, ImageDraw

    rows = -(-len(poses) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * len(VIEWS) * CELL[0], rows * CELL[1]))
    for number, pose in enumerate(poses):
        row, column = divmod(number, COLUMNS)
        for position, picture in enumerate(draw(pose)):
            sheet.paste(picture, ((column * len(VIEWS) + position) * CELL[0], row * CELL[1]))
        at = (column * len(VIEWS) * CELL[0] + 4, row * CELL[1] + 3)
        ImageDraw.Draw(sheet).text(at, pose.name, LABEL)
    return sheet


def _documents(pose: Any) -> Any:
    frames = importlib.import_module("avatarforge.forge.pictures.library.frames")
    return frames.pose_views(pose, VIEWS, CELL)


def _skeletons(pose: Any) -> list[Image.Image]:
    draw_pose = importlib.import_module("avatarforge.forge.pictures.openpose_json").draw_pose
    return [draw_pose(document, *CELL) for document in _documents(pose)]


def _dolls(pose: Any) -> list[Image.Image]:
    drawn = importlib.import_module("avatarforge.forge.pictures.doll.views")
    words = importlib.import_module("avatarforge.forge.pictures.doll.words.reader")
    order = drawn.ViewsOrder(
        description=words.read_description(WORDS, "", "flat", False, ""),
        views=VIEWS,
        size=CELL,
        seed=3,
        view_seed=drawn.SAME_SEED,
        consistency=1.0,
        passes=4,
        poses=dict(zip(VIEWS, _documents(pose), strict=True)),
    )
    return [view.picture for view in drawn.draw_views(order, lambda *_: None)]


if __name__ == "__main__":
    load_pack(Path(sys.argv[1]))
    for path in draw_pose_sheets(Path(sys.argv[2])):
        print(path)
