"""A node that writes the prompt of a character, one text per view, and encodes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from comfy_api.latest import io

from ..forge.families import PROMPT_KINDS
from ..forge.families.prompt_text import PromptParts, compose_prompt
from ..forge.spec.expressions import EXPRESSION_NAMES
from ..forge.spec.views import ELEVATIONS, LEVEL, views_of_node
from ..host.conditioning import encode_texts
from .choices import CATEGORY, VIEW_CHOICES, views_input


class AvatarPrompt(io.ComfyNode):
    """Prompt, clothing, style, realism and view -> positive and negative conditioning."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgePrompt",
            display_name="Avatar Prompt (AvatarForge)",
            category=CATEGORY,
            description=(
                "Writes a prompt for the character in the chosen view and encodes it. 'all four' gives a "
                "batch whose rows are front, back, side and quarter."
            ),
            search_aliases=["avatar", "character", "prompt", "clothing", "style", "view", "turnaround"],
            inputs=[
                io.Clip.Input("clip"),
                io.String.Input("prompt", multiline=True, tooltip="Describes the character."),
                io.String.Input("clothing", default="", tooltip="What the character wears."),
                io.String.Input("style", default="", tooltip="For example watercolor or pixel art."),
                io.Boolean.Input("realism", default=False, tooltip="On: a photo. Off: anime."),
                io.String.Input("negative_prompt", default="", tooltip="What the picture must not show."),
                io.Combo.Input("view", options=VIEW_CHOICES, default="front"),
                io.Combo.Input(
                    "family",
                    options=list(PROMPT_KINDS),
                    tooltip="The model's family; it decides the quality words.",
                ),
                io.String.Input(
                    "pictures",
                    default="",
                    optional=True,
                    tooltip="Sentences about numbered reference pictures, put first.",
                ),
                io.Model.Input(
                    "model",
                    optional=True,
                    tooltip="Only Anima needs it, for several views: its model adapts each text.",
                ),
                io.String.Input(
                    "character",
                    default="",
                    multiline=True,
                    optional=True,
                    tooltip="What never changes about the character; the prompt then adds to it.",
                ),
                io.String.Input(
                    "expression",
                    default="",
                    optional=True,
                    tooltip=f"Of the face: {', '.join(EXPRESSION_NAMES)}, or words.",
                ),
                io.Combo.Input(
                    "elevation",
                    options=list(ELEVATIONS),
                    default=LEVEL,
                    optional=True,
                    tooltip="Height of the camera.",
                ),
                views_input(),
            ],
            outputs=[
                io.Conditioning.Output(display_name="positive"),
                io.Conditioning.Output(display_name="negative"),
            ],
        )

    @classmethod
    def execute(
        cls,
        clip: Any,
        prompt: str,
        clothing: str,
        style: str,
        realism: bool,
        negative_prompt: str,
        view: str,
        family: str,
        pictures: str = "",
        model: Any = None,
        character: str = "",
        expression: str = "",
        elevation: str = LEVEL,
        views: str = "",
    ) -> io.NodeOutput:
        parts = PromptParts(
            prompt,
            clothing,
            style,
            realism,
            negative_prompt,
            pictures,
            character,
            expression,
            elevation,
        )
        return encode_views(clip, parts, family, views_of_node(view, views), model)


def encode_views(
    clip: Any, parts: PromptParts, family: str, views: Sequence[str | None], model: Any
) -> io.NodeOutput:
    """The positive and the negative conditioning of these words, one row per view, with the words of the
    family."""
    words = PROMPT_KINDS[family].words
    texts = [compose_prompt(parts, view, words) for view in views]
    return io.NodeOutput(
        encode_texts(clip, [positive for positive, _ in texts], model),
        encode_texts(clip, [negative for _, negative in texts], model),
    )
