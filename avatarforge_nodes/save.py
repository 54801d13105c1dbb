"""A node that saves finished pictures."""

from __future__ import annotations

import json
from functools import partial
from typing import BinaryIO

import torch
from comfy_api.latest import io, ui
from PIL.PngImagePlugin import PngInfo

from ..forge.store.picture_parts import PARTS_KEY, parts_text
from ..host.comfy import NAME, current_prompt_id, metadata_wanted
from .choices import CATEGORY
from .registry import recorder
from .tensors import to_levels, to_picture

COMPRESSION = 4  # like ComfyUI's own Save Image


class SaveAvatar(io.ComfyNode):
    """Writes PNG files into the generation's folder, with the graph in their metadata."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeSave",
            display_name="Save Avatar (AvatarForge)",
            category=CATEGORY,
            description=(
                "Saves pictures to the output folder, under avatarforge/<generation id>/, and records them "
                "as a generation."
            ),
            search_aliases=["avatar", "save", "output", "character"],
            inputs=[
                io.Image.Input("images"),
                io.String.Input(
                    "generation_id",
                    default="",
                    advanced=True,
                    tooltip="Filled in by the API. A graph queued by hand becomes a generation of its own.",
                ),
                io.Int.Input(
                    "position", default=1, min=1, max=99_999, tooltip="Number of the first picture."
                ),
                io.Mask.Input(
                    "parts",
                    optional=True,
                    tooltip="The parts that Paper Doll drew. They are kept in the file, so that the picture "
                    "can be a reference part by part.",
                ),
                io.AnyType.Input(
                    "after",
                    optional=True,
                    tooltip="Connect any output of another node to save only when that node has run.",
                ),
            ],
            outputs=[io.Image.Output(display_name="saved", tooltip="The pictures, once they are saved.")],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls, generation_id: str, position: int, **_: object) -> str:
        """Invalidates the cached node if it would write another file, as each re-roll does, or if the saved
        file was replaced since.

        ComfyUI calls this in its worker thread before the first node of a prompt runs, so the start of a
        generation is recorded here."""
        prompt_id = current_prompt_id()
        recorder().record_start(prompt_id)
        return recorder().fingerprint(generation_id, position - 1, prompt_id)

    @classmethod
    def execute(
        cls,
        images: torch.Tensor,
        generation_id: str,
        position: int,
        parts: torch.Tensor | None = None,
        after: object = None,
    ) -> io.NodeOutput:
        prompt_id = current_prompt_id()
        # `claim` returns a name made by AvatarForge: text from a graph is never used as a path.
        folder = recorder().claim(generation_id, prompt_id)
        prompt = json.dumps(cls.hidden.prompt)
        saved = []
        for number, image in enumerate(images, start=position):
            row = number - position
            metadata = cls._metadata(parts[row] if parts is not None and row < len(parts) else None)
            take = recorder().take_of(folder, number - 1, prompt_id)
            filename = recorder().write(folder, number - 1, partial(_encode, image, metadata), take)
            recorder().saved(folder, prompt_id, prompt, number - 1)
            saved.append(ui.SavedResult(filename, f"{NAME}/{folder}", io.FolderType.output))
        return io.NodeOutput(images, ui=ui.SavedImages(saved))

    @classmethod
    def _metadata(cls, parts: torch.Tensor | None) -> PngInfo | None:
        if not metadata_wanted():
            return None
        info = PngInfo()
        if cls.hidden.prompt is not None:
            info.add_text("prompt", json.dumps(cls.hidden.prompt))
        for key, value in (cls.hidden.extra_pnginfo or {}).items():
            info.add_text(key, json.dumps(value))
        text = parts_text(to_levels(parts)) if parts is not None else None
        if text is not None:
            info.add_text(PARTS_KEY, text)
        return info


def _encode(image: torch.Tensor, metadata: PngInfo | None, file: BinaryIO) -> None:
    to_picture(image).save(file, "PNG", pnginfo=metadata, compress_level=COMPRESSION)
