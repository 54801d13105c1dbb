"""A node that draws the built-in skeletons."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..forge.pictures.doll.poses.people import person_of, to_keypoints
from ..forge.pictures.skeleton import BoneStyle, draw_skeleton, view_skeleton
from ..forge.spec.views import views_of_node
from .choices import BONES, CATEGORY, LARGEST, SKELETON_VIEWS, views_input
from .keypoints import KEYPOINTS
from .tensors import fit, to_picture, to_tensor


class PoseSkeleton(io.ComfyNode):
    """Draws a standing figure in one view or in several."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgePoseSkeleton",
            display_name="Pose Skeleton (AvatarForge)",
            category=CATEGORY,
            description=(
                "Draws the built-in OpenPose skeleton of a standing figure. 'all four' gives a batch: front, "
                "back, side, quarter; 'all eight' turns it by an eighth each. A picture given as front or "
                "back takes that row's place."
            ),
            search_aliases=["avatar", "pose", "openpose", "skeleton", "turnaround", "view", "character"],
            inputs=[
                io.Combo.Input("view", options=SKELETON_VIEWS, default="front"),
                io.Int.Input("width", default=512, min=16, max=LARGEST, step=8, tooltip="Pixels."),
                io.Int.Input("height", default=768, min=16, max=LARGEST, step=8, tooltip="Pixels."),
                io.Combo.Input(
                    "bones",
                    options=BONES,
                    tooltip="Line thickness: xinsir's SDXL ControlNets expect thicker bones.",
                ),
                io.Image.Input("front", optional=True, tooltip="A pose of your own for the front."),
                io.Image.Input("back", optional=True, tooltip="A pose of your own for the back."),
                views_input(),
            ],
            outputs=[
                io.Image.Output(display_name="pose"),
                KEYPOINTS.Output(
                    display_name="keypoints", tooltip="One frame per view; empty for a pose of your own."
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        view: str,
        width: int,
        height: int,
        bones: str,
        front: torch.Tensor | None = None,
        back: torch.Tensor | None = None,
        views: str = "",
    ) -> io.NodeOutput:
        own = {"front": front, "back": back}
        rows, frames = [], []
        for name in views_of_node(view, views):
            given = own.get(name or "")
            if given is not None:
                picture, people = fit(to_picture(given[0]), width, height), []
            else:
                skeleton = view_skeleton(str(name))
                picture = draw_skeleton(skeleton, width, height, BoneStyle(bones))
                people = [person_of(skeleton, width, height)]
            rows.append(to_tensor(picture))
            frames.append(to_keypoints(people, width, height))
        return io.NodeOutput(torch.cat(rows), frames)
