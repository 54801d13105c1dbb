"""Nodes for a batch with several views of one character: create it, share attention, take out a view."""

from __future__ import annotations

from typing import Any

import torch
from comfy import model_management
from comfy_api.latest import io

from ..forge.families import MODEL_FAMILIES, UNNAMED_FAMILY
from ..host.attention_sources import SharedViews, add_source
from ..host.view_previews import preview_views
from .choices import CATEGORY, LARGEST, MOST_VIEWS, STEP, cell_of, row_inputs


class ShareViews(io.ComfyNode):
    """Adds the first view's tokens to the self-attention of the other views."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeShareViews",
            display_name="Share Views (AvatarForge)",
            category=CATEGORY,
            description=(
                "Makes the pictures of a batch show the same character: each also sees the first one in its "
                "self-attention. For SD1.5, SDXL, Flux.1, FLUX.2, Chroma, Qwen-Image, Krea 2, Z-Image and "
                "Anima. Consistency 0 has the same effect as removing the node."
            ),
            search_aliases=["avatar", "turnaround", "consistency", "views", "batch", "character sheet"],
            inputs=[
                io.Model.Input("model"),
                io.Float.Input(
                    "consistency",
                    default=0.7,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Weight of the first view's tokens relative to a view's own.",
                ),
            ],
            outputs=[io.Model.Output()],
        )

    @classmethod
    def execute(cls, model: Any, consistency: float) -> io.NodeOutput:
        if not consistency:
            return io.NodeOutput(model)
        return io.NodeOutput(preview_views(add_source(model, SharedViews(consistency))))


class ViewsLatent(io.ComfyNode):
    """Creates an empty latent batch, one row per view."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeViewsLatent",
            display_name="Views Latent (AvatarForge)",
            category=CATEGORY,
            description="Empty latents for several views in one batch, optionally all with the same noise.",
            search_aliases=["avatar", "turnaround", "empty latent", "views", "batch", "shared noise"],
            inputs=[
                io.Int.Input("width", default=512, min=16, max=LARGEST, step=STEP, tooltip="Pixels."),
                io.Int.Input("height", default=768, min=16, max=LARGEST, step=STEP, tooltip="Pixels."),
                io.Int.Input("views", default=4, min=1, max=MOST_VIEWS, tooltip="How many pictures."),
                io.Boolean.Input(
                    "shared_noise",
                    default=True,
                    tooltip="The same noise for every view, which makes them more alike.",
                ),
                io.Combo.Input(
                    "family",
                    options=list(MODEL_FAMILIES),
                    default=UNNAMED_FAMILY,
                    optional=True,
                    tooltip="The model's family. It decides the shape of the latents; FLUX.2 has cells of 16 "
                    "pixels, the others of 8, and sides are rounded down to them.",
                ),
            ],
            outputs=[io.Latent.Output()],
        )

    @classmethod
    def execute(
        cls, width: int, height: int, views: int, shared_noise: bool, family: str = UNNAMED_FAMILY
    ) -> io.NodeOutput:
        shape = MODEL_FAMILIES[family].latent
        frames = (1,) if shape.video else ()
        samples = torch.zeros(
            (views, shape.channels, *frames, height // shape.cell, width // shape.cell),
            device=model_management.intermediate_device(),
            dtype=_intermediate_dtype(),
        )
        latent: dict[str, Any] = {"samples": samples, "downscale_ratio_spacial": shape.cell}
        if shared_noise:
            latent["batch_index"] = [0] * views
        return io.NodeOutput(latent)


class TakeView(io.ComfyNode):
    """Takes one row out of a latent batch."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeTakeView",
            display_name="Take View (AvatarForge)",
            category=CATEGORY,
            description="Takes one view out of a batch of latents, and can crop its sides.",
            search_aliases=["avatar", "turnaround", "latent from batch", "views", "crop", "side view"],
            inputs=[
                io.Latent.Input("samples"),
                *row_inputs(),
            ],
            outputs=[io.Latent.Output()],
        )

    @classmethod
    def execute(cls, samples: dict[str, Any], view: int, width: int) -> io.NodeOutput:
        rows = samples["samples"]
        views, available = rows.shape[0], rows.shape[-1]
        if view >= views:
            raise ValueError(f"There is no view {view}: the batch has {views}, counted from 0.")
        cell = samples.get("downscale_ratio_spacial") or cell_of(rows.shape[1])
        kept = max(1, width // cell) if width else available
        if kept > available:
            raise ValueError(f"A view {available * cell} pixels wide cannot be cut to {width}.")
        left = (available - kept) // 2
        row = {
            **samples,
            "samples": rows[view : view + 1, ..., left : left + kept].clone(),
            "batch_index": [samples.get("batch_index", range(views))[view]],
        }
        if "noise_mask" in samples:
            mask = samples["noise_mask"]
            scale = mask.shape[-1] / available  # a mask may have the resolution of pixels
            index = view % mask.shape[0]
            columns = slice(round(left * scale), round((left + kept) * scale))
            row["noise_mask"] = mask[index : index + 1, ..., columns].clone()
        return io.NodeOutput(row)


def _intermediate_dtype() -> torch.dtype:
    """The dtype of ComfyUI's own empty latents; older versions always use float32."""
    intermediate_dtype = getattr(model_management, "intermediate_dtype", None)
    return intermediate_dtype() if intermediate_dtype else torch.float32
