"""The nodes for several views of one character in one batch: begin, share, take apart."""

from __future__ import annotations

from typing import Any

import torch
from comfy import model_management
from comfy_api.latest import io

from ..host.attention_sources import SharedViews, add_source
from ..host.view_previews import preview_views
from .choices import CATEGORY, LARGEST

CELL = 8  # pixels per latent cell, in SD1.5 and SDXL
CHANNELS = 4  # of their latents
MOST_VIEWS = 16


class ShareViews(io.ComfyNode):
    """The model with the first view's tokens in the self-attention of the others."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeShareViews",
            display_name="Share Views (AvatarForge)",
            category=CATEGORY,
            description=(
                "Makes the pictures of a batch show the same character (SD1.5 and SDXL): each also sees the "
                "first one in its self-attention. Consistency 0 is the same as leaving the node out."
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
                    tooltip="Weight of the first view's tokens beside a view's own.",
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
    """An empty latent batch, one row per view."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeViewsLatent",
            display_name="Views Latent (AvatarForge)",
            category=CATEGORY,
            description="Empty latents for several views in one batch, all from the same noise if you like.",
            search_aliases=["avatar", "turnaround", "empty latent", "views", "batch", "shared noise"],
            inputs=[
                io.Int.Input("width", default=512, min=16, max=LARGEST, step=CELL, tooltip="Pixels."),
                io.Int.Input("height", default=768, min=16, max=LARGEST, step=CELL, tooltip="Pixels."),
                io.Int.Input("views", default=4, min=1, max=MOST_VIEWS, tooltip="How many pictures."),
                io.Boolean.Input(
                    "shared_noise",
                    default=True,
                    tooltip="The same noise for every view, which brings them closer together.",
                ),
            ],
            outputs=[io.Latent.Output()],
        )

    @classmethod
    def execute(cls, width: int, height: int, views: int, shared_noise: bool) -> io.NodeOutput:
        samples = torch.zeros(
            (views, CHANNELS, height // CELL, width // CELL),
            device=model_management.intermediate_device(),
            dtype=_intermediate_dtype(),
        )
        latent: dict[str, Any] = {"samples": samples, "downscale_ratio_spacial": CELL}
        if shared_noise:
            latent["batch_index"] = [0] * views
        return io.NodeOutput(latent)


class TakeView(io.ComfyNode):
    """One row of a latent batch."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeTakeView",
            display_name="Take View (AvatarForge)",
            category=CATEGORY,
            description="Takes one view out of a batch of latents, and can cut its sides off.",
            search_aliases=["avatar", "turnaround", "latent from batch", "views", "crop", "side view"],
            inputs=[
                io.Latent.Input("samples"),
                io.Int.Input(
                    "view",
                    default=0,
                    min=0,
                    max=MOST_VIEWS - 1,
                    tooltip="Number of the view, from 0.",
                ),
                io.Int.Input(
                    "width",
                    default=0,
                    min=0,
                    max=LARGEST,
                    step=CELL,
                    tooltip="Pixels to keep, from the middle; 0 keeps all.",
                ),
            ],
            outputs=[io.Latent.Output()],
        )

    @classmethod
    def execute(cls, samples: dict[str, Any], view: int, width: int) -> io.NodeOutput:
        rows = samples["samples"]
        views, available = rows.shape[0], rows.shape[-1]
        if view >= views:
            raise ValueError(f"There is no view {view}: the batch has {views}, counted from 0.")
        kept = width // CELL or available
        if kept > available:
            raise ValueError(f"A view {available * CELL} pixels wide cannot be cut to {width}.")
        left = (available - kept) // 2
        taken = {
            **samples,
            "samples": rows[view : view + 1, ..., left : left + kept].clone(),
            "batch_index": [samples.get("batch_index", range(views))[view]],
        }
        if "noise_mask" in samples:
            mask = samples["noise_mask"]
            scale = mask.shape[-1] / available  # a mask may be as fine as the pixels
            row = view % mask.shape[0]
            columns = slice(round(left * scale), round((left + kept) * scale))
            taken["noise_mask"] = mask[row : row + 1, ..., columns].clone()
        return io.NodeOutput(taken)


def _intermediate_dtype() -> torch.dtype:
    """What ComfyUI's own empty latents have; older ones always have float32."""
    wanted = getattr(model_management, "intermediate_dtype", None)
    return wanted() if wanted else torch.float32
