"""Thumbnails of stored files, made on request and cached only by browsers."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ..errors import NotFoundError
from ..pictures.openpose_json import InvalidPose, draw_pose, parse_pose
from .images import InvalidImage, load_rgb
from .inspect import JSON_TYPE

SMALLEST, LARGEST, USUAL = 64, 512, 256  # pixels of the longer side
#: Part of the ETag. Increment it when the same file gives other bytes than before.
VERSION = 1
QUALITY = 85

Renderer = Callable[[Path], tuple[Image.Image, Image.Image | None]]


@dataclass(frozen=True)
class Thumbnail:
    content: bytes
    mime_type: str


def _draw_json(path: Path) -> tuple[Image.Image, None]:
    pose = parse_pose(path.read_bytes())
    scale = min(1.0, LARGEST / max(pose.width, pose.height))
    return draw_pose(pose, max(1, round(pose.width * scale)), max(1, round(pose.height * scale))), None


#: MIME type of a stored file -> its renderer, which returns RGB and the alpha channel or None.
RENDERERS: dict[str, Renderer] = {
    "image/png": load_rgb,
    "image/jpeg": load_rgb,
    "image/webp": load_rgb,
    JSON_TYPE: _draw_json,
}


def make_thumbnail(path: Path, mime_type: str, size: int) -> Thumbnail:
    """The picture fitted into `size` x `size` pixels, never enlarged: PNG if it has an alpha channel, else
    JPEG.

    Blocks for a full decode. Raises NotFoundError for a type that cannot be shown, and for missing bytes.
    """
    render = RENDERERS.get(mime_type)
    if render is None:
        raise NotFoundError(f"There is no thumbnail of a file of the type {mime_type}.")
    try:
        picture, alpha = render(path)
    except (OSError, InvalidImage, InvalidPose) as error:
        raise NotFoundError("The bytes of this picture are gone from the disk.", code="file_lost") from error
    if alpha is not None:
        picture.putalpha(alpha)
    picture.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    if alpha is None:
        picture.save(buffer, "JPEG", quality=QUALITY)
        return Thumbnail(buffer.getvalue(), "image/jpeg")
    picture.save(buffer, "PNG")
    return Thumbnail(buffer.getvalue(), "image/png")
