"""Reads stored poses: their JSON, or the keypoints of a skeleton picture. Everything here blocks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from ..errors import RejectedUploadError
from ..pictures.library.builtin import openpose_json
from ..pictures.openpose_json import InvalidPose, PoseDocument, parse_pose
from ..pictures.read_skeleton import read_skeleton
from ..store.files import lost_bytes
from ..store.images import InvalidImage, load_rgb


def read_stored(path: Path, file_id: str) -> PoseDocument:
    try:
        return parse_pose(path.read_bytes())
    except OSError as error:
        raise lost_bytes(file_id) from error
    except InvalidPose as error:
        raise _no_pose(f"The stored pose {file_id} is damaged. {error}") from error


def read_picture(path: Path, file_id: str) -> bytes:
    """The keypoints of a skeleton picture, as JSON."""
    try:
        picture, alpha = load_rgb(path)
    except (OSError, InvalidImage) as error:
        raise lost_bytes(file_id) from error
    if alpha is not None:
        picture = Image.composite(picture, Image.new("RGB", picture.size), alpha)
    try:
        return to_bytes(openpose_json(read_skeleton(picture)))
    except InvalidPose as error:
        raise _no_pose(
            f"The file {file_id} is no OpenPose skeleton on black, so its keypoints cannot be read. {error}"
        ) from error


def _no_pose(message: str) -> RejectedUploadError:
    return RejectedUploadError(message, code="invalid_pose")


def to_bytes(pose: Mapping[str, Any]) -> bytes:
    """Compact JSON; half characters, which no keypoint needs, are escaped. Raises RejectedUploadError for a
    number that is not finite."""
    try:
        return json.dumps(pose, separators=(",", ":"), allow_nan=False).encode("ascii")
    except ValueError as error:
        raise _no_pose("The pose has a number that is not finite.") from error
