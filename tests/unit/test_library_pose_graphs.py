"""A pose of the library in the graphs of every family, in templates, and in the doll's node."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from family_requests import GENERATION, family_requests
from graph_checks import check_fits_the_host, nodes
from specs import BUILT_IN, spec

from avatarforge.forge.families import FAMILIES
from avatarforge.forge.generations.transactions import used_files
from avatarforge.forge.graphs.compile import compile_prompt, compile_reroll
from avatarforge.forge.spec.avatar import AvatarSpec
from avatarforge.forge.spec.request import parameters

FILE = "00000000-0000-4000-8000-000000000009"
SAVED = replace(BUILT_IN, file=replace(BUILT_IN.file, file_id=FILE), mirrored=False)
VIEWS = ("front", "side", "back_left")


def posed_specs() -> dict[str, AvatarSpec]:
    """A sheet of each family that can apply a pose, by the family's name."""
    found: dict[str, AvatarSpec] = {}
    for request in family_requests():
        item = request.spec
        if item.pose is not None and item.pose.strength > 0:
            found.setdefault(item.family, replace(item, views=VIEWS, pose=SAVED))
    return found


POSED = posed_specs()


def test_every_family_that_takes_poses_is_covered() -> None:
    assert set(POSED) == {family.name for family in FAMILIES.values() if family.pose}


@pytest.mark.parametrize(
    ("name", "turnaround"),
    [
        (name, turnaround)
        for name in POSED
        for turnaround in ("batch", "sequential")
        if turnaround == "sequential" or FAMILIES[name].batch
    ],
)
def test_the_pose_is_turned_to_every_view(name: str, turnaround: Any) -> None:
    for pose in (SAVED, BUILT_IN):
        wanted = replace(POSED[name], pose=pose, turnaround=turnaround)
        compiled = compile_prompt(wanted, GENERATION)
        check_fits_the_host(compiled)
        drawn = nodes(compiled.prompt, "AvatarForgeLibraryPose")
        assert not nodes(compiled.prompt, "AvatarForgePoseSkeleton")
        assert {item["pose"] for item in drawn} == {pose.file.file_id or pose.pose_id}
        shown = [item["views"] or item["view"] for item in drawn]
        assert shown == ([", ".join(VIEWS)] if turnaround == "batch" else list(VIEWS))
        for item in drawn:
            # The whole frame of every view has one scale.
            assert (item["width"], item["height"]) == (wanted.width, wanted.height)
            assert (item["sheet"], item["mirrored"]) == (", ".join(VIEWS), pose.mirrored)
        lines = [line for line in compiled.inputs if line.role == "pose"]
        assert [line.view for line in lines] == list(VIEWS)
        assert {(line.kind, line.file_id) for line in lines} == {("library", pose.file.file_id)}
        assert compiled.warnings == ()


@pytest.mark.parametrize("name", ["sd15", "doll"])
def test_a_narrow_view_is_cut_out_of_the_frame(name: str) -> None:
    compiled = compile_reroll(POSED[name], GENERATION, VIEWS.index("side"))
    check_fits_the_host(compiled)
    (drawn,) = nodes(compiled.prompt, "AvatarForgeLibraryPose")
    assert drawn["width"] == POSED[name].width
    narrow = [item["width"] for item in nodes(compiled.prompt, "AvatarForgeTakePicture")]
    assert narrow and 0 < narrow[0] < POSED[name].width


def test_the_doll_gets_the_keypoints_of_all_rows() -> None:
    compiled = compile_prompt(replace(POSED["doll"], turnaround="batch"), GENERATION)
    (doll,) = nodes(compiled.prompt, "AvatarForgePaperDoll")
    source, output = doll["keypoints"]
    assert (compiled.prompt[source]["class_type"], output) == ("AvatarForgeLibraryPose", 1)
    assert "back_keypoints" not in doll


def test_what_a_spec_stores_can_be_read_and_repeated() -> None:
    for pose, used in ((BUILT_IN, {}), (SAVED, {"pose": FILE})):
        stored = replace(spec(), pose=pose)
        assert AvatarSpec.from_json(stored.to_json()) == stored
        assert used_files(stored) == used
        values = parameters(stored, "avatar")
        assert (values["pose_id"], values["pose_mirrored"]) == (pose.pose_id, pose.mirrored)
        assert values["pose_file_id"] is None


def test_a_pose_of_strength_zero_is_as_if_absent() -> None:
    wanted = replace(POSED["sd15"], pose=replace(BUILT_IN, strength=0.0))
    assert compile_prompt(wanted, GENERATION) == compile_prompt(replace(wanted, pose=None), GENERATION)
