"""Nodes that redraw a face: its region in a picture, and the new face in the old picture."""

from __future__ import annotations

import json
from typing import Any

import torch
from comfy_api.latest import io

from ..forge.errors import UnprocessableError
from ..forge.pictures.doll.poses.people import people_in
from ..forge.pictures.face_region import FaceRegion, find_face, put_face, region_mask
from ..forge.pictures.openpose_json import InvalidPose, PoseDocument, parse_pose
from ..forge.spec.redraw import FEATHER, MARGIN, MOST_MARGIN
from .choices import CATEGORY, LARGEST
from .keypoints import KEYPOINTS
from .tensors import plain_numbers

# Extractors give every keypoint a position; below this score it is a guess.
SURE = 0.3
_NO_FACE = (
    "The keypoints of the picture show no face: neither a nose nor an eye. Choose a picture in which the "
    "face can be seen."
)


class FaceRegionMask(io.ComfyNode):
    """Makes a mask of the head from keypoints."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeFaceRegion",
            display_name="Face Region (AvatarForge)",
            category=CATEGORY,
            description=(
                "Makes a mask of the largest head that shows its face, from keypoints: a disc with a soft "
                "edge inside. For Set Latent Noise Mask and Composite Face."
            ),
            search_aliases=["avatar", "face", "head", "mask", "expression", "inpaint", "keypoints"],
            inputs=[
                io.Image.Input("image", tooltip="The picture, whose size the mask gets."),
                KEYPOINTS.Input("keypoints", tooltip="The pose of the picture."),
                io.Float.Input(
                    "margin",
                    default=MARGIN,
                    min=0.0,
                    max=MOST_MARGIN,
                    step=0.01,
                    tooltip="Around the head, as a share of its radius.",
                ),
                io.Float.Input(
                    "feather",
                    default=FEATHER,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Width of the soft edge inside the region, as a share of its radius.",
                ),
                io.Int.Input(
                    "frame_width",
                    default=0,
                    min=0,
                    max=LARGEST,
                    tooltip="Pixels of the frame of the keypoints from whose middle the picture was cut; 0: "
                    "it was not cut.",
                ),
            ],
            outputs=[io.Mask.Output(display_name="region", tooltip="1 is the face, 0 is outside.")],
        )

    @classmethod
    def execute(
        cls, image: torch.Tensor, keypoints: Any, margin: float, feather: float, frame_width: int
    ) -> io.NodeOutput:
        height, width = image.shape[1:3]
        people = people_in(_document(keypoints), frame_width or width, height)
        region = find_face(people, margin)
        if region is None:
            raise UnprocessableError(_NO_FACE, ("body", "position"))
        cut = max(0, (frame_width or width) - width) // 2
        mask = region_mask(FaceRegion(region.x - cut, region.y, region.radius), width, height, feather)
        return io.NodeOutput(torch.from_numpy(mask).unsqueeze(0))


class CompositeFace(io.ComfyNode):
    """Puts a redrawn face into the original picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeCompositeFace",
            display_name="Composite Face (AvatarForge)",
            category=CATEGORY,
            description=(
                "Puts a redrawn face into the original picture. Every pixel outside of the region stays "
                "exactly as it was."
            ),
            search_aliases=["avatar", "face", "composite", "mask", "expression", "inpaint", "paste"],
            inputs=[
                io.Image.Input("original"),
                io.Image.Input("redrawn", tooltip="The redrawn picture, of the same size."),
                io.Mask.Input("mask", tooltip="The region: 0 keeps the original."),
            ],
            outputs=[io.Image.Output(display_name="picture")],
        )

    @classmethod
    def execute(cls, original: torch.Tensor, redrawn: torch.Tensor, mask: torch.Tensor) -> io.NodeOutput:
        sizes = {tuple(original.shape[1:3]), tuple(redrawn.shape[1:3]), tuple(mask.shape[-2:])}
        if len(sizes) > 1:
            written = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
            raise ValueError(f"Original, redrawn picture and mask must have one size; they have {written}.")
        rows = mask.reshape(-1, *mask.shape[-2:])
        original, redrawn, rows = (tensor.cpu().float() for tensor in (original, redrawn, rows))
        return io.NodeOutput(torch.from_numpy(put_face(original.numpy(), redrawn.numpy(), rows.numpy())))


def _document(keypoints: Any) -> PoseDocument:
    """The first frame that shows somebody."""
    try:
        return parse_pose(json.dumps(keypoints, default=plain_numbers).encode(), sure=SURE)
    except InvalidPose as error:
        raise UnprocessableError(
            f"The keypoints of the picture cannot be read. {error}", ("body", "position")
        ) from error
