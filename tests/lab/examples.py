"""The example workflows: name, prompt, note beside the graph, and the card of ComfyUI's Templates view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import example_cards as cards
from . import example_prompts as prompts
from .example_cards import Card
from .example_prompts import CHECKPOINT, CONTROLNET, Prompt

_NEEDS = f"Models:\n- `models/checkpoints/{CHECKPOINT}`, or any other SD1.5 checkpoint"
_NEEDS_POSE = f"{_NEEDS}\n- `models/controlnet/{CONTROLNET}`, or any other OpenPose ControlNet for SD1.5"

_NEEDS_CHARACTER = """Save the character first, or enter the name of one that you have:

```bash
curl http://127.0.0.1:8188/avatarforge-controller/characters \\
  -H "Content-Type: application/json" \\
  -d '{"name": "Mira", "description": "a young woman, red hair, freckles", "clothing": "a green dress"}'
```"""


@dataclass(frozen=True)
class Example:
    make_prompt: Callable[[], Prompt]
    note: str
    card: Card


#: By name, which the Templates view shows as the title.
EXAMPLES: dict[str, Example] = {
    "Avatar from words": Example(
        prompts.from_text,
        f"A character in words, seen from the front.\n\n{_NEEDS}",
        Card("A character in words becomes a picture.", cards.words),
    ),
    "Avatar with pose and reference": Example(
        prompts.with_pose_and_reference,
        "A character in the pose of one picture and with the look of another. Choose or upload both in the "
        f"nodes *Pose* and *Reference*.\n\n{_NEEDS_POSE}",
        Card("The pose of one picture, the look of another.", cards.pose_and_reference),
    ),
    "Pose from a photo": Example(
        prompts.pose_from_photo,
        "Reads the pose of a photo and keeps the skeleton in the store. Choose or upload the photo in the "
        "node *Photo*, and enter its content_hash, as the upload or the file list gives it, in "
        "*Keep skeleton*."
        f"\n\n{_NEEDS_POSE}\n- `models/checkpoints/{prompts.SDPOSE}`",
        Card("The pose of a photo, for another character.", cards.photo),
    ),
    "Turnaround sheet": Example(
        prompts.turnaround_sheet,
        "One character from four sides, in one batch, and on one sheet: equally high, on one baseline."
        f"\n\n{_NEEDS_POSE}",
        Card("One character from four sides, on one sheet.", cards.turnaround),
    ),
    "Four seeds at once": Example(
        prompts.four_seeds,
        "One character four times in one batch, each with a seed of its own in the node *A seed for each "
        f"picture*. A seed that you like gives the same picture alone.\n\n{_NEEDS}",
        Card("Four tries in one batch, each with its own seed.", cards.seeds),
    ),
    "Paper doll sheet": Example(
        prompts.doll_sheet,
        "One character from four sides on one sheet, drawn by *Paper Doll*. No model is needed.",
        Card("Four sides, drawn in seconds. No model needed.", cards.doll_sheet),
    ),
    "Paper doll in pixel art": Example(
        prompts.doll_pixel_art,
        "A drawn character from two sides, reduced by *Pixel Art* to large pixels in one palette, that of "
        "the front. The node does the same with pictures of any model. No model is needed.",
        Card("A sprite in one palette. No model needed.", cards.large_pixels),
    ),
    "Judged paper doll": Example(
        prompts.doll_judged,
        "A drawn character from two sides, and how well each picture matches what was asked for. Connect the "
        "keypoints of SDPose or DWPose to *found* for the pose and the view, and a CLIP Vision model for the "
        "identity. No model is needed for the rest.",
        Card("Scores for each picture. No model needed.", cards.judged),
    ),
    "Paper doll in a library pose": Example(
        prompts.doll_in_a_pose,
        "A drawn character in a pose of the pose library, from two sides. Enter another name in the node "
        "*Pose sitting*: waving, walking, lying_on_side, one of your own. No model is needed.",
        Card("Any pose of the library. No model needed.", cards.library_pose),
    ),
    "Paper doll of a saved character": Example(
        prompts.doll_of_a_character,
        "A saved character, drawn: its words, its seed, and its reference pictures where it has some. "
        "*Load Character* also takes the name of an outfit, and another expression. No model is "
        f"needed.\n\n{_NEEDS_CHARACTER}",
        Card("Mira is back, in another mood. No model needed.", cards.expression),
    ),
    "Saved character from eight sides": Example(
        prompts.character_from_eight_sides,
        "A saved character from eight sides, in one batch on eight skeletons, and on one sheet. "
        f"*Character Prompt* writes the words of each view.\n\n{_NEEDS_CHARACTER}\n\n{_NEEDS_POSE}",
        Card("All eight directions of a saved character.", cards.eight_sides),
    ),
    "Paper doll with pose and reference": Example(
        prompts.doll_with_pose_and_reference,
        "A drawn character in the pose of one picture and with the colours of another. Choose or upload both "
        "in the nodes *Pose* (OpenPose JSON or a skeleton) and *Reference*. No model is needed.",
        Card("A given pose, given colours. No model needed.", cards.doll_pose_and_reference),
    ),
    "Paper doll in the pose of a photo": Example(
        prompts.doll_from_photo,
        "A drawn character in the pose of a photo. Choose or upload the photo in the node *Photo*, and enter "
        "its content_hash, as the upload or the file list gives it, in *Keep skeleton*.\n\nModels:\n- "
        f"`models/checkpoints/{prompts.SDPOSE}`",
        Card("Drawn in the pose of a photo.", cards.doll_photo),
    ),
    "New expressions on a picture": Example(
        prompts.expressions,
        "The face of a drawn picture with two other expressions; everything else stays as it is. Choose or "
        "upload the picture in the node *Source*, and describe it in *Paper doll*. With a model, *Face "
        "region* goes into Set Latent Noise Mask, and its sampler takes the place of *Paper doll*. No model "
        "is needed.",
        Card("A new face on the same picture.", cards.faces),
    ),
    "Sheet of saved views": Example(
        prompts.sheet_of_saved_views,
        "The four pictures of a generation on one sheet. Enter its id, as the API gives it, in each *Saved* "
        "node. No model is needed.",
        Card("Pictures that you have, on one sheet.", cards.saved),
    ),
}
