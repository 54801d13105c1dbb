"""Nodes that draw a character without any model, and take single views out of what was drawn."""

from __future__ import annotations

import json
from typing import Any

import torch
from comfy_api.latest import io

from ..forge.errors import UnprocessableError
from ..forge.families.doll import DOLL
from ..forge.pictures.doll.character.reference import WeightedPalette, by_role, weighted
from ..forge.pictures.doll.views import SAME_SEED, ViewsOrder, draw_views, reference_palette
from ..forge.pictures.doll.words.reader import read_description
from ..forge.pictures.openpose_json import InvalidPose, PoseDocument, parse_pose
from ..forge.spec.views import views_of_node
from ..host.doll_progress import DrawingProgress
from .choices import CATEGORY, LARGEST, STEP, VIEW_CHOICES, row_inputs, views_input
from .keypoints import KEYPOINTS
from .tensors import plain_numbers, to_levels, to_picture, to_tensor

MOST_SEED = 2**64 - 1
# Extractors give every keypoint a position; below this score it is a guess.
SURE = 0.3


class PaperDoll(io.ComfyNode):
    """Draws a character in one view or in several."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgePaperDoll",
            display_name="Paper Doll (AvatarForge)",
            category=CATEGORY,
            description=(
                "Draws a character from words, a pose and a reference, without any model: with lines and "
                "flat colours, in up to four passes (sketch, flats, shade, line). What the words do not say "
                "comes from the seed. 'all four' gives a batch: front, back, side, quarter; 'all eight' "
                "turns it by an eighth each."
            ),
            search_aliases=[
                "avatar",
                "paper doll",
                "draw",
                "character",
                "turnaround",
                "no model",
            ],
            inputs=[
                io.String.Input("prompt", multiline=True, tooltip="The character: knight, silver armor."),
                io.String.Input(
                    "clothing", default="", multiline=True, tooltip="Its garments win over the prompt's."
                ),
                io.String.Input("style", default="", tooltip="Such as ink, watercolour or pixel art."),
                io.Boolean.Input("realism", default=False, tooltip="Soft shading instead of flat colours."),
                io.String.Input(
                    "negative_prompt",
                    default="",
                    multiline=True,
                    tooltip="What to leave out.",
                ),
                io.Combo.Input(
                    "view",
                    options=VIEW_CHOICES,
                    default="front",
                    tooltip="any: as the keypoints show it, or the front.",
                ),
                io.Int.Input("width", default=512, min=16, max=LARGEST, step=STEP, tooltip="Pixels."),
                io.Int.Input("height", default=768, min=16, max=LARGEST, step=STEP, tooltip="Pixels."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=MOST_SEED,
                    control_after_generate=True,
                    tooltip="Decides what the words leave open.",
                ),
                io.Int.Input(
                    "view_seed",
                    default=SAME_SEED,
                    min=SAME_SEED,
                    max=MOST_SEED,
                    tooltip="Decides details such as folds; -1: the same as seed.",
                ),
                io.Float.Input(
                    "consistency",
                    default=DOLL.consistency,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="1: the same character in every view. 0: each view decides by itself what the "
                    "words leave open.",
                ),
                io.Int.Input(
                    "steps",
                    default=DOLL.sampling.steps,
                    min=1,
                    max=DOLL.most_steps,
                    tooltip="Number of passes: sketch, flats, shade, line.",
                ),
                KEYPOINTS.Input(
                    "keypoints",
                    optional=True,
                    tooltip="The pose. With several views, one frame per view, or the pose of the first.",
                ),
                KEYPOINTS.Input(
                    "back_keypoints", optional=True, tooltip="Of several views the pose of the back."
                ),
                io.Image.Input("reference", optional=True, tooltip="A picture whose colours are used."),
                io.Mask.Input(
                    "reference_parts",
                    optional=True,
                    tooltip="The parts of the reference, from Paper Doll or Load Reference.",
                ),
                io.Float.Input(
                    "reference_strength",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    optional=True,
                    tooltip="Weight of the colours of the reference.",
                ),
                views_input(),
                *_reference_inputs("face", "hair, eyes and skin"),
                *_reference_inputs("outfit", "clothes"),
            ],
            outputs=[
                io.Image.Output(display_name="pictures"),
                io.Mask.Output(
                    display_name="parts",
                    tooltip="Which part of the character each pixel is, as a number of 255.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        prompt: str,
        clothing: str,
        style: str,
        realism: bool,
        negative_prompt: str,
        view: str,
        width: int,
        height: int,
        seed: int,
        view_seed: int,
        consistency: float,
        steps: int,
        keypoints: Any = None,
        back_keypoints: Any = None,
        reference: torch.Tensor | None = None,
        reference_parts: torch.Tensor | None = None,
        reference_strength: float = 1.0,
        views: str = "",
        face_reference: torch.Tensor | None = None,
        face_reference_parts: torch.Tensor | None = None,
        face_reference_strength: float = 1.0,
        outfit_reference: torch.Tensor | None = None,
        outfit_reference_parts: torch.Tensor | None = None,
        outfit_reference_strength: float = 1.0,
    ) -> io.NodeOutput:
        rows = views_of_node(view, views)
        if back_keypoints is not None and "back" not in rows[1:]:
            raise ValueError("back_keypoints are for a back among several views: connect to keypoints.")
        given = _by_view(rows, keypoints) | ({"back": back_keypoints} if back_keypoints is not None else {})
        order = ViewsOrder(
            description=read_description(prompt, clothing, style, realism, negative_prompt),
            views=rows,
            size=(width, height),
            seed=seed,
            view_seed=view_seed,
            consistency=consistency,
            passes=steps,
            poses={name: _pose(points) for name, points in given.items() if points is not None},
            palette=by_role(
                _palette(reference, reference_parts, reference_strength),
                _palette(face_reference, face_reference_parts, face_reference_strength),
                _palette(outfit_reference, outfit_reference_parts, outfit_reference_strength),
            ),
        )
        drawings = draw_views(order, DrawingProgress(len(rows), steps))
        return io.NodeOutput(
            torch.cat([to_tensor(drawing.picture) for drawing in drawings]),
            torch.cat([to_tensor(drawing.parts) for drawing in drawings]),
        )


class TakePicture(io.ComfyNode):
    """Takes one row out of a batch of pictures and masks."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeTakePicture",
            display_name="Take Picture (AvatarForge)",
            category=CATEGORY,
            description="Takes one view out of a batch of pictures, with its mask, and can crop its sides.",
            search_aliases=["avatar", "turnaround", "image from batch", "views", "crop", "side view"],
            inputs=[
                io.Image.Input("images"),
                *row_inputs(),
                io.Mask.Input("masks", optional=True, tooltip="One for each picture, of its size."),
            ],
            outputs=[
                io.Image.Output(display_name="picture"),
                io.Mask.Output(display_name="mask", tooltip="Empty without masks."),
            ],
        )

    @classmethod
    def execute(
        cls, images: torch.Tensor, view: int, width: int, masks: torch.Tensor | None = None
    ) -> io.NodeOutput:
        if masks is None:
            masks = images.new_zeros(images.shape[:3])
        if masks.shape != images.shape[:3]:
            raise ValueError(
                f"There are masks of the shape {tuple(masks.shape)} for pictures of the shape "
                f"{tuple(images.shape[:3])}: each picture needs one of its size."
            )
        views, _, available = masks.shape
        if view >= views:
            raise ValueError(f"There is no view {view}: the batch has {views}, counted from 0.")
        kept = width or available
        if kept > available:
            raise ValueError(f"A view {available} pixels wide cannot be cut to {width}.")
        left = (available - kept) // 2
        columns = slice(left, left + kept)
        return io.NodeOutput(images[view : view + 1, :, columns], masks[view : view + 1, :, columns])


def _by_view(rows: tuple[str | None, ...], keypoints: Any) -> dict[str | None, Any]:
    """The keypoints of each view: as many frames as views are one for each, otherwise they are those of the
    first view."""
    if len(rows) > 1 and isinstance(keypoints, list) and len(keypoints) == len(rows):
        return {view: [frame] for view, frame in zip(rows, keypoints, strict=True)}
    return {rows[0]: keypoints}


def _pose(keypoints: Any) -> PoseDocument:
    """The first frame that shows somebody."""
    try:
        return parse_pose(json.dumps(keypoints, default=plain_numbers).encode(), sure=SURE)
    except InvalidPose as error:
        raise UnprocessableError(
            f"The keypoints of the pose cannot be drawn. {error}", ("body", "pose_file_id")
        ) from error


def _reference_inputs(role: str, what: str) -> list[Any]:
    """The inputs for a reference of which only some colours are used."""
    name = f"{role}_reference"
    return [
        io.Image.Input(
            name,
            optional=True,
            tooltip=f"A picture of which only the colours of {what} are used; they win over "
            "those of the reference.",
        ),
        io.Mask.Input(
            f"{name}_parts",
            optional=True,
            tooltip="Its parts, from Paper Doll or Load Reference.",
        ),
        io.Float.Input(
            f"{name}_strength",
            default=1.0,
            min=0.0,
            max=1.0,
            step=0.01,
            optional=True,
            tooltip="Weight of its colours.",
        ),
    ]


def _palette(reference: torch.Tensor | None, parts: torch.Tensor | None, strength: float) -> WeightedPalette:
    if reference is None or not strength:
        return {}
    picture = to_picture(reference[0])
    levels = to_levels(parts[0]) if parts is not None else None
    if levels is not None and levels.size != picture.size:
        raise ValueError(
            f"The parts of the reference have {levels.width}x{levels.height} pixels, and the reference has "
            f"{picture.width}x{picture.height}."
        )
    return weighted(reference_palette(picture, levels), strength)
