"""Nodes for skeletons that were extracted from photos: draw them, and cache them in the store."""

from __future__ import annotations

import io as bytes_io
import json
from typing import Any

import torch
from comfy_api.latest import io

from ..forge.errors import UnprocessableError
from ..forge.pictures.openpose_json import InvalidPose, NobodyVisible, draw_pose, parse_pose
from ..forge.pictures.skeleton import BoneStyle
from ..host.comfy import on_server_loop
from .choices import BONES, CATEGORY, LARGEST, bones_input
from .registry import stored_files
from .tensors import fit, plain_numbers, to_picture, to_tensor

# SDPose gives every keypoint a position; below this score it is a guess. ComfyUI's own drawing node has the
# same default.
SURE = 0.3
NOBODY = (
    "Nobody was found in the pose picture, so its pose cannot be applied. Send another picture, a skeleton "
    "or OpenPose JSON, or use pose_mode raw to apply the picture as it is."
)


class DrawKeypoints(io.ComfyNode):
    """Draws keypoints of SDPose or DWPose as a skeleton like those that pose ControlNets were trained on."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeDrawKeypoints",
            display_name="Draw Pose Keypoints (AvatarForge)",
            category=CATEGORY,
            description="Draws pose keypoints as an OpenPose skeleton, fitted into a frame, on black. Fails "
            "if they show no person.",
            search_aliases=["avatar", "pose", "openpose", "skeleton", "keypoints", "sdpose", "dwpose"],
            inputs=[
                io.Custom("POSE_KEYPOINT").Input("keypoints"),
                io.Int.Input(
                    "width", default=0, min=0, max=LARGEST, tooltip="Pixels; 0 keeps the canvas's own."
                ),
                io.Int.Input(
                    "height", default=0, min=0, max=LARGEST, tooltip="Pixels; 0 keeps the canvas's own."
                ),
                bones_input(
                    "How thick to draw the bones: as most ControlNets expect, or thicker, for xinsir's."
                ),
            ],
            outputs=[io.Image.Output(display_name="skeleton")],
        )

    @classmethod
    def execute(cls, keypoints: Any, width: int, height: int, bones: str = "standard") -> io.NodeOutput:
        drawn = []
        for frame in [keypoints] if isinstance(keypoints, dict) else keypoints:
            try:
                pose = parse_pose(json.dumps(frame, default=plain_numbers).encode(), sure=SURE)
            except NobodyVisible as error:
                raise UnprocessableError(NOBODY, ("body", "pose_file_id")) from error
            except InvalidPose as error:
                raise UnprocessableError(
                    f"What was read from the pose picture cannot be drawn. {error}", ("body", "pose_file_id")
                ) from error
            size = (width, height) if width and height else (pose.width, pose.height)
            drawn.append(to_tensor(draw_pose(pose, *size, BoneStyle(bones))))
        if not drawn:
            raise UnprocessableError(NOBODY, ("body", "pose_file_id"))
        return io.NodeOutput(torch.cat(drawn))


class KeepSkeleton(io.ComfyNode):
    """Stores a skeleton, linked to the photo that it was extracted from."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeKeepSkeleton",
            display_name="Keep Skeleton (AvatarForge)",
            category=CATEGORY,
            description="Caches the skeleton of a stored photo, so that it is extracted only once, and fits "
            "all of it into a frame. Fails if the skeleton shows no person.",
            search_aliases=["avatar", "pose", "openpose", "skeleton", "extract", "stored image"],
            inputs=[
                io.Image.Input("image", tooltip="The skeleton, on black."),
                io.String.Input("source_hash", tooltip="content_hash of the photo."),
                io.String.Input("extractor", tooltip="What extracted it, such as dwpose."),
                io.Combo.Input("bones", options=BONES, default=BONES[0]),
                io.Int.Input(
                    "width", default=0, min=0, max=LARGEST, tooltip="Pixels; 0 keeps the skeleton's own."
                ),
                io.Int.Input(
                    "height", default=0, min=0, max=LARGEST, tooltip="Pixels; 0 keeps the skeleton's own."
                ),
            ],
            outputs=[io.Image.Output(display_name="pose")],
        )

    @classmethod
    def execute(
        cls,
        image: torch.Tensor,
        source_hash: str,
        extractor: str,
        bones: str,
        width: int,
        height: int,
    ) -> io.NodeOutput:
        picture = to_picture(image[0])
        if picture.getbbox() is None:
            raise UnprocessableError(NOBODY, ("body", "pose_file_id"))
        buffer = bytes_io.BytesIO()
        picture.save(buffer, "PNG")
        on_server_loop(stored_files().keep_skeleton(source_hash, extractor, bones, buffer.getvalue()))
        # Continue with the picture as stored, so that the next generation gets the same pixels.
        return io.NodeOutput(to_tensor(fit(picture, width, height) if width and height else picture))
