"""A node that loads a picture of an earlier generation."""

from __future__ import annotations

from comfy_api.latest import io

from ..forge.store.images import load_rgb
from .choices import CATEGORY
from .registry import recorder
from .tensors import to_tensor


class LoadView(io.ComfyNode):
    """Loads a saved picture by its generation and number."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeLoadView",
            display_name="Load Saved View (AvatarForge)",
            category=CATEGORY,
            description="Loads a picture that an AvatarForge generation saved.",
            search_aliases=["avatar", "view", "generation", "saved", "output", "character"],
            inputs=[
                io.String.Input(
                    "generation_id", advanced=True, tooltip="The id that the API or the gallery shows."
                ),
                io.Int.Input("position", default=1, min=1, max=99_999, tooltip="Number of the picture."),
                io.Int.Input(
                    "take",
                    default=0,
                    min=0,
                    max=999_999_999,
                    optional=True,
                    advanced=True,
                    tooltip="Number of one of its takes; 0: the current one.",
                ),
            ],
            outputs=[io.Image.Output(display_name="picture")],
        )

    @classmethod
    def fingerprint_inputs(cls, generation_id: str, position: int, take: int = 0) -> str:
        """The file of the take, and when it was written: the current one is another one after a re-roll or a
        choice."""
        file = recorder().picture(generation_id, position - 1, take or None)
        return f"{file.name} {file.stat().st_mtime_ns}"

    @classmethod
    def execute(cls, generation_id: str, position: int, take: int = 0) -> io.NodeOutput:
        picture, _ = load_rgb(recorder().picture(generation_id, position - 1, take or None))
        return io.NodeOutput(to_tensor(picture))
