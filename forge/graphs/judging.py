"""What of a picture can be measured, and the nodes that judge the pictures of a prompt. Pure.

A judge gets everything but the picture lazily: ComfyUI runs what reads keypoints or loads models only when
all pictures are saved. So whatever fails there, the pictures are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..error_codes import ErrorCode
from ..families.builder import Link, PromptBuilder
from ..ports import InstalledModels, Prompt
from ..spec.avatar import AvatarSpec
from ..spec.reference import ReferenceUse
from ..spec.scores import MeasureName
from ..spec.until import JudgeUse
from ..spec.views import ANY_VIEW
from .capabilities import DWPOSE, missing_extractor, pose_extractors
from .face_keypoints import FrameKeypoints, add_keypoints_of, was_posed
from .links import JUDGE, SAVE
from .method import best
from .poses import DWPOSE_SIDE
from .references import IDENTITY, turn_between

#: The input that makes a node run after another one.
AFTER = "after"
#: References of a picture that a judge looks at.
MOST_JUDGED_REFERENCES = 4
#: Output of DWPose's node that has the keypoints.
_DWPOSE_KEYPOINTS = 1
_EMBEDDING = (
    "No CLIP-Vision or DINOv2 model is installed, so the character in two pictures cannot be compared. Put "
    "one into models/clip_vision."
)


@dataclass(frozen=True)
class Obstacle:
    """Why something cannot be measured: a sentence, with the code of the error that refuses it. `missing`: a
    model or node is not installed; otherwise it is about the request."""

    detail: str
    code: ErrorCode
    missing: bool = False


def choose_judge(installed: InstalledModels) -> JudgeUse:
    """The best of what is installed."""
    extractor = best(pose_extractors(installed))
    name, model = (extractor.name, extractor.model) if extractor is not None else (None, None)
    return JudgeUse(name, model, _best_embedding(installed.clip_visions))


def obstacles(
    spec: AvatarSpec, position: int, judge: JudgeUse, installed: InstalledModels | None = None
) -> Mapping[MeasureName, Obstacle]:
    """What of the picture at a position cannot be measured, whatever it shows. Everything else can, unless
    the picture itself prevents it. `installed` makes the sentences say what exactly is missing."""
    found: dict[MeasureName, Obstacle] = {}
    view = spec.pictures[position]
    if judge.estimator is None:
        extractors = pose_extractors(installed or _NOTHING)
        found["pose"] = found["view"] = Obstacle(missing_extractor(extractors), "judge_model_missing", True)
    if not has_target(spec, view):
        found["pose"] = Obstacle(
            "The picture is made without known keypoints, so there is no pose to compare it with.",
            "not_measurable",
        )
    if view is None:
        found["view"] = Obstacle("No view was asked for: the pose image alone decides it.", "not_measurable")
    alone = Obstacle(
        "There is nothing to compare the picture with: neither a reference of the whole person nor a front "
        "view beside it.",
        "not_measurable",
    )
    compared = bool(_references(spec, view)) or _front(spec, position) is not None
    if not compared:
        found["palette"] = found["identity"] = alone
    elif judge.embedding is None:
        found["identity"] = Obstacle(_EMBEDDING, "judge_model_missing", True)
    return found


def conditions_of(spec: AvatarSpec, position: int) -> tuple[str, ...]:
    """The conditions of `spec.until` that apply to a picture: those that can be measured of it."""
    if spec.until is None or spec.judge is None:
        return ()
    blocked = obstacles(spec, position, spec.judge)
    return tuple(name for name in spec.until.conditions if name not in blocked)


def has_target(spec: AvatarSpec, view: str | None) -> bool:
    """Whether the keypoints are known that a picture of this view was asked to show."""
    return spec.template is None and was_posed(_frame(spec), view)


def with_judges(prompt: Prompt, spec: AvatarSpec, generation_id: str) -> Prompt:
    """The prompt with a judge for each picture that it saves, if the spec has one. The saves run one after
    another, and the judges after the last of them."""
    if spec.judge is None:
        return prompt
    build = PromptBuilder.of(prompt)
    saves = _saves(prompt)
    last: Link | None = None
    for node_id in saves.values():
        if last is not None:
            build.prompt[node_id]["inputs"][AFTER] = last
        last = [node_id, 0]
    pictures = {position: [node_id, 0] for position, node_id in saves.items()}
    _add_judges(build, spec, spec.judge, generation_id, pictures, last)
    return build.prompt


def compile_judging(
    spec: AvatarSpec, judge: JudgeUse, generation_id: str, takes: Sequence[tuple[int, int]]
) -> Prompt:
    """A prompt that judges finished pictures: `takes` are their (position, take)."""
    build = PromptBuilder()
    pictures = {
        position: build.add(
            "AvatarForgeLoadView",
            f"Picture {position + 1}",
            generation_id=generation_id,
            position=position + 1,
            take=take,
        ).out()
        for position, take in takes
    }
    _add_judges(build, spec, judge, generation_id, pictures, None)
    return build.prompt


def _saves(prompt: Prompt) -> dict[int, str]:
    """Position, from 0 -> the node that saves the picture there."""
    saves = {
        int(node["inputs"]["position"]) - 1: node_id
        for node_id, node in prompt.items()
        if node["class_type"] == SAVE
    }
    return dict(sorted(saves.items()))


def _add_judges(
    build: PromptBuilder,
    spec: AvatarSpec,
    judge: JudgeUse,
    generation_id: str,
    pictures: Mapping[int, Link],
    last: Link | None,
) -> None:
    for position, picture in pictures.items():
        view = spec.pictures[position]
        label = f" ({view})" if view else f" {position + 1}"
        inputs: dict[str, Any] = {AFTER: last} if last is not None and last != picture else {}
        inputs |= _target(build, spec, view)
        inputs |= _found(build, judge, picture, label)
        inputs |= _compared(build, spec, generation_id, position, pictures)
        inputs |= _embedding(build, judge)
        build.add(
            JUDGE,
            f"Judge{label}",
            picture=picture,
            generation_id=generation_id,
            position=position + 1,
            view=view or ANY_VIEW,
            **inputs,
        )


def _target(build: PromptBuilder, spec: AvatarSpec, view: str | None, prefix: str = "") -> dict[str, Any]:
    """The keypoints that a picture was asked to show, and the frame that they are in."""
    keypoints = (
        add_keypoints_of(build, _frame(spec), view) if has_target(spec, view) else FrameKeypoints(None)
    )
    link = {f"{prefix}target": keypoints.link} if keypoints.link is not None else {}
    cut = keypoints.frame_width
    return {**link, f"{prefix}frame_width": cut, f"{prefix}frame_height": spec.height if cut else 0}


def _found(build: PromptBuilder, judge: JudgeUse, picture: Link, label: str) -> dict[str, Any]:
    """The keypoints that are found in a picture."""
    named = {"estimator": judge.estimator or "", "estimator_model": judge.estimator_model or ""}
    if judge.estimator is None:
        return named
    if judge.estimator == DWPOSE:
        node = build.add(
            "DWPreprocessor",
            f"Find the figure{label}",
            image=picture,
            detect_hand="disable",
            detect_body="enable",
            detect_face="disable",
            resolution=DWPOSE_SIDE,
            bbox_detector="yolox_l.onnx",
            pose_estimator="dw-ll_ucoco_384_bs5.torchscript.pt",
            scale_stick_for_xinsr_cn="disable",
        )
        return {**named, "found": node.out(_DWPOSE_KEYPOINTS)}
    loader = build.add_shared("CheckpointLoaderSimple", "SDPose", ckpt_name=judge.estimator_model)
    node = build.add(
        "SDPoseKeypointExtractor",
        f"Find the figure{label}",
        model=loader.out(0),
        vae=loader.out(2),
        image=picture,
        batch_size=1,
    )
    return {**named, "found": node.out()}


def _compared(
    build: PromptBuilder,
    spec: AvatarSpec,
    generation_id: str,
    position: int,
    pictures: Mapping[int, Link],
) -> dict[str, Any]:
    """What a picture is compared with: the front beside it, and references."""
    inputs: dict[str, Any] = {"front_frame_width": 0, "front_frame_height": 0}
    front = _front(spec, position)
    if front is not None:
        shown = pictures.get(front) or _load_saved(build, generation_id, front)
        inputs |= {"front": shown, **_target(build, spec, spec.pictures[front], "front_")}
    for number, use in enumerate(_references(spec, spec.pictures[position]), 1):
        loaded = build.add_shared("AvatarForgeLoadReference", f"Reference {number}", file_id=use.file_id)
        inputs["reference" if number == 1 else f"reference_{number}"] = loaded.out()
    return inputs


def _load_saved(build: PromptBuilder, generation_id: str, position: int) -> Link:
    return build.add_shared(
        "AvatarForgeLoadView", "Saved front", generation_id=generation_id, position=position + 1
    ).out()


def _embedding(build: PromptBuilder, judge: JudgeUse) -> dict[str, Any]:
    if judge.embedding is None:
        return {"embedding_model": ""}
    loader = build.add_shared("CLIPVisionLoader", "CLIP Vision", clip_name=judge.embedding)
    return {"clip_vision": loader.out(), "embedding_model": judge.embedding}


def _front(spec: AvatarSpec, position: int) -> int | None:
    """The position of the picture that another one of its sheet is compared with; None for that itself."""
    if not spec.has_several_views or spec.redraw is not None:
        return None
    first = position - spec.place(position)[1]
    return first if first != position else None


def _references(spec: AvatarSpec, view: str | None) -> tuple[ReferenceUse, ...]:
    """Those of the whole person, first the ones that show the view best."""
    people = [use for use in spec.references if use.role == IDENTITY and use.strength > 0]
    people.sort(key=lambda use: turn_between(use.view, view))
    return tuple(people[:MOST_JUDGED_REFERENCES])


def _frame(spec: AvatarSpec) -> AvatarSpec:
    """The spec with the views of the generation that made the picture, which decide on poses."""
    return spec if spec.redraw is None else replace(spec, views=spec.redraw.views)


def _best_embedding(names: Sequence[str]) -> str | None:
    """DINOv2 tells one person from another better than CLIP, which goes by what a picture is about; among
    others, the first by name."""
    return min(names, key=lambda name: ("dino" not in name.lower(), name.lower()), default=None)


_NOTHING = InstalledModels(checkpoints=(), controlnets=(), samplers=(), schedulers=())
