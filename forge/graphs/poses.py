"""What is done with a pose that somebody gave, and the nodes that do it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UnavailableError, UnprocessableError
from ..spec.pose import PoseFile, PoseMode, PosePlan
from .builder import Link, Node, PromptBuilder
from .capabilities import DWPOSE, Method, best, missing_extractor

# Long side at which a photo is read, and at which its skeleton is kept: what SDPose's own workflow uses.
READ_SIDE = 1024
# Short side at which DWPose reads and draws; its nodes take multiples of 64.
DWPOSE_SIDE = 768


@dataclass(frozen=True)
class PoseImage:
    """The pose as a picture of the frame's size, the node that gave it, and the model it took."""

    image: Link
    node_id: str
    model: str | None


def plan_pose(file: PoseFile, mode: PoseMode, extractors: Sequence[Method]) -> PosePlan:
    """Decide what is done with the pose; `mode` other than auto overrides what was recognised.

    Raises UnprocessableError where the mode does not fit a pose in JSON, and UnavailableError where a
    photo was asked for and nothing can read one.
    """
    if file.kind == "json":
        if mode in ("photo", "raw"):
            raise UnprocessableError(
                f"The pose is OpenPose JSON, which pose_mode {mode} cannot take: use auto or skeleton.",
                ("body", "pose_mode"),
                code="field_not_applicable",
                parameters={"field": "pose_mode"},
            )
        return PosePlan(file.kind, "json")
    if mode == "raw":
        return PosePlan(file.kind, "raw")
    if mode == "skeleton" or (mode == "auto" and file.kind == "skeleton"):
        return PosePlan(file.kind, "skeleton")
    if file.kept_file_id is not None:
        return PosePlan(file.kind, "kept")
    extractor = best(extractors)
    if extractor is not None:
        return PosePlan(file.kind, "extract", extractor.name, extractor.model)
    if mode == "photo":
        raise UnavailableError(missing_extractor(extractors), code="pose_extractor_missing")
    warning = f"{missing_extractor(extractors)} The pose picture was applied as it is."
    return PosePlan(file.kind, "raw", warnings=(warning,))


def add_pose_image(
    build: PromptBuilder,
    plan: PosePlan,
    file: PoseFile,
    width: int,
    height: int,
    bones: str,
    *,
    from_behind: bool = False,
) -> PoseImage:
    """Add what turns the stored pose into a picture of `width` x `height` pixels.

    May be called once per view: what reads the photo is added once and shared. `from_behind` turns the
    figure round, which only a pose in JSON allows.
    """
    if plan.treatment == "extract":
        skeleton = _extract(build, plan, file, bones)
        node = build.add(
            "AvatarForgeKeepSkeleton",
            "Keep skeleton",
            image=skeleton,
            source_hash=file.content_hash,
            extractor=plan.extractor,
            bones=bones,
            width=width,
            height=height,
        )
    else:
        # With no kept file the plan was made for another one.
        file_id = file.kept_file_id if plan.treatment == "kept" and file.kept_file_id else file.file_id
        turned = from_behind and plan.treatment == "json"
        node = _load(build, "Pose", file_id, width, height, bones, from_behind=turned)
    return PoseImage(node.out(), node.id, plan.model)


def _load(
    build: PromptBuilder,
    title: str,
    file_id: str,
    width: int,
    height: int,
    bones: str,
    *,
    from_behind: bool = False,
) -> Node:
    # Every input is written out, so that the editor, which fills in what is missing, queues the same.
    return _once(
        build,
        "AvatarForgeLoadPose",
        title,
        file_id=file_id,
        width=width,
        height=height,
        bones=bones,
        from_behind=from_behind,
    )


def _extract(build: PromptBuilder, plan: PosePlan, file: PoseFile, bones: str) -> Link:
    if plan.extractor == DWPOSE:
        photo = _load(build, "Photo", file.file_id, 0, 0, "standard")
        # detect_face would draw 68 dots that fight the checkpoint's own face; hands are too small to help.
        return _once(
            build,
            "DWPreprocessor",
            "Read the pose",
            image=photo.out(),
            detect_hand="disable",
            detect_body="enable",
            detect_face="disable",
            resolution=DWPOSE_SIDE,
            bbox_detector="yolox_l.onnx",
            pose_estimator="dw-ll_ucoco_384_bs5.torchscript.pt",
            scale_stick_for_xinsr_cn="enable" if bones == "xinsir" else "disable",
        ).out()
    width, height = _within(file.width, file.height, READ_SIDE)
    photo = _load(build, "Photo", file.file_id, width, height, "standard")
    loader = _once(build, "CheckpointLoaderSimple", "SDPose", ckpt_name=plan.model)
    keypoints = _once(
        build,
        "SDPoseKeypointExtractor",
        "Read the pose",
        model=loader.out(0),
        vae=loader.out(2),
        image=photo.out(),
        batch_size=1,
    )
    return _once(
        build,
        "AvatarForgeDrawKeypoints",
        "Draw the pose",
        keypoints=keypoints.out(),
        width=width,
        height=height,
        bones=bones,
    ).out()


def _within(width: int, height: int, side: int) -> tuple[int, int]:
    """The size with the long side at `side` pixels, each side at least one pixel."""
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _once(build: PromptBuilder, class_type: str, title: str, **inputs: Any) -> Node:
    """Add a node, or take the same one that is there already."""
    for node_id, node in build.prompt.items():
        if node["class_type"] == class_type and node["inputs"] == inputs:
            return Node(node_id)
    return build.add(class_type, title, **inputs)
