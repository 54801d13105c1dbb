"""Nodes that load pictures from AvatarForge's store by their file id."""

from __future__ import annotations

from pathlib import Path

from comfy_api.latest import io
from PIL import Image

from ..forge.errors import RejectedUploadError, UnprocessableError
from ..forge.pictures.openpose_json import InvalidPose, draw_pose, parse_pose, seen_from_behind
from ..forge.pictures.skeleton import BoneStyle
from ..forge.store.images import load_rgb
from ..forge.store.inspect import JSON_TYPE
from ..forge.store.picture_parts import read_parts
from ..forge.store.poses import require_picture
from .choices import CATEGORY, LARGEST, bones_input
from .registry import stored_files
from .tensors import fit, flatten, to_tensor

WHITE, BLACK = 255, 0


def open_reference(file_id: str) -> tuple[Path, Image.Image, Image.Image | None]:
    """(path, picture, its alpha if it has one) of a stored picture. Blocks. Raises NotFoundError, and
    UnprocessableError for a pose in JSON."""
    record, path = stored_files().locate(file_id)
    require_picture(record, "file_id")
    return path, *load_rgb(path)


class LoadPose(io.ComfyNode):
    """Loads a stored pose, drawn if it is OpenPose JSON, and fits all of it into a frame."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeLoadPose",
            display_name="Load Pose (AvatarForge)",
            category=CATEGORY,
            description="Loads a stored pose (a picture, or OpenPose JSON, which it draws) and fits all of "
            "it into a frame, on black.",
            search_aliases=["avatar", "pose", "openpose", "skeleton", "json", "stored image", "character"],
            inputs=[
                io.String.Input("file_id", advanced=True, tooltip="The id that the upload returned."),
                io.Int.Input(
                    "width",
                    default=0,
                    min=0,
                    max=LARGEST,
                    tooltip="Pixels; 0 keeps the picture's own size.",
                ),
                io.Int.Input(
                    "height",
                    default=0,
                    min=0,
                    max=LARGEST,
                    tooltip="Pixels; 0 keeps the picture's own size.",
                ),
                bones_input(
                    "How thick to draw the bones of a JSON pose: as most ControlNets expect, or thicker, for "
                    "xinsir's."
                ),
                io.Boolean.Input(
                    "from_behind",
                    default=False,
                    optional=True,
                    tooltip="Turns the figure of a JSON pose around: mirrored, without nose and eyes.",
                ),
            ],
            outputs=[io.Image.Output(display_name="pose")],
        )

    @classmethod
    def execute(
        cls, file_id: str, width: int, height: int, bones: str = "standard", from_behind: bool = False
    ) -> io.NodeOutput:
        record, path = stored_files().locate(file_id)
        if record.mime_type == JSON_TYPE:
            try:
                pose = parse_pose(path.read_bytes())
            except InvalidPose as error:
                raise RejectedUploadError(f"The stored pose {file_id} is damaged. {error}") from error
            if from_behind:
                pose = seen_from_behind(pose)
            size = (width, height) if width and height else (pose.width, pose.height)
            return io.NodeOutput(to_tensor(draw_pose(pose, *size, BoneStyle(bones))))
        if from_behind:
            raise UnprocessableError(
                "Only a pose in JSON can be turned round: a picture does not say which keypoint is which.",
                ("from_behind",),
            )
        picture = flatten(*load_rgb(path), BLACK)
        if width and height:
            picture = fit(picture, width, height)
        return io.NodeOutput(to_tensor(picture))


class LoadReference(io.ComfyNode):
    """Loads a stored reference picture and its mask."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeLoadReference",
            display_name="Load Reference (AvatarForge)",
            category=CATEGORY,
            description="Loads a reference picture from AvatarForge's store. Transparent parts become white. "
            "A picture that Paper Doll drew also has its parts.",
            search_aliases=["avatar", "reference", "style", "identity", "stored image", "character"],
            inputs=[io.String.Input("file_id", advanced=True, tooltip="The id that the upload returned.")],
            outputs=[
                io.Image.Output(display_name="reference"),
                io.Mask.Output(display_name="mask", tooltip="1 where the picture is transparent."),
                io.Mask.Output(
                    display_name="parts",
                    tooltip="For Paper Doll: which part of the character each pixel is; 0 if unknown.",
                ),
            ],
        )

    @classmethod
    def execute(cls, file_id: str) -> io.NodeOutput:
        path, picture, alpha = open_reference(file_id)
        image = to_tensor(flatten(picture, alpha, WHITE))
        empty = image.new_zeros(image.shape[:3])
        parts = read_parts(path, picture.size)
        return io.NodeOutput(
            image,
            1.0 - to_tensor(alpha) if alpha is not None else empty,
            to_tensor(parts) if parts is not None else empty,
        )
