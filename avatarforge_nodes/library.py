"""A node that turns poses of the library to views."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..forge.pictures.doll.poses.people import people_in, to_keypoints
from ..forge.pictures.library.frames import pose_views
from ..forge.pictures.openpose_json import draw_pose
from ..forge.pictures.skeleton import BoneStyle
from ..forge.spec.views import views_of_node
from .choices import BONES, CATEGORY, LARGEST, VIEW_CHOICES, views_input
from .keypoints import KEYPOINTS
from .registry import pose_library
from .tensors import to_tensor


class LibraryPose(io.ComfyNode):
    """Draws a pose of the library in one view or in several."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeLibraryPose",
            display_name="Library Pose (AvatarForge)",
            category=CATEGORY,
            description=(
                "Draws a pose of the pose library, turned to each view, and gives its keypoints: one frame "
                "per view. 'all four' gives a batch: front, back, side, quarter; 'all eight' turns it by an "
                "eighth each."
            ),
            search_aliases=["avatar", "pose", "openpose", "skeleton", "library", "sitting", "keypoints"],
            inputs=[
                io.String.Input(
                    "pose",
                    default="standing",
                    tooltip="Name or id of a pose: sitting, waving, one of your own. Also the id of a stored "
                    "OpenPose JSON.",
                ),
                io.Combo.Input(
                    "view", options=VIEW_CHOICES, default="front", tooltip="any: the same as front."
                ),
                io.Boolean.Input("mirrored", default=False, tooltip="Exchanges left and right."),
                io.Int.Input("width", default=512, min=16, max=LARGEST, step=8, tooltip="Pixels."),
                io.Int.Input("height", default=768, min=16, max=LARGEST, step=8, tooltip="Pixels."),
                io.Combo.Input(
                    "bones",
                    options=BONES,
                    tooltip="Line thickness: xinsir's SDXL ControlNets expect thicker bones.",
                ),
                views_input(),
                io.String.Input(
                    "sheet",
                    default="",
                    optional=True,
                    tooltip="All views that share one scale, separated by commas. Empty: those above.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="pose"),
                KEYPOINTS.Output(display_name="keypoints", tooltip="One frame per view."),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, pose: str, **_: object) -> str:
        """A name may stand for another pose the next time."""
        return pose_library().locate(pose)[0]

    @classmethod
    def execute(
        cls,
        pose: str,
        view: str,
        mirrored: bool,
        width: int,
        height: int,
        bones: str,
        views: str = "",
        sheet: str = "",
    ) -> io.NodeOutput:
        _, found = pose_library().locate(pose)
        rows = views_of_node(view, views)
        shared = views_of_node("any", sheet) if sheet else ()
        documents = pose_views(found, rows, (width, height), mirrored=mirrored, sheet=shared)
        style = BoneStyle(bones)
        return io.NodeOutput(
            torch.cat([to_tensor(draw_pose(document, width, height, style)) for document in documents]),
            [to_keypoints(people_in(document, width, height), width, height) for document in documents],
        )
