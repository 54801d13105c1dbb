"""Nodes that read the keypoints of a pose, for Paper Doll and other nodes that take a POSE_KEYPOINT."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from ..forge.errors import RejectedUploadError, UnprocessableError
from ..forge.pictures.doll.poses.people import people_in, to_keypoints
from ..forge.pictures.openpose_json import InvalidPose, PoseDocument, parse_pose, seen_from_behind
from ..forge.pictures.read_skeleton import read_skeleton
from ..forge.store.images import load_rgb
from ..forge.store.inspect import JSON_TYPE
from .choices import CATEGORY
from .registry import stored_files
from .tensors import flatten, to_picture

KEYPOINTS = io.Custom("POSE_KEYPOINT")
_BLACK = 0
_UNREADABLE = (
    "The keypoints of the pose picture cannot be read: it is no OpenPose skeleton on black. Send OpenPose "
    "JSON, or use pose_mode photo for a picture of a person."
)


def _from_behind_input() -> io.Boolean.Input:
    return io.Boolean.Input(
        "from_behind",
        default=False,
        tooltip="Turns the figures around: mirrored, without nose and eyes.",
    )


class LoadKeypoints(io.ComfyNode):
    """Loads the keypoints of a stored pose."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeLoadKeypoints",
            display_name="Load Keypoints (AvatarForge)",
            category=CATEGORY,
            description="Loads the keypoints of a stored pose: OpenPose JSON, or a skeleton picture, from "
            "which it reads them.",
            search_aliases=["avatar", "pose", "openpose", "skeleton", "json", "keypoints", "stored image"],
            inputs=[
                io.String.Input("file_id", advanced=True, tooltip="The id that the upload returned."),
                _from_behind_input(),
            ],
            outputs=[KEYPOINTS.Output(display_name="keypoints")],
        )

    @classmethod
    def execute(cls, file_id: str, from_behind: bool) -> io.NodeOutput:
        record, path = stored_files().locate(file_id)
        if record.mime_type == JSON_TYPE:
            try:
                return _output(parse_pose(path.read_bytes()), from_behind)
            except InvalidPose as error:
                raise RejectedUploadError(f"The stored pose {file_id} is damaged. {error}") from error
        try:
            return _output(read_skeleton(flatten(*load_rgb(path), _BLACK)), from_behind)
        except InvalidPose as error:
            raise UnprocessableError(f"{_UNREADABLE} {error}", ("body", "pose_file_id")) from error


class ReadSkeleton(io.ComfyNode):
    """Reads the keypoints of a skeleton picture, such as one that an extractor drew."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeReadSkeleton",
            display_name="Read Skeleton (AvatarForge)",
            category=CATEGORY,
            description="Reads the keypoints of an OpenPose skeleton on black, by the colours of its joints "
            "and bones.",
            search_aliases=["avatar", "pose", "openpose", "skeleton", "keypoints", "read"],
            inputs=[
                io.Image.Input("image", tooltip="The skeleton, on black."),
                _from_behind_input(),
            ],
            outputs=[KEYPOINTS.Output(display_name="keypoints")],
        )

    @classmethod
    def execute(cls, image: torch.Tensor, from_behind: bool) -> io.NodeOutput:
        frames = []
        for row in image:
            try:
                frames.append(_frame(read_skeleton(to_picture(row)), from_behind))
            except InvalidPose as error:
                raise UnprocessableError(f"{_UNREADABLE} {error}", ("body", "pose_file_id")) from error
        return io.NodeOutput(frames)


def _output(document: PoseDocument, from_behind: bool) -> io.NodeOutput:
    return io.NodeOutput([_frame(document, from_behind)])


def _frame(document: PoseDocument, from_behind: bool) -> dict[str, Any]:
    if from_behind:
        document = seen_from_behind(document)
    size = document.width, document.height
    return to_keypoints(people_in(document, *size), *size)
