"""Writes an atlas of pictures that are in memory, as the node Export Atlas does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image

from ..pictures.figure_box import measure_figure
from .atlas import Drawn, aseprite_json, draw_atlas, fitting_atlas, texture_packer_parts, unity_json
from .frames import draw_frame, frame_figures
from .godot import godot_parts
from .limits import MOST_PICTURES
from .members import TextPart, json_part
from .naming import ALL, slug

APP = "AvatarForge"
#: Folders of one name that are tried before it is refused.
_MOST_FOLDERS = 100_000

FILES: Mapping[str, Callable[[Drawn, str], Sequence[TextPart]]] = {
    "atlas": lambda drawn, name: texture_packer_parts(drawn, name, APP),
    "aseprite": lambda drawn, name: (json_part(f"{name}.json", aseprite_json(drawn)),),
    "godot": godot_parts,
    "unity": lambda drawn, name: (json_part(f"{name}.json", unity_json(drawn)),),
}


def write_image_atlas(
    folder: Path,
    name: str,
    pictures: Sequence[tuple[str, Image.Image]],
    kind: str,
    most_height: int | None,
) -> tuple[Path, Drawn]:
    """Write a texture and the files of a format of FILES into a new folder in `folder`, which is returned.
    `pictures` are (name, RGB or RGBA picture). Blocks.

    Raises ValueError without pictures, for too many and for names that are not unique, TooLargeError, and
    OSError.
    """
    if not pictures:
        raise ValueError("An atlas needs at least one picture: connect one.")
    if len(pictures) > MOST_PICTURES:
        raise ValueError(f"An atlas has at most {MOST_PICTURES} pictures, not {len(pictures)}.")
    names = tuple("_".join(slug(part) for part in given.split("_")) for given, _ in pictures)
    repeated = sorted({given for given in names if names.count(given) > 1})
    if repeated:
        raise ValueError(f"Each frame needs a name of its own; these are there twice: {', '.join(repeated)}.")
    stem = slug(name)
    figures = [measure_figure(picture) for _, picture in pictures]
    frames = frame_figures([picture.size for _, picture in pictures], figures, most_height)
    atlas = fitting_atlas(frames)
    drawn = Drawn(atlas, frames, f"{stem}.png", names, {ALL: list(range(len(names)))})
    target = _new_folder(folder, stem)
    size = (frames.width, frames.height)
    with (target / drawn.image).open("xb") as file:
        for piece in draw_atlas(
            atlas,
            frames,
            lambda index: draw_frame(pictures[index][1], frames.placements[index], size),
        ):
            file.write(piece)
    for part in FILES[kind](drawn, stem):
        (target / part.name).write_bytes(part.content)
    return target, drawn


def _new_folder(folder: Path, stem: str) -> Path:
    """A folder that was not there before, also if another program makes one at the same time."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = [path.name.rpartition("_")[2] for path in folder.glob(f"{stem}_[0-9]*")]
    first = max((int(number) for number in taken if number.isdecimal()), default=0) + 1
    for number in range(first, first + _MOST_FOLDERS):
        target = folder / f"{stem}_{number:05d}"
        try:
            target.mkdir()
        except FileExistsError:
            continue
        return target
    raise FileExistsError(f"No new folder can be made for {stem}.")
