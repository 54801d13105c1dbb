"""A node for a batch of pictures that differ in their seeds."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..forge.spec.settings import SEEDS
from ..host.row_seeds import seed_rows
from .choices import CATEGORY, MOST_VIEWS


class RowSeeds(io.ComfyNode):
    """Samples each row of a batch with its own seed."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeRowSeeds",
            display_name="Row Seeds (AvatarForge)",
            category=CATEGORY,
            description=(
                "Gives each picture of a batch a seed of its own, with the noise that it has alone. Samplers "
                "that add noise at every step, such as euler_ancestral, make other pictures than alone."
            ),
            search_aliases=["avatar", "seed", "batch", "variations", "noise"],
            inputs=[
                io.Model.Input("model"),
                io.String.Input(
                    "seeds",
                    default="0, 1",
                    tooltip="One for each picture of the batch, separated by commas. The sampler's own seed "
                    "makes no noise then.",
                ),
            ],
            outputs=[io.Model.Output()],
        )

    @classmethod
    def execute(cls, model: Any, seeds: str) -> io.NodeOutput:
        return io.NodeOutput(seed_rows(model, read_seeds(seeds)))


def read_seeds(text: str) -> tuple[int, ...]:
    """The seeds of a text. Raises ValueError for anything else than 1 to MOST_VIEWS whole numbers."""
    parts = [part.strip() for part in text.split(",")]
    valid = [part for part in parts if part.isascii() and part.isdigit() and len(part) <= 20]
    if len(valid) < len(parts) or len(parts) > MOST_VIEWS or any(int(part) >= SEEDS for part in valid):
        raise ValueError(
            f"Seeds are 1 to {MOST_VIEWS} whole numbers from 0 to {SEEDS - 1}, separated by commas."
        )
    return tuple(map(int, valid))
