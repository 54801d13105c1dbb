"""What is done with a pose, by value, and the nodes for it against the recorded host."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avatarforge.forge.errors import UnavailableError, UnprocessableError
from avatarforge.forge.families.builder import PromptBuilder
from avatarforge.forge.graphs.method import Method
from avatarforge.forge.graphs.poses import add_pose_image, plan_pose, pose_warnings
from avatarforge.forge.ports import Prompt
from avatarforge.forge.spec.pose import PoseFile, PoseMode, PosePlan, PoseUse

OBJECT_INFO: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "object_info.json").read_text(encoding="utf-8")
)
PHOTO = PoseFile("11111111-1111-4111-8111-111111111111", "ab" * 32, 1000, 2000, "photo")
SKELETON = replace(PHOTO, kind="skeleton")
DRAWN = replace(PHOTO, kind="json")
KEPT = replace(PHOTO, kept_file_id="22222222-2222-4222-8222-222222222222")
DWPOSE = Method("dwpose", True, None, None)
SDPOSE = Method("sdpose", True, "sdpose.safetensors", None)
BOTH = (DWPOSE, SDPOSE)
NONE = (Method("dwpose", False, None, "the pack A"), Method("sdpose", False, None, "the file B"))


@pytest.mark.parametrize(
    ("file", "mode", "treatment"),
    [
        (DRAWN, "auto", "json"),
        (DRAWN, "skeleton", "json"),
        (SKELETON, "auto", "skeleton"),
        (SKELETON, "skeleton", "skeleton"),
        (SKELETON, "raw", "raw"),
        (SKELETON, "photo", "extract"),
        (PHOTO, "auto", "extract"),
        (PHOTO, "photo", "extract"),
        (PHOTO, "skeleton", "skeleton"),
        (PHOTO, "raw", "raw"),
        (KEPT, "auto", "kept"),
        (KEPT, "photo", "kept"),
        (KEPT, "raw", "raw"),
        (KEPT, "skeleton", "skeleton"),
    ],
)
def test_the_kind_decides_and_the_mode_overrides(file: PoseFile, mode: PoseMode, treatment: str) -> None:
    plan = plan_pose(file, mode, BOTH)
    assert (plan.kind, plan.treatment) == (file.kind, treatment)
    assert pose_warnings(PoseUse(file, plan, mode, 1.0), BOTH) == ()
    assert (plan.extractor, plan.model) == (("dwpose", None) if treatment == "extract" else (None, None))


def test_the_first_extractor_that_works_is_taken() -> None:
    plan = plan_pose(PHOTO, "auto", (NONE[0], SDPOSE))
    assert plan == PosePlan("photo", "extract", "sdpose", "sdpose.safetensors")


def test_a_photo_without_an_extractor_goes_as_it_is_with_a_warning_that_names_what_to_install() -> None:
    plan = plan_pose(PHOTO, "auto", NONE)
    assert plan.treatment == "raw"
    (warning,) = pose_warnings(PoseUse(PHOTO, plan, "auto", 1.0), NONE)
    assert "the pack A" in warning.detail
    assert "the file B" in warning.detail
    assert "as it is" in warning.detail
    assert warning.code == "pose_not_extracted"
    assert pose_warnings(PoseUse(PHOTO, plan, "raw", 1.0), NONE) == ()


def test_a_photo_that_was_asked_for_is_refused_without_an_extractor() -> None:
    with pytest.raises(UnavailableError, match="the pack A, or the file B"):
        plan_pose(PHOTO, "photo", NONE)


def test_a_kept_skeleton_needs_no_extractor() -> None:
    assert plan_pose(KEPT, "auto", NONE) == PosePlan("photo", "kept")


@pytest.mark.parametrize("mode", ["photo", "raw"])
def test_json_cannot_be_read_as_a_photo(mode: PoseMode) -> None:
    with pytest.raises(UnprocessableError, match=mode) as refused:
        plan_pose(DRAWN, mode, BOTH)
    assert refused.value.location == ("body", "pose_mode")


def fits_the_record(prompt: Prompt) -> None:
    for node in prompt.values():
        if node["class_type"] == "DWPreprocessor":
            continue  # of another pack: no part of the record
        offered = OBJECT_INFO[node["class_type"]]["input"]
        required, optional = offered.get("required", {}), offered.get("optional", {})
        assert set(required) <= set(node["inputs"]) <= {*required, *optional}, node["class_type"]
        for name, value in node["inputs"].items():
            kind = {**optional, **required}[name][0]
            if isinstance(value, list):
                source, slot = value
                output = OBJECT_INFO.get(prompt[source]["class_type"], {"output": ["IMAGE"]})["output"]
                assert output[slot] == kind


@pytest.mark.parametrize(
    ("file", "mode", "extractors", "classes"),
    [
        (SKELETON, "auto", NONE, ["AvatarForgeLoadPose"]),
        (DRAWN, "auto", NONE, ["AvatarForgeLoadPose"]),
        (PHOTO, "raw", NONE, ["AvatarForgeLoadPose"]),
        (KEPT, "auto", NONE, ["AvatarForgeLoadPose"]),
        (PHOTO, "auto", (DWPOSE,), ["AvatarForgeLoadPose", "DWPreprocessor", "AvatarForgeKeepSkeleton"]),
        (
            PHOTO,
            "auto",
            (SDPOSE,),
            [
                "AvatarForgeLoadPose",
                "CheckpointLoaderSimple",
                "SDPoseKeypointExtractor",
                "AvatarForgeDrawKeypoints",
                "AvatarForgeKeepSkeleton",
            ],
        ),
    ],
    ids=["skeleton", "json", "raw", "kept", "dwpose", "sdpose"],
)
def test_the_nodes_fit_the_host_and_the_last_one_has_the_frame(
    file: PoseFile, mode: PoseMode, extractors: tuple[Method, ...], classes: list[str]
) -> None:
    build = PromptBuilder()
    plan = plan_pose(file, mode, extractors)
    added = add_pose_image(build, plan, file, 512, 768, "xinsir")
    fits_the_record(build.prompt)
    assert [node["class_type"] for node in build.prompt.values()] == classes
    last = build.prompt[added.node_id]
    assert added.image == [added.node_id, 0]
    assert last["class_type"] == classes[-1]
    assert (last["inputs"]["width"], last["inputs"]["height"], last["inputs"]["bones"]) == (
        512,
        768,
        "xinsir",
    )
    assert added.model == plan.model


def test_a_kept_skeleton_is_what_is_loaded() -> None:
    build = PromptBuilder()
    added = add_pose_image(build, plan_pose(KEPT, "auto", NONE), KEPT, 64, 64, "standard")
    assert build.prompt[added.node_id]["inputs"]["file_id"] == KEPT.kept_file_id
    raw = add_pose_image(build, plan_pose(KEPT, "raw", NONE), KEPT, 64, 64, "standard")
    assert build.prompt[raw.node_id]["inputs"]["file_id"] == KEPT.file_id


@pytest.mark.parametrize("extractor", BOTH, ids=["dwpose", "sdpose"])
def test_views_share_what_reads_the_photo(extractor: Method) -> None:
    build = PromptBuilder()
    plan = plan_pose(PHOTO, "auto", (extractor,))
    wide = add_pose_image(build, plan, PHOTO, 512, 768, "standard")
    alone = len(build.prompt)
    narrow = add_pose_image(build, plan, PHOTO, 384, 768, "standard")
    assert len(build.prompt) == alone + 1
    first, second = build.prompt[wide.node_id]["inputs"], build.prompt[narrow.node_id]["inputs"]
    assert first["image"] == second["image"]
    assert (first["source_hash"], first["extractor"]) == (PHOTO.content_hash, extractor.name)


def test_sdpose_reads_the_photo_at_its_own_shape() -> None:
    build = PromptBuilder()
    add_pose_image(build, plan_pose(PHOTO, "auto", (SDPOSE,)), PHOTO, 512, 512, "standard")
    sizes = [
        (node["inputs"]["width"], node["inputs"]["height"])
        for node in build.prompt.values()
        if node["class_type"] in ("AvatarForgeLoadPose", "AvatarForgeDrawKeypoints")
    ]
    assert sizes == [(512, 1024), (512, 1024)]
