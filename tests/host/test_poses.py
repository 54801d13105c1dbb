"""Poses of every kind through the nodes of a real ComfyUI.

The extractor is a stand-in (tests/stand_ins/controlnet_aux.py), as DWPose's models cannot be fetched here:
what is tested is the way of a photo to its skeleton, into the store and out of it again.
"""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pictures import picture
from PIL import Image, ImageChops

from avatarforge.forge.families.builder import PromptBuilder
from avatarforge.forge.graphs.method import Method
from avatarforge.forge.graphs.poses import add_pose_image, plan_pose
from avatarforge.forge.pictures.openpose_json import draw_pose, parse_pose
from avatarforge.forge.pictures.skeleton import BoneStyle, draw_skeleton, view_skeleton
from avatarforge.forge.spec.pose import PoseFile
from lab.api import Api
from lab.server import ComfyServer

STAND_IN = Path(__file__).parents[1] / "stand_ins" / "controlnet_aux.py"
DWPOSE = (Method("dwpose", True, None, None),)
WIDTH, HEIGHT = 96, 160
CASES = Path(__file__).parents[1] / "data" / "cases"
FIELD_POSE = CASES / "pose-null-people.json"


@pytest.fixture(scope="module")
def server(module_factory: Callable[..., ComfyServer]) -> ComfyServer:
    """A ComfyUI with the pack and the stand-in, and no models."""
    return module_factory(models=(), nodes=[STAND_IN])


def run(server: ComfyServer, prompt: dict[str, Any]) -> dict[str, Any]:
    """Queue a prompt as the editor does; its entry in ComfyUI's history."""
    api = Api(server.url)
    answer = api.post(f"{server.url}/prompt", json={"prompt": prompt})
    assert answer.status_code == 200, answer.text
    return api.history(answer.json()["prompt_id"])


def image_of(server: ComfyServer, build: PromptBuilder, link: list[Any]) -> Image.Image:
    """What comes out of a link."""
    saved = build.add("SaveImage", "Save", images=link, filename_prefix="pose")
    entry = run(server, build.prompt)
    assert entry["status"]["status_str"] == "success", entry["status"]
    (image,) = entry["outputs"][saved.id]["images"]
    content = Api(server.url).root("/view", params=image).content
    return Image.open(io.BytesIO(content)).convert("RGB")


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one, other).getbbox() is None


def pose_json() -> bytes:
    points = view_skeleton("quarter").keypoints
    numbers = [
        value for point in points for value in ((point.x * 400, point.y * 800, 1) if point else (0, 0, 0))
    ]
    return json.dumps(
        {"canvas_width": 400, "canvas_height": 800, "people": [{"pose_keypoints_2d": numbers}]}
    ).encode()


def load(file_id: str, **inputs: Any) -> tuple[PromptBuilder, list[Any]]:
    build = PromptBuilder()
    return build, build.add("AvatarForgeLoadPose", "Pose", file_id=file_id, **inputs).out()


@pytest.mark.parametrize("bones", ["standard", "xinsir"])
def test_json_is_drawn_whole_at_the_size_of_the_frame(server: ComfyServer, bones: str) -> None:
    answer = Api(server.url).post(
        "/upload/pose_image", data=pose_json(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 200, answer.text
    uploaded = answer.json()
    assert uploaded["mime_type"] == "application/json"
    assert uploaded["dimensions"] == {"width": 400, "height": 800}
    drawn = image_of(server, *load(uploaded["file_id"], width=640, height=384, bones=bones))
    assert same(drawn, draw_pose(parse_pose(pose_json()), 640, 384, BoneStyle(bones)))
    download = Api(server.url).root(uploaded["url"])
    assert (download.content, download.headers["Content-Type"]) == (pose_json(), "application/json")


def test_poses_and_pictures_from_the_field_are_loaded(server: ComfyServer) -> None:
    for path in sorted(CASES.glob("pose-*.json")):
        file_id = Api(server.url).upload(path.read_bytes(), filename=path.name)["file_id"]
        drawn = image_of(server, *load(file_id, width=0, height=0))
        assert drawn.size == (512, 768), path.name
        # Of the same figure, and so of the same picture.
        assert same(drawn, draw_pose(parse_pose(FIELD_POSE.read_bytes()), 512, 768)), path.name
    for path in (CASES / "png-ztxt-1500kB-unpacked.png", CASES / "apng-one-frame.png"):
        uploaded = Api(server.url).upload(path.read_bytes(), filename=path.name)
        size = (uploaded["dimensions"]["width"], uploaded["dimensions"]["height"])
        assert image_of(server, *load(uploaded["file_id"], width=0, height=0)).size == size
        build = PromptBuilder()
        reference = build.add("AvatarForgeLoadReference", "Reference", file_id=uploaded["file_id"])
        assert image_of(server, build, reference.out()).size == size


def test_json_without_a_size_has_that_of_its_canvas(server: ComfyServer) -> None:
    file_id = Api(server.url).upload(pose_json(), filename="pose.json")["file_id"]
    assert image_of(server, *load(file_id, width=0, height=0)).size == (400, 800)


def test_a_skeleton_picture_stays_as_it_is(server: ComfyServer) -> None:
    drawing = draw_skeleton(view_skeleton("back"), WIDTH, HEIGHT)
    buffer = io.BytesIO()
    drawing.save(buffer, "PNG")
    file_id = Api(server.url).upload(buffer.getvalue())["file_id"]
    assert same(image_of(server, *load(file_id, width=WIDTH, height=HEIGHT)), drawing)


def kept_for(server: ComfyServer, source_hash: str) -> dict[tuple[str, str], str]:
    """(extractor, bones) -> file id of the kept skeletons, from the database itself."""
    database = server.base / "user" / "__avatarforge" / "avatarforge.db"
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(
            "SELECT extractor, bones, file_id FROM extracted_poses WHERE source_hash = ?", (source_hash,)
        )
        return {(extractor, bones): file_id for extractor, bones, file_id in rows}


def photo(server: ComfyServer, seed: int) -> PoseFile:
    uploaded = Api(server.url).upload(picture(seed, (100, 180)))
    return PoseFile(uploaded["file_id"], uploaded["content_hash"], 100, 180, "photo")


def pose_of(server: ComfyServer, file: PoseFile, bones: str = "standard", width: int = WIDTH) -> Image.Image:
    build = PromptBuilder()
    plan = plan_pose(file, "auto", DWPOSE)
    return image_of(server, build, add_pose_image(build, plan, file, width, HEIGHT, bones).image)


def test_a_photo_is_read_once_and_its_kept_skeleton_gives_the_same_pixels(server: ComfyServer) -> None:
    file = photo(server, 1)
    before = server.log().count("STAND-IN")
    read = pose_of(server, file)
    assert read.size == (WIDTH, HEIGHT)
    assert read.getbbox() is not None
    kept = kept_for(server, file.content_hash)
    assert set(kept) == {("dwpose", "standard")}
    kept_file = PoseFile(**{**vars(file), "kept_file_id": kept["dwpose", "standard"]})
    assert same(pose_of(server, kept_file), read)
    assert server.log().count("STAND-IN") == before + 1
    server.restart()
    assert same(pose_of(server, kept_file), read)
    assert server.log().count("STAND-IN") == 0


def test_thick_bones_are_kept_beside_thin_ones(server: ComfyServer) -> None:
    file = photo(server, 2)
    assert not same(pose_of(server, file), pose_of(server, file, "xinsir"))
    assert set(kept_for(server, file.content_hash)) == {("dwpose", "standard"), ("dwpose", "xinsir")}


def test_two_views_of_one_prompt_read_the_photo_once(server: ComfyServer) -> None:
    file = photo(server, 3)
    before = server.log().count("STAND-IN")
    build = PromptBuilder()
    plan = plan_pose(file, "auto", DWPOSE)
    saved = [
        build.add("SaveImage", "Save", images=added.image, filename_prefix="pose")
        for added in (add_pose_image(build, plan, file, width, HEIGHT, "standard") for width in (96, 64))
    ]
    entry = run(server, build.prompt)
    assert entry["status"]["status_str"] == "success"
    assert all(entry["outputs"][node.id]["images"] for node in saved)
    assert server.log().count("STAND-IN") == before + 1
    assert len(kept_for(server, file.content_hash)) == 1


def test_the_kept_skeleton_is_a_file_that_goes_with_the_photo(server: ComfyServer) -> None:
    api = Api(server.url)
    file = photo(server, 4)
    pose_of(server, file)
    (kept,) = kept_for(server, file.content_hash).values()
    download = api.get(f"/files/{kept}")
    assert (download.status_code, download.headers["Content-Type"]) == (200, "image/png")
    assert api.delete(f"/files/{file.file_id}").json()["deleted"] == "hard"
    assert api.get(f"/files/{kept}").status_code == 404
    assert kept_for(server, file.content_hash) == {}


def test_a_photo_that_shows_nobody_fails_and_says_what_to_do(server: ComfyServer) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (100, 180)).save(buffer, "PNG")
    uploaded = Api(server.url).upload(buffer.getvalue())
    file = PoseFile(uploaded["file_id"], uploaded["content_hash"], 100, 180, "photo")
    build = PromptBuilder()
    added = add_pose_image(build, plan_pose(file, "auto", DWPOSE), file, WIDTH, HEIGHT, "standard")
    build.add("SaveImage", "Save", images=added.image, filename_prefix="pose")
    status = run(server, build.prompt)["status"]
    assert status["status_str"] == "error"
    (failure,) = (data for kind, data in status["messages"] if kind == "execution_error")
    assert failure["node_id"] == added.node_id
    assert "Nobody was found" in failure["exception_message"]
    assert "pose_mode raw" in failure["exception_message"]
    assert kept_for(server, file.content_hash) == {}


@pytest.mark.parametrize("bones", ["standard", "xinsir"])
def test_keypoints_are_drawn_where_the_estimator_is_sure(server: ComfyServer, bones: str) -> None:
    build = PromptBuilder()
    picture_node = build.add("EmptyImage", "Any", width=64, height=64, batch_size=1, color=255)
    keypoints = build.add("DWPreprocessor", "Stand-in", image=picture_node.out())
    drawn = build.add(
        "AvatarForgeDrawKeypoints", "Draw", keypoints=keypoints.out(1), width=320, height=320, bones=bones
    )
    sure = [0, 0, 0, 100, 100, 1, 60, 100, 1, *[0] * 45]
    frame = {"canvas_width": 200, "canvas_height": 400, "people": [{"pose_keypoints_2d": sure}]}
    expected = draw_pose(parse_pose(json.dumps(frame).encode()), 320, 320, BoneStyle(bones))
    assert same(image_of(server, build, drawn.out()), expected)


def test_json_is_no_reference_for_the_node(server: ComfyServer) -> None:
    file_id = Api(server.url).upload(pose_json(), filename="pose.json")["file_id"]
    build = PromptBuilder()
    reference = build.add("AvatarForgeLoadReference", "Reference", file_id=file_id)
    build.add("SaveImage", "Save", images=reference.out(), filename_prefix="pose")
    status = run(server, build.prompt)["status"]
    (failure,) = (data for kind, data in status["messages"] if kind == "execution_error")
    assert "is a pose in JSON" in failure["exception_message"]
