"""A node that measures how well a picture matches what was asked for."""

from __future__ import annotations

import json
import logging
from functools import partial
from typing import Any

import torch
from comfy_api.latest import io, ui
from PIL import Image

from ..forge.error_text import summarize_unexpected
from ..forge.judging.evidence import Embed, Evidence, Shown
from ..forge.judging.measures import measure
from ..forge.pictures.doll.poses.people import people_in
from ..forge.pictures.doll.poses.person import Person
from ..forge.pictures.openpose_json import NobodyVisible, parse_pose
from ..forge.spec.scores import MEASURES, PictureScores, not_measured
from ..forge.spec.views import ANY_VIEW, VIEW_NAMES
from ..host.clip_vision import embedding_of
from ..host.comfy import current_prompt_id
from .choices import CATEGORY, LARGEST
from .keypoints import KEYPOINTS
from .registry import recorder
from .tensors import plain_numbers, to_picture, to_tensor

# Extractors give every keypoint a position; below this score it is a guess.
SURE = 0.3
REFERENCES = ("reference", "reference_2", "reference_3", "reference_4")
#: What ComfyUI gets ready only when the picture is there. In the API's graphs that is after all pictures are
#: saved, so that no failure here loses one.
LAZY = ("target", "found", "front", "front_target", "clip_vision", *REFERENCES)

log = logging.getLogger("avatarforge")


def _frame_inputs(prefix: str, what: str) -> list[io.Int.Input]:
    return [
        io.Int.Input(
            f"{prefix}frame_{side}",
            default=0,
            min=0,
            max=LARGEST,
            optional=True,
            advanced=True,
            tooltip=f"Pixels: {side} of the frame of {what}, from whose middle the picture was cut; 0: that "
            "of the picture.",
        )
        for side in ("width", "height")
    ]


class JudgePicture(io.ComfyNode):
    """Measures a picture: pose, view, palette, identity, and whether it is clean."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarForgeJudgePicture",
            display_name="Judge Picture (AvatarForge)",
            category=CATEGORY,
            description=(
                "Measures how well a picture matches what was asked for: the pose and the view by the "
                "keypoints that SDPose or DWPose finds in it, the colours against the front and a reference, "
                "the character by a CLIP-Vision or DINOv2 model. What is not connected is not measured."
            ),
            search_aliases=["avatar", "judge", "score", "quality", "similarity", "pose", "check"],
            inputs=[
                io.Image.Input("picture"),
                io.String.Input(
                    "generation_id",
                    default="",
                    advanced=True,
                    tooltip="Filled in by the API, which keeps the scores. Empty: they are only an output.",
                ),
                io.Int.Input("position", default=1, min=1, max=99_999, tooltip="Number of the picture."),
                io.Combo.Input(
                    "view",
                    options=[*VIEW_NAMES, ANY_VIEW],
                    default=ANY_VIEW,
                    tooltip="The view that the picture should show.",
                ),
                KEYPOINTS.Input(
                    "target", optional=True, lazy=True, tooltip="The pose that the picture should show."
                ),
                *_frame_inputs("", "target"),
                KEYPOINTS.Input(
                    "found", optional=True, lazy=True, tooltip="The keypoints that an estimator finds in it."
                ),
                io.String.Input(
                    "estimator", default="", optional=True, advanced=True, tooltip="What found them."
                ),
                io.String.Input(
                    "estimator_model", default="", optional=True, advanced=True, tooltip="With which file."
                ),
                io.Image.Input(
                    "front", optional=True, lazy=True, tooltip="The front of the same character, beside it."
                ),
                KEYPOINTS.Input(
                    "front_target", optional=True, lazy=True, tooltip="The pose that the front should show."
                ),
                *_frame_inputs("front_", "front_target"),
                *(
                    io.Image.Input(name, optional=True, lazy=True, tooltip="A reference of the whole person.")
                    for name in REFERENCES
                ),
                io.ClipVision.Input(
                    "clip_vision", optional=True, lazy=True, tooltip="Compares the character in two pictures."
                ),
                io.String.Input(
                    "embedding_model",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="The file of clip_vision.",
                ),
                io.AnyType.Input(
                    "after",
                    optional=True,
                    tooltip="Connect any output of another node to judge only when that node has run.",
                ),
            ],
            outputs=[io.String.Output(display_name="scores", tooltip="The scores, as JSON.")],
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls, **_: object) -> str:
        """Judges again in every prompt, because the scores belong to what that prompt has made."""
        return current_prompt_id()

    @classmethod
    def check_lazy_status(cls, **inputs: Any) -> list[str]:
        """What is connected and not there yet."""
        return [name for name in LAZY if name in inputs and inputs[name] is None]

    @classmethod
    def execute(
        cls, picture: torch.Tensor, generation_id: str, position: int, view: str, **inputs: Any
    ) -> io.NodeOutput:
        prompt_id = current_prompt_id()
        try:
            scores = PictureScores(measure(_evidence(picture, view, inputs)), prompt_id)
        except Exception as error:  # whatever is wrong with a picture or a model, the picture is kept
            log.exception("AvatarForge: a picture could not be judged")
            scores = not_measured(f"It could not be measured: {summarize_unexpected(error)}.", prompt_id)
        if generation_id:
            try:
                recorder().judged(generation_id, position - 1, prompt_id, scores)
            except Exception:  # scores that cannot be written must not fail what made the picture
                log.exception("AvatarForge: the scores of a picture could not be written")
        values = {name: scores[name].value for name in MEASURES}
        return io.NodeOutput(scores.to_json(), ui=ui.PreviewText(json.dumps(values)))


def _evidence(picture: torch.Tensor, view: str, inputs: dict[str, Any]) -> Evidence:
    shown = to_picture(picture[0])
    clip_vision = inputs.get("clip_vision")
    front = inputs.get("front")
    return Evidence(
        shown=Shown(shown, _target(inputs, "", shown.size)),
        view=None if view == ANY_VIEW else view,
        found=_people(inputs["found"], shown.size) if inputs.get("found") is not None else None,
        estimator=inputs.get("estimator") or None,
        estimator_model=inputs.get("estimator_model") or None,
        front=_shown(to_picture(front[0]), inputs) if front is not None else None,
        references=tuple(to_picture(inputs[name][0]) for name in REFERENCES if inputs.get(name) is not None),
        embed=_embedder(clip_vision) if clip_vision is not None else None,
        embedding_model=inputs.get("embedding_model") or None,
    )


def _shown(front: Image.Image, inputs: dict[str, Any]) -> Shown:
    return Shown(front, _target(inputs, "front_", front.size))


def _embedder(clip_vision: Any) -> Embed:
    embed = partial(embedding_of, clip_vision)
    return lambda picture: embed(to_tensor(picture))


def _target(inputs: dict[str, Any], prefix: str, size: tuple[int, int]) -> tuple[Person, ...] | None:
    keypoints = inputs.get(f"{prefix}target")
    if keypoints is None:
        return None
    frame = inputs.get(f"{prefix}frame_width") or 0, inputs.get(f"{prefix}frame_height") or 0
    return _people(keypoints, size, frame)


def _people(keypoints: Any, size: tuple[int, int], frame: tuple[int, int] = (0, 0)) -> tuple[Person, ...]:
    """The people of the first frame that shows somebody, in the pixels of a picture of this size: the whole
    frame, or the middle of a wider one."""
    try:
        document = parse_pose(json.dumps(keypoints, default=plain_numbers).encode(), sure=SURE)
    except NobodyVisible:
        return ()
    width, height = size
    # The picture may have been reduced after it was cut.
    wide = round(frame[0] * height / frame[1]) if all(frame) else width
    cut = max(0, wide - width) / 2
    return tuple(_moved(person, -cut) for person in people_in(document, max(wide, width), height))


def _moved(person: Person, dx: float) -> Person:
    """The person without hands and face details, which no measure looks at."""
    return Person({name: (x + dx, y) for name, (x, y) in person.body.items()})
