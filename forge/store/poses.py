"""Detects what a stored pose file is: OpenPose JSON, a skeleton, or a photo (or drawing) of a person."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PIL import Image

from ...db.records import FileRecord
from ..errors import UnprocessableError
from ..pictures.recognise import looks_like_skeleton
from .images import load_rgb
from .inspect import JSON_TYPE

PoseKind = Literal["json", "skeleton", "photo"]


def recognise_pose(path: Path, mime_type: str) -> PoseKind:
    """Detect the kind by content. Blocks for a full decode if it is a picture. Raises InvalidImage,
    OSError."""
    if mime_type == JSON_TYPE:
        return "json"
    picture, alpha = load_rgb(path)
    if alpha is not None:
        picture = Image.composite(picture, Image.new("RGB", picture.size), alpha)
    return "skeleton" if looks_like_skeleton(picture) else "photo"


def require_picture(record: FileRecord, *field: str | int) -> None:
    """Raises UnprocessableError, located at `field` of the body, for a pose in JSON, which has no pixels."""
    if record.mime_type == JSON_TYPE:
        raise UnprocessableError(
            f"The file {record.id} is a pose in JSON; {field[0]} must name a PNG, JPEG or WEBP picture.",
            ("body", *field),
            code="picture_required",
        )
