"""Decides how a given pose image is used, and adds the nodes for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UnavailableError, UnprocessableError
from ..families.builder import Link, Node, PromptBuilder
from ..spec.pose import LIBRARY_KIND, PoseFile, PoseMode, PosePlan, PoseUse
from ..spec.warning import GenerationWarning, make_warning
from .capabilities import DWPOSE, missing_extractor
from .method import Method, best

# Long side, in pixels, at which SDPose reads a photo and its skeleton is stored: as in SDPose's own workflow.
READ_SIDE = 1024
# Short side, in pixels, at which DWPose reads and draws; its nodes accept multiples of 64.
DWPOSE_SIDE = 768


@dataclass(frozen=True)
class PoseImage:
    """A link to the pose picture, its node, and the model that extracted it, if any."""

    image: Link
    node_id: str
    model: str | None


def plan_pose(
    file: PoseFile, mode: PoseMode, extractors: Sequence[Method], *, needs_keypoints: bool = False
) -> PosePlan:
    """Decide how the pose image is used; a `mode` other than auto overrides the recognised kind.

    `needs_keypoints`: a photo as it is has no use. Raises UnprocessableError if the mode does not fit a pose
    in JSON, and UnavailableError if a photo has to be read, by its mode or its use, but no extractor works.
    """
    if file.kind == LIBRARY_KIND:
        if mode in ("photo", "raw"):
            raise UnprocessableError(
                f"The pose is one of the library, which pose_mode {mode} cannot take: use auto or skeleton.",
                ("body", "pose_mode"),
                code="field_not_applicable",
                parameters={"field": "pose_mode"},
            )
        return PosePlan(file.kind, "library")
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
    if mode == "photo" or needs_keypoints:
        raise UnavailableError(missing_extractor(extractors), code="pose_extractor_missing")
    return PosePlan(file.kind, "raw")


def pose_warnings(pose: PoseUse, extractors: Sequence[Method]) -> tuple[GenerationWarning, ...]:
    """What the user should know about this plan."""
    if pose.mode != "auto" or pose.plan.treatment != "raw" or pose.strength == 0:
        return ()
    missing = missing_extractor(extractors)
    detail = f"{missing} The pose picture was applied as it is."
    return (make_warning("pose_not_extracted", detail, missing=missing),)


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
    """Add the nodes that turn the stored pose into a picture of `width` x `height` pixels.

    May be called once per view: the nodes that read a photo are added once and shared. `from_behind` turns
    the figure around, which only works for a pose in JSON.
    """
    if plan.treatment == "extract":
        skeleton = _extract(build, plan, file, bones)
        node = build.add_shared(
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
        turn = from_behind and plan.treatment == "json"
        node = _load(build, "Pose", _stored_id(plan, file), width, height, bones, from_behind=turn)
    return PoseImage(node.out(), node.id, plan.model)


def add_keypoints(
    build: PromptBuilder, plan: PosePlan, file: PoseFile, bones: str, *, from_behind: bool = False
) -> Link:
    """Add the nodes that read the keypoints of the stored pose; returns a link to a POSE_KEYPOINT.

    May be called once per view, like `add_pose_image`. `from_behind` turns the figure around.
    """
    if plan.treatment == "extract":
        # The size 0 keeps that of the skeleton.
        skeleton = add_pose_image(build, plan, file, 0, 0, bones).image
        return build.add_shared(
            "AvatarForgeReadSkeleton", "Read the skeleton", image=skeleton, from_behind=from_behind
        ).out()
    return build.add_shared(
        "AvatarForgeLoadKeypoints", "Pose", file_id=_stored_id(plan, file), from_behind=from_behind
    ).out()


def _stored_id(plan: PosePlan, file: PoseFile) -> str:
    # Without a kept file, the plan was made for another file.
    stored = file.kept_file_id if plan.treatment == "kept" and file.kept_file_id else file.file_id
    if stored is None:
        raise ValueError("A built-in pose has no file to load.")
    return stored


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
    # List every input: the editor fills in missing ones, and must queue the same prompt.
    return build.add_shared(
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
        photo = _load(build, "Photo", _stored_id(plan, file), 0, 0, "standard")
        # detect_face would draw 68 dots that conflict with the checkpoint's own face; hands are too small to
        # help.
        return build.add_shared(
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
    photo = _load(build, "Photo", _stored_id(plan, file), width, height, "standard")
    loader = build.add_shared("CheckpointLoaderSimple", "SDPose", ckpt_name=plan.model)
    keypoints = build.add_shared(
        "SDPoseKeypointExtractor",
        "Read the pose",
        model=loader.out(0),
        vae=loader.out(2),
        image=photo.out(),
        batch_size=1,
    )
    return build.add_shared(
        "AvatarForgeDrawKeypoints",
        "Draw the pose",
        keypoints=keypoints.out(),
        width=width,
        height=height,
        bones=bones,
    ).out()


def _within(width: int, height: int, side: int) -> tuple[int, int]:
    """The size scaled so that its long side is `side` pixels; no side is less than one pixel."""
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
