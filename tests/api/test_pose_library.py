"""The pose library over HTTP: list, save, get, delete, use in requests, and what is refused."""

from __future__ import annotations

import copy
import io
import json
from typing import Any

import pytest
from pictures import picture
from pose_formats import FRAME, person
from services import Product, product

from avatarforge.forge.pictures.library.builtin import BUILT_IN_POSES
from avatarforge.forge.pictures.skeleton import draw_skeleton, view_skeleton
from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX

from .conftest import Client, application, generate, upload
from .templates import Body, refused, send

LIBRARY = "/poses/library"
SHEET = "/generate_all_poses"


async def save(client: Client, name: str = "Victory", pose: Any = FRAME) -> Body:
    status, answer = await send(client, "POST", LIBRARY, json={"name": name, "pose": pose})
    assert status == 200, answer
    return answer


async def listed(client: Client, query: str = "") -> Body:
    status, page = await send(client, "GET", LIBRARY + query)
    assert status == 200, page
    return page


def node(forge: Product, generation: dict[str, Any], class_type: str) -> list[dict[str, Any]]:
    prompt = forge.host.prompts[generation["comfyui_prompt_id"]]
    return [item["inputs"] for item in prompt.values() if item["class_type"] == class_type]


async def test_built_in_poses_come_on_the_first_page(client: Client) -> None:
    page = await listed(client)
    assert [item["name"] for item in page["built_in"]] == [pose.name for pose in BUILT_IN_POSES]
    assert (page["poses"], page["total"], page["next_cursor"]) == ([], 0, None)
    for item in page["built_in"]:
        assert item["built_in"] and item["hands"] and item["face"] and item["description"]
        assert (item["file_id"], item["created_at"]) == (None, None)
        skeleton = item["skeleton"]
        assert len(skeleton["joints"]) == 18 and skeleton["height"] == 768
        for joint in filter(None, skeleton["joints"]):
            assert 0 < joint[0] < skeleton["width"] and 0 < joint[1] < 768
    assert [item["name"] for item in (await listed(client, "?q=SITTING"))["built_in"]] == [
        "sitting",
        "sitting_on_floor",
    ]


async def test_a_saved_pose_is_listed_shown_and_turned(client: Client) -> None:
    saved = await save(client)
    for reference in (saved["pose_id"], saved["pose_id"].upper(), "VICTORY"):
        assert await send(client, "GET", f"{LIBRARY}/{reference}") == (200, saved)
    assert (saved["name"], saved["built_in"], saved["description"]) == ("Victory", False, None)
    assert (saved["view"], saved["mirrored"], saved["hands"], saved["face"]) == (None, False, False, False)
    given = person()["pose_keypoints_2d"]
    assert saved["pose"]["people"][0]["pose_keypoints_2d"] == given
    assert (saved["pose"]["canvas_width"], saved["pose"]["canvas_height"]) == (512, 768)
    page = await listed(client)
    only_shown = ("pose", "view", "mirrored")
    assert page["poses"] == [{key: value for key, value in saved.items() if key not in only_shown}]
    _, turned = await send(client, "GET", f"{LIBRARY}/victory?view=back&mirrored=true")
    # Mirrored and turned round, each point is where it was, on the other side of the body, without a face.
    points = turned["pose"]["people"][0]["pose_keypoints_2d"]
    assert (turned["view"], turned["mirrored"], points[:3]) == ("back", True, [0.0, 0.0, 0.0])
    assert points[3 * 2 : 3 * 5] == given[3 * 5 : 3 * 8]


async def test_a_built_in_pose_is_shown_with_hands_and_face(client: Client) -> None:
    _, front = await send(client, "GET", f"{LIBRARY}/waving")
    (one,) = front["pose"]["people"]
    lengths = {name: len(numbers) for name, numbers in one.items()}
    assert lengths == {
        "pose_keypoints_2d": 54,
        "face_keypoints_2d": 210,
        "hand_left_keypoints_2d": 63,
        "hand_right_keypoints_2d": 63,
    }
    nose, right_wrist = one["pose_keypoints_2d"][:2], one["pose_keypoints_2d"][12:14]
    assert right_wrist[0] < nose[0] and right_wrist[1] < nose[1]
    _, mirrored = await send(client, "GET", f"{LIBRARY}/{front['pose_id']}?mirrored=true")
    left_wrist = mirrored["pose"]["people"][0]["pose_keypoints_2d"][21:23]
    width = front["pose"]["canvas_width"]
    assert left_wrist == [pytest.approx(width - right_wrist[0]), pytest.approx(right_wrist[1])]
    _, back = await send(client, "GET", f"{LIBRARY}/waving?view=back")
    assert sum(back["pose"]["people"][0]["face_keypoints_2d"]) == 0
    assert (await refused(client, "GET", f"{LIBRARY}/waving?view=below"))[:2] == (422, "invalid_request")


async def test_the_list_is_paged_and_searched(client: Client) -> None:
    for number in range(3):
        await save(client, f"pose {number}")
    first = await listed(client, "?limit=2")
    rest = await listed(client, f"?limit=2&cursor={first['next_cursor']}")
    assert [item["name"] for item in first["poses"] + rest["poses"]] == ["pose 2", "pose 1", "pose 0"]
    assert (first["total"], rest["total"], rest["built_in"], rest["next_cursor"]) == (3, 3, [], None)
    assert [item["name"] for item in (await listed(client, "?q=POSE%201"))["poses"]] == ["pose 1"]
    assert (await listed(client, "?q=%25"))["total"] == 0
    assert (await refused(client, "GET", f"{LIBRARY}?cursor=nonsense"))[:2] == (422, "invalid_cursor")


async def test_uploads_become_poses(client: Client) -> None:
    """A JSON file is used as it is; the keypoints of a skeleton picture are read; a photo has none."""
    stored = await save(client, "from JSON")
    assert (await save(client, "again", stored["file_id"]))["file_id"] == stored["file_id"]
    drawn = io.BytesIO()
    draw_skeleton(view_skeleton("front"), 512, 768).save(drawn, "PNG")
    skeleton = (await upload(client, drawn.getvalue()))["file_id"]
    read = await save(client, "from a skeleton", skeleton)
    assert read["file_id"] != skeleton and read["skeleton"]["joints"][0] is not None
    photo = (await upload(client, picture(7)))["file_id"]
    body = {"name": "from a photo", "pose": photo}
    assert (await refused(client, "POST", LIBRARY, json=body))[:2] == (400, "invalid_pose")
    body["pose"] = "00000000-0000-4000-8000-000000000000"
    assert (await refused(client, "POST", LIBRARY, json=body))[:2] == (404, "file_not_found")


@pytest.mark.parametrize("name", ["victory", " VICTORY ", "\uff36ictory", "T pose", "Sitting-on-floor"])
async def test_a_name_is_taken_whatever_its_form(client: Client, name: str) -> None:
    await save(client)
    status, code, text = await refused(client, "POST", LIBRARY, json={"name": name, "pose": FRAME})
    assert (status, code) == (409, "pose_exists")
    assert name.strip() in text


@pytest.mark.parametrize(
    "name", ["", "   ", "a\x00b", "a\nb", "x" * 101, "b1c29540-8712-4faf-8d5c-9ed86409ddce", 7]
)
async def test_a_name_that_is_none_is_refused(client: Client, name: Any) -> None:
    status, code, _ = await refused(client, "POST", LIBRARY, json={"name": name, "pose": FRAME})
    assert (status, code) == (422, "invalid_request")
    assert (await listed(client))["total"] == 0


CROWD = {**FRAME, "people": [person()] * 1_001}
HOSTILE: dict[str, tuple[Any, int]] = {
    "no pose": ({"a": 1}, 400),
    "nobody": ({**FRAME, "people": []}, 400),
    "thousands of people": (CROWD, 400),
    "far outside": ({**FRAME, "people": [person([(1e9, 1e9)] * 18)]}, 400),
    "a tiny canvas": (
        {**FRAME, "canvas_width": 4, "canvas_height": 4, "people": [person([(2, 3)] * 18)]},
        400,
    ),
    "text for numbers": ({**FRAME, "people": [{"pose_keypoints_2d": ["1"] * 54}]}, 400),
    "a list": ([FRAME], 422),
    "a number": (1, 422),
    "no id": ("../../etc/passwd", 404),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_what_is_no_pose_leaves_nothing_behind(client: Client, case: str) -> None:
    pose, expected = HOSTILE[case]
    status, _, text = await refused(client, "POST", LIBRARY, json={"name": "mine", "pose": pose})
    assert status == expected and text
    assert (await listed(client))["total"] == 0
    assert (await (await client.get(f"{PREFIX}/files")).json())["total"] == 0


async def test_a_body_that_is_no_json_or_too_large_is_refused(client: Client) -> None:
    headers = {"Content-Type": "application/json"}
    whole = json.dumps({"name": "mine", "pose": FRAME})
    for text, expected in (
        (whole.replace("256", "NaN", 1), (422, "invalid_json")),
        (whole.replace("256", "1e999", 1), (400, "invalid_pose")),
        ('{"name": "mine", "pose": ' + '{"a":' * 100 + "1" + "}" * 101, (422, "invalid_json")),
        (json.dumps({"name": "mine", "pose": {**FRAME, "more": "x" * 1_100_000}}), (413, "body_too_large")),
    ):
        assert (await refused(client, "POST", LIBRARY, data=text, headers=headers))[:2] == expected
    # Half a character is valid JSON text, which no database takes.
    pose = {**FRAME, "more": "\ud83d"}
    status, _ = await send(client, "POST", LIBRARY, json={"name": "mine", "pose": pose})
    assert status == 200


async def test_only_so_many_poses_are_saved(tmp_path: Any, aiohttp_client: Any) -> None:
    async with product(tmp_path, settings=Settings(max_library_poses=1)) as forge:
        client = await aiohttp_client(application(forge.services))
        saved = await save(client)
        status, code, text = await refused(client, "POST", LIBRARY, json={"name": "two", "pose": FRAME})
        assert (status, code) == (409, "too_many_poses") and "MAX_LIBRARY_POSES" in text
        assert (await send(client, "DELETE", f"{LIBRARY}/{saved['pose_id']}"))[0] == 200
        await save(client, "two")


async def test_deleting_a_pose_releases_its_file(client: Client) -> None:
    saved = await save(client)
    file = f"{PREFIX}/files/{saved['file_id']}"
    deleted = await client.delete(file)
    assert (await deleted.json())["deleted"] == "soft"
    # Its pose still works, and its bytes go with it.
    assert (await generate(client, pose_id="victory"))["parameters"]["pose_id"] == saved["pose_id"]
    other = await save(client, "other", {**FRAME, "people": [person(), person()]})
    status, answer = await send(client, "DELETE", f"{LIBRARY}/{other['pose_id'].upper()}")
    assert (status, answer["pose_id"], answer["deleted"]) == (200, other["pose_id"], True)
    assert (await refused(client, "GET", f"{LIBRARY}/other"))[:2] == (404, "pose_not_found")
    assert (await refused(client, "DELETE", f"{LIBRARY}/{other['pose_id']}"))[:2] == (404, "pose_not_found")
    # By force the file goes, and with it the pose.
    third = await save(client, "third", {**FRAME, "people": [person()] * 3})
    await client.delete(f"{PREFIX}/files/{third['file_id']}?force=true")
    assert (await refused(client, "GET", f"{LIBRARY}/third"))[:2] == (404, "pose_not_found")


async def test_a_replaced_pose_keeps_its_id_and_name(client: Client, forge: Product) -> None:
    saved = await save(client)
    newer = await save(client, "newer", {**FRAME, "people": [person()] * 3})
    path = f"{LIBRARY}/{saved['pose_id']}"
    made = await generate(client, SHEET, pose_id="victory", family="doll", views=["front", "left"])
    await client.delete(f"{PREFIX}/files/{saved['file_id']}")  # it stays as long as something uses it
    other = {**FRAME, "canvas_width": 640, "people": [person(hand_left_keypoints_2d=[9, 9, 1] * 21)]}
    status, replaced = await send(client, "PUT", path, json={"pose": other})
    assert status == 200, replaced
    changed = {"file_id", "pose", "skeleton", "hands"}
    assert {key for key in saved if saved[key] != replaced[key]} == changed
    assert replaced["hands"] and replaced["pose"]["canvas_width"] == 640
    for reference in (saved["pose_id"], "victory"):
        assert await send(client, "GET", f"{LIBRARY}/{reference}") == (200, replaced)
    assert [item["name"] for item in (await listed(client))["poses"]] == ["newer", "Victory"]
    # What was made with the old one is repeated with the old one.
    forge.host.succeed(made["generation_id"])
    await forge.until(made["generation_id"], "completed")
    answer = await client.post(f"{PREFIX}/generations/{made['generation_id']}/reroll?pose=left")
    (alone,) = node(forge, await answer.json(), "AvatarForgeLibraryPose")
    assert alone["pose"] == saved["file_id"]
    (drawn,) = node(forge, await generate(client, pose_id="victory", family="doll"), "AvatarForgeLibraryPose")
    assert drawn["pose"] == replaced["file_id"]
    # By its name, with the file of another one, and with the same once more.
    for _ in range(2):
        status, again = await send(client, "PUT", f"{LIBRARY}/VICTORY", json={"pose": newer["file_id"]})
        assert (status, again["pose_id"], again["file_id"]) == (200, saved["pose_id"], newer["file_id"])


async def test_a_replaced_pose_releases_its_file(client: Client, forge: Product) -> None:
    saved = await save(client)
    file = f"{PREFIX}/files/{saved['file_id']}"
    assert (await (await client.delete(file)).json())["deleted"] == "soft"
    assert (await send(client, "PUT", f"{LIBRARY}/victory", json={"pose": {**FRAME, "canvas_width": 640}}))[
        0
    ] == 200
    assert await forge.files.clean_up(0) == 0
    (kept,) = (path for path in forge.blobs.folder.rglob("*") if path.is_file())
    assert json.loads(kept.read_text(encoding="utf-8"))["canvas_width"] == 640


async def test_what_cannot_be_replaced_stays(client: Client, forge: Product) -> None:
    saved = await save(client)
    path = f"{LIBRARY}/{saved['pose_id']}"
    for pose, expected in (
        ({"people": []}, (400, "invalid_pose")),
        ("b1c29540-8712-4faf-8d5c-9ed86409ddce", (404, "file_not_found")),
        (["x"], (422, "invalid_request")),
    ):
        assert (await refused(client, "PUT", path, json={"pose": pose}))[:2] == expected
    assert (await refused(client, "PUT", path, json={"pose": FRAME, "name": "x"}))[:2] == (
        422,
        "invalid_request",
    )
    assert await send(client, "GET", path) == (200, saved)
    missing = await refused(client, "PUT", f"{LIBRARY}/nobody", json={"pose": {**FRAME, "canvas_width": 640}})
    assert missing[:2] == (404, "pose_not_found")
    assert (await forge.files.page(limit=9, cursor=None)).total == 1


async def test_a_built_in_pose_stays(client: Client) -> None:
    for reference in ("sitting", BUILT_IN_POSES[0].id):
        path = f"{LIBRARY}/{reference}"
        assert (await refused(client, "DELETE", path))[:2] == (409, "pose_built_in")
        assert (await refused(client, "PUT", path, json={"pose": FRAME}))[:2] == (409, "pose_built_in")


async def test_the_library_counts_as_a_use_of_its_file(client: Client, forge: Product) -> None:
    saved = await save(client)
    await save(client, "twice", saved["file_id"])
    page = await (await client.get(f"{PREFIX}/files")).json()
    assert [(item["file_id"], item["references"]) for item in page["files"]] == [(saved["file_id"], 2)]
    assert await forge.files.clean_up(0) == 0
    for name in ("victory", "twice"):
        assert (await send(client, "DELETE", f"{LIBRARY}/{name}"))[0] == 200
    assert await forge.files.clean_up(0) == 1


@pytest.mark.parametrize("family", ["sd15", "doll"])
async def test_a_request_takes_a_pose_for_all_of_its_views(
    client: Client, forge: Product, family: str
) -> None:
    views = ["front", "back", "left"]
    made = await generate(
        client, SHEET, pose_id="Sitting", pose_mirrored=True, views=views, family=family, turnaround="batch"
    )
    sitting = next(pose for pose in BUILT_IN_POSES if pose.name == "sitting")
    parameters = made["parameters"]
    assert (parameters["pose_id"], parameters["pose_mirrored"]) == (sitting.id, True)
    assert (parameters["pose_file_id"], parameters["pose_mode"]) == (None, "auto")
    (drawn,) = node(forge, made, "AvatarForgeLibraryPose")
    assert (drawn["pose"], drawn["mirrored"], drawn["views"]) == (sitting.id, True, "front, back, left")
    assert not node(forge, made, "AvatarForgePoseSkeleton")
    lines = [line for line in made["inputs"] if line["role"] == "pose"]
    assert [line["pose_type"] for line in lines] == views
    assert {(line["kind"], line["file_id"]) for line in lines} == {("library", None)}
    assert all(len(line["content_hash"]) == 64 for line in lines)
    assert "pose_on_some_views" not in {item["code"] for item in made["warning_details"]}
    # What came back is a request that repeats it.
    again = {name: value for name, value in parameters.items() if value is not None and name != "checkpoint"}
    repeated = await generate(client, SHEET, **again)
    assert node(forge, repeated, "AvatarForgeLibraryPose") == [drawn]


async def test_a_generation_keeps_the_pose_that_was_deleted(client: Client, forge: Product) -> None:
    saved = await save(client)
    made = await generate(client, SHEET, pose_id=saved["pose_id"], family="doll", views=["front", "left"])
    (drawn,) = node(forge, made, "AvatarForgeLibraryPose")
    assert drawn["pose"] == saved["file_id"]
    assert {line["file_id"] for line in made["inputs"] if line["role"] == "pose"} == {saved["file_id"]}
    assert (await send(client, "DELETE", f"{LIBRARY}/{saved['pose_id']}"))[0] == 200
    assert await forge.files.clean_up(0) == 0
    forge.host.succeed(made["generation_id"])
    await forge.until(made["generation_id"], "completed")
    answer = await client.post(f"{PREFIX}/generations/{made['generation_id']}/reroll?pose=left")
    rerolled = await answer.json()
    assert answer.status == 200, rerolled
    (alone,) = node(forge, rerolled, "AvatarForgeLibraryPose")
    assert (alone["pose"], alone["view"], alone["sheet"]) == (saved["file_id"], "left", "front, left")
    gone = await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "x", "pose_id": saved["pose_id"]})
    assert (gone.status, (await gone.json())["code"]) == (404, "pose_not_found")


@pytest.mark.parametrize(
    ("fields", "status", "code", "where"),
    [
        ({"pose_id": "nobody"}, 404, "pose_not_found", None),
        ({"pose_id": "sitting", "pose_file_id": "x"}, 422, "conflicting_fields", "pose_id"),
        ({"pose_id": "sitting", "pose_image": "QUJD"}, 422, "conflicting_fields", "pose_id"),
        ({"pose_id": "sitting", "pose_mode": "raw"}, 422, "field_not_applicable", "pose_mode"),
        ({"pose_id": "sitting", "pose_mode": "photo"}, 422, "field_not_applicable", "pose_mode"),
        ({"pose_mirrored": True}, 422, "field_not_applicable", "pose_mirrored"),
        ({"pose_id": "a\x00"}, 422, "invalid_request", "pose_id"),
        ({"pose_id": "x" * 101}, 422, "invalid_request", "pose_id"),
        ({"pose_id": "sitting", "pose_mirrored": "yes"}, 422, "invalid_request", "pose_mirrored"),
    ],
)
async def test_what_does_not_fit_is_refused(
    client: Client, forge: Product, fields: dict[str, Any], status: int, code: str, where: str | None
) -> None:
    answer = await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "a knight", **fields})
    body = await answer.json()
    assert (answer.status, body["code"]) == (status, code)
    if where is not None:
        assert body["detail"][0]["loc"] == ["body", where]
    assert forge.host.submitted == []


async def test_views_stays_as_it_was(client: Client) -> None:
    status, page = await send(client, "GET", "/poses")
    assert status == 200 and [item["name"] for item in page["poses"]] == ["front", "back", "side", "quarter"]
    assert copy.deepcopy(page).keys() == {"poses"}
