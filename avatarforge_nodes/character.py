"""Nodes that show a saved character: its words and pictures, and its prompt."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..forge.errors import NotFoundError, UnprocessableError
from ..forge.families import PROMPT_KINDS
from ..forge.graphs.references import turn_between
from ..forge.spec.character_content import LONGEST_NAME
from ..forge.spec.expressions import EXPRESSION_NAMES
from ..forge.spec.reference import REFERENCE_ROLES, ReferenceRole
from ..forge.spec.request import AvatarRequest
from ..forge.spec.views import ANY_VIEW, ELEVATIONS, LEVEL, VIEW_NAMES, views_of_node
from ..host.outputs import without_value
from .choices import CATEGORY, VIEW_CHOICES, views_input
from .load import WHITE, open_reference
from .prompt import encode_views
from .registry import saved_characters
from .tensors import flatten, to_tensor

if TYPE_CHECKING:  # this module needs SQLAlchemy; the nodes load in the editor without it
    from ..forge.characters.use import FilledRequest

LARGEST_VERSION = 2**31 - 1
#: What to do with the output of a role of which the character has no picture.
STOP, LEAVE_OUT = "error", "leave out"
#: Bits of a UUID that become a seed: 53 are left, as of a drawn one, which JavaScript can read.
_SEED_SHIFT = 128 - 53


class LoadCharacter(io.ComfyNode):
    """Loads a saved character: its words, a picture of each role, and its seed."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeLoadCharacter",
            display_name="Load Character (AvatarForge)",
            category=CATEGORY,
            description=(
                "Loads a saved character: its words, with an outfit and an expression, and a reference "
                "picture of each role. When the character changes, the graph runs again."
            ),
            search_aliases=["avatar", "character", "saved", "outfit", "expression", "identity", "reference"],
            inputs=[
                *_character_inputs(),
                io.Combo.Input(
                    "view",
                    options=[ANY_VIEW, *VIEW_NAMES],
                    default=ANY_VIEW,
                    tooltip="Of several identity pictures, that of this view or the nearest; any: the first.",
                ),
                io.Combo.Input(
                    "missing",
                    options=[STOP, LEAVE_OUT],
                    default=STOP,
                    tooltip="What a picture output does if the character has none. error: what is linked to "
                    "it does not run. leave out: an optional input counts as not linked.",
                ),
            ],
            outputs=[
                io.String.Output(display_name="description"),
                io.String.Output(display_name="clothing", tooltip="That of the outfit, if one is named."),
                io.String.Output(display_name="negative"),
                io.String.Output(display_name="style"),
                io.String.Output(display_name="expression"),
                io.Image.Output(display_name="identity", tooltip="The whole person."),
                io.Image.Output(display_name="face"),
                io.Image.Output(display_name="outfit", tooltip="Clothes: of the outfit, if one is named."),
                io.Image.Output(display_name="style_picture", tooltip="How the character is drawn."),
                io.Int.Output(
                    display_name="seed", tooltip="The character's; one made of its id if it has none."
                ),
                io.Boolean.Output(display_name="realism", tooltip="On: a photo. Off: anime."),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, character: str | None, version: int | None, **_: object) -> object:
        """The version that is shown: versions never change, but a name may have a newer one."""
        return _fingerprint(character, version)

    @classmethod
    def execute(
        cls, character: str, version: int, outfit: str, expression: str, view: str, missing: str
    ) -> io.NodeOutput:
        filled = _fill(
            character,
            version,
            outfit=_name(outfit, "outfit"),
            expression=_name(expression, "expression"),
        )
        words = filled.words
        shown = None if view == ANY_VIEW else view
        pictures = {role: _picture(filled, role, shown, missing) for role in REFERENCE_ROLES}
        return io.NodeOutput(
            words.character,
            words.clothing,
            words.negative_prompt,
            words.style,
            words.expression,
            pictures["identity"],
            pictures["face"],
            pictures["outfit"],
            pictures["style"],
            _seed(filled),
            words.realism,
        )


class CharacterPrompt(io.ComfyNode):
    """Writes the prompt of a saved character, one text per view, as the API does, and encodes it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeCharacterPrompt",
            display_name="Character Prompt (AvatarForge)",
            category=CATEGORY,
            description=(
                "Writes the prompt of a saved character for each view, as a request with this character has "
                "it, and encodes it. When the character changes, the graph runs again."
            ),
            search_aliases=["avatar", "character", "prompt", "saved", "outfit", "expression", "turnaround"],
            inputs=[
                io.Clip.Input("clip"),
                *_character_inputs(),
                io.String.Input(
                    "prompt",
                    default="",
                    multiline=True,
                    tooltip="What this picture adds, such as a scene. May be empty.",
                ),
                io.Combo.Input("view", options=VIEW_CHOICES, default="front"),
                io.Combo.Input("elevation", options=list(ELEVATIONS), default=LEVEL),
                io.Combo.Input(
                    "family",
                    options=list(PROMPT_KINDS),
                    tooltip="The model's family; it decides the quality words.",
                ),
                io.String.Input(
                    "clothing",
                    default="",
                    optional=True,
                    tooltip="Added to an outfit; without one, worn instead of the character's own clothes.",
                ),
                io.String.Input(
                    "style", default="", optional=True, tooltip="Instead of the character's own style."
                ),
                io.String.Input(
                    "negative_prompt",
                    default="",
                    optional=True,
                    tooltip="Added to what the character's pictures must not show.",
                ),
                io.Model.Input(
                    "model",
                    optional=True,
                    tooltip="Only Anima needs it, for several views: its model adapts each text.",
                ),
                views_input(),
            ],
            outputs=[
                io.Conditioning.Output(display_name="positive"),
                io.Conditioning.Output(display_name="negative"),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, character: str | None, version: int | None, **_: object) -> object:
        """As of Load Character."""
        return _fingerprint(character, version)

    @classmethod
    def execute(
        cls,
        clip: Any,
        character: str,
        version: int,
        outfit: str,
        expression: str,
        prompt: str,
        view: str,
        elevation: str,
        family: str,
        clothing: str = "",
        style: str = "",
        negative_prompt: str = "",
        model: Any = None,
        views: str = "",
    ) -> io.NodeOutput:
        filled = _fill(
            character,
            version,
            outfit=_name(outfit, "outfit"),
            expression=_name(expression, "expression"),
            prompt=prompt,
            elevation=elevation,
            clothing=clothing or None,
            style=style or None,
            negative_prompt=negative_prompt or None,
        )
        return encode_views(clip, filled.words, family, views_of_node(view, views), model)


def _character_inputs() -> list[Any]:
    """The inputs that say which character is shown, and how."""
    return [
        io.String.Input("character", default="", tooltip="Name or id of a saved character."),
        io.Int.Input(
            "version",
            default=0,
            min=0,
            max=LARGEST_VERSION,
            tooltip="A version of the character; 0 is always the newest.",
        ),
        io.String.Input(
            "outfit", default="", tooltip="Name of one of its outfits. Empty: the clothes that it has."
        ),
        io.String.Input(
            "expression",
            default="",
            tooltip=f"{', '.join(EXPRESSION_NAMES)}, or the name of one of its own. Empty: none.",
        ),
    ]


def _fingerprint(character: str | None, version: int | None) -> object:
    """What changes when another version is shown. ComfyUI gives None for a linked input, whose value is not
    known yet: then the node runs every time."""
    if character is None or version is None:
        return float("nan")
    found = saved_characters().locate(character, version or None)
    return f"{found.character_id} {found.number}"


def _fill(character: str, version: int, **request: Any) -> FilledRequest:
    """A request for one picture of the character. Blocks. Raises NotFoundError and UnprocessableError."""
    return saved_characters().fill_here(character, version or None, AvatarRequest(**request))


def _name(text: str, field: str) -> str | None:
    """The name of an outfit or expression; None if it is empty. Raises UnprocessableError."""
    name = text.strip()
    if len(name) > LONGEST_NAME:
        raise UnprocessableError(f"A name of an {field} has at most {LONGEST_NAME} characters.", (field,))
    return name or None


def _picture(filled: FilledRequest, role: ReferenceRole, view: str | None, missing: str) -> Any:
    """The picture of a role as (1, height, width, 3) in 0..1. If there is none: None, or what stops the nodes
    that are linked to it."""
    found = [item for item in filled.references if item.role == role and item.strength > 0]
    if not found:
        return None if missing == LEAVE_OUT else without_value(_lacks(filled, role))
    best = min(found, key=lambda item: turn_between(item.view, view))
    try:
        _, picture, alpha = open_reference(best.file_id)
    except NotFoundError as error:  # only who uses this picture needs it
        return without_value(str(error))
    return to_tensor(flatten(picture, alpha, WHITE))


def _lacks(filled: FilledRequest, role: ReferenceRole) -> str:
    name = filled.character.name if filled.character is not None else ""
    return (
        f"The character {name!r} has no reference picture of the role {role}: add one with PATCH "
        f"/characters/{{id}}, link another output, or choose {LEAVE_OUT!r} in Load Character."
    )


def _seed(filled: FilledRequest) -> int:
    if filled.request.seed is not None:
        return filled.request.seed
    if filled.character is None:
        raise ValueError("A character was filled in.")
    return uuid.UUID(filled.character.id).int >> _SEED_SHIFT
