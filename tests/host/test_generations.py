"""Generations on a real ComfyUI: pictures come out, inputs hold, refusals leave nothing."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import secrets
from typing import Any

import pytest
from pictures import picture
from PIL import Image

from lab.api import PREFIX, Api
from lab.server import ComfyServer
from lab.synthetic import file_name

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
CHECKPOINT = file_name("sd15")
CONTROLNET = file_name("sd15-openpose")
LIVE = ("progress", "current", "queue_position", "eta_seconds", "previews")


def fresh() -> bytes:
    return picture(secrets.randbits(64))


def pixels(api: Api, generation: dict[str, Any]) -> list[str]:
    """A hash of the pixels of each picture, whatever its metadata."""
    found = []
    for output in generation["output_files"]:
        with Image.open(io.BytesIO(api.root(output["url"]).content)) as image:
            found.append(hashlib.sha256(image.convert("RGB").tobytes()).hexdigest())
    return found


def run(api: Api, route: str = "/generate/avatar", **body: Any) -> dict[str, Any]:
    done = api.wait(api.generate(route, **body)["generation_id"])
    assert done["status"] == "completed", done["error"]
    return done


def test_every_field_from_queued_to_completed(api: Api, comfy: ComfyServer) -> None:
    body: dict[str, Any] = {
        "prompt": "a knight",
        "clothing": "full plate armor",
        "style": "watercolor",
        "realism": True,
        "negative_prompt": "hat",
        "width": 64,
        "height": 72,
        "steps": 1,
        "cfg": 3.5,
        "sampler": "euler",
        "scheduler": "normal",
        "seed": 12345,
        "checkpoint": CHECKPOINT,
    }
    answer = api.generate(**body)
    generation_id = answer["generation_id"]
    # What a generation has while it waits or runs changes from moment to moment: test_live looks at it.
    moment = {name: answer.pop(name) for name in LIVE}
    assert (moment["progress"], moment["current"], moment["previews"]) == (0, None, [])
    parameters = {
        **body,
        "pose_file_id": None,
        "reference_file_id": None,
        "pose_strength": 1.0,
        "pose_mode": None,
        "reference_strength": None,
        "consistency": None,
        "turnaround": None,
    }
    assert answer == {
        "generation_id": generation_id,
        "status": "queued",
        "message": "Generation queued",
        "kind": "avatar",
        "created_at": answer["created_at"],
        "started_at": None,
        "completed_at": None,
        "error": None,
        "comfyui_prompt_id": answer["comfyui_prompt_id"],
        "output_files": [],
        "parameters": parameters,
        "reroll": None,
        "inputs": [],
        "warnings": [],
        "warning_details": [],
    }
    done = api.wait(generation_id)
    moment = {name: done.pop(name) for name in LIVE}
    assert moment == {
        "progress": 1,
        "current": None,
        "queue_position": None,
        "eta_seconds": None,
        "previews": [],
    }
    (output,) = done["output_files"]
    content = api.root(output["url"]).content
    assert output == {
        "filename": "avatarforge_00001.png",
        "url": f"/outputs/{generation_id}/avatarforge_00001.png",
        "pose_type": "front",
        "size": len(content),
        "dimensions": {"width": 64, "height": 72},
        "seed": 12345,
    }
    assert done == {
        **answer,
        "status": "completed",
        "message": "Generation completed",
        "started_at": done["started_at"],
        "completed_at": done["completed_at"],
        "output_files": [output],
    }
    assert answer["created_at"] <= done["started_at"] <= done["completed_at"]
    assert all(TIME.fullmatch(done[name]) for name in ("created_at", "started_at", "completed_at"))

    on_disk = comfy.base / "output" / "avatarforge" / generation_id / output["filename"]
    assert on_disk.read_bytes() == content
    with Image.open(on_disk) as image:
        assert image.size == (64, 72)
        prompt = json.loads(image.info["prompt"])
    (words,) = [node["inputs"] for node in prompt.values() if node["class_type"] == "AvatarForgePrompt"]
    for name in ("prompt", "clothing", "style", "realism", "negative_prompt"):
        assert words[name] == body[name]

    assert answer["comfyui_prompt_id"] in api.root("/history").json()


def test_the_answer_repeats_as_a_body(api: Api) -> None:
    first = run(api)
    again = run(api, **first["parameters"])
    assert again["parameters"] == first["parameters"]
    assert pixels(api, again) == pixels(api, first)
    other = run(api, **{**first["parameters"], "seed": first["parameters"]["seed"] ^ 1})
    assert pixels(api, other) != pixels(api, first)


@pytest.mark.parametrize("role", ["pose", "reference"])
def test_a_picture_decides_the_pixels(api: Api, role: str) -> None:
    one, other = api.upload(fresh())["file_id"], api.upload(fresh())["file_id"]
    field = f"{role}_file_id"
    # Four steps: with one, every denoise above a half starts from the same noise level.
    common: dict[str, Any] = {"route": "/generate_pose?pose=front", "seed": 7, "steps": 4}
    without = pixels(api, run(api, **common))
    with_one = pixels(api, run(api, **common, **{field: one}))
    assert with_one != without
    assert pixels(api, run(api, **common, **{field: one})) == with_one
    assert pixels(api, run(api, **common, **{field: other})) not in (with_one, without)
    weaker = pixels(api, run(api, **common, **{field: one, f"{role}_strength": 0.2}))
    assert weaker not in (with_one, without)
    assert pixels(api, run(api, **common, **{field: one, f"{role}_strength": 0})) == without


def test_base64_is_the_same_as_an_upload(api: Api) -> None:
    data = fresh()
    file_id = api.upload(data)["file_id"]
    text = base64.b64encode(data).decode()
    by_id = run(api, seed=3, pose_file_id=file_id)
    for written in (text, f"data:image/png;base64,{text}"):
        by_text = run(api, seed=3, pose_image=written)
        assert by_text["parameters"]["pose_file_id"] == file_id
        assert pixels(api, by_text) == pixels(api, by_id)


def test_the_receipt_matches_what_ran(api: Api) -> None:
    pose, reference = api.upload(fresh()), api.upload(fresh())
    done = run(
        api,
        pose_file_id=pose["file_id"],
        reference_file_id=reference["file_id"],
        pose_strength=0.75,
        reference_strength=0.25,
    )
    history = api.root(f"/history/{done['comfyui_prompt_id']}").json()
    ran = history[done["comfyui_prompt_id"]]["prompt"][2]
    for line, role, kind, file, model, strength, node, loader in zip(
        done["inputs"],
        ("pose", "reference"),
        ("photo", "picture"),
        (pose, reference),
        (CONTROLNET, CHECKPOINT),
        (0.75, 0.25),
        ("AvatarForgeApplyPose", "AvatarForgeApplyReference"),
        ("AvatarForgeLoadPose", "AvatarForgeLoadReference"),
        strict=True,
    ):
        assert line == {
            "role": role,
            "pose_type": None,
            "kind": kind,
            "file_id": file["file_id"],
            "content_hash": file["content_hash"],
            "comfyui_prompt_id": done["comfyui_prompt_id"],
            "node": line["node"],
            "node_type": node,
            "model": model,
            "strength": strength,
            "steps": {"first": 1, "last": 1},
        }
        assert ran[line["node"]]["class_type"] == node
        assert ran[line["node"]]["inputs"]["strength"] == strength
        loaded = [one["inputs"]["file_id"] for one in ran.values() if one["class_type"] == loader]
        assert loaded == [file["file_id"]]
    # The pose picture alone decided the view.
    assert done["output_files"][0]["pose_type"] is None
    # It is no skeleton, and nothing is installed that could read one from it.
    (warning,) = done["warnings"]
    assert "comfyui_controlnet_aux" in warning


@pytest.mark.parametrize("view", ["front", "back", "side", "quarter"])
def test_one_view(api: Api, view: str) -> None:
    done = run(api, f"/generate_pose?pose={view}")
    assert done["kind"] == "pose"
    (output,) = done["output_files"]
    assert output["pose_type"] == view
    if view == "side":
        assert output["dimensions"]["width"] < output["dimensions"]["height"]
    else:
        assert output["dimensions"] == {"width": 64, "height": 64}


def test_all_views_in_one_generation(api: Api) -> None:
    done = run(api, "/generate_all_poses", clothing="full plate armor")
    assert done["kind"] == "all_poses"
    assert [output["pose_type"] for output in done["output_files"]] == ["front", "back", "side", "quarter"]
    assert len(set(pixels(api, done))) == 4
    for output in done["output_files"]:
        for base in ("", PREFIX, "/api"):
            answer = api.root(base + output["url"])
            assert (answer.status_code, len(answer.content)) == (200, output["size"])
            assert answer.headers["Content-Type"] == "image/png"
            assert answer.headers["Cache-Control"] == "no-cache"
        with Image.open(io.BytesIO(answer.content)) as image:
            assert {"width": image.width, "height": image.height} == output["dimensions"]
        tag = answer.headers["ETag"]
        assert api.root(output["url"], headers={"If-None-Match": tag}).status_code == 304


def test_a_node_that_fails_gives_its_own_words(api: Api, comfy: ComfyServer) -> None:
    # A long job first, so that the next one still waits when its picture is taken away.
    file = api.upload(fresh())
    blocker = api.generate(steps=60, width=256, height=256)
    victim = api.generate(reference_file_id=file["file_id"])
    api.delete(f"/files/{file['file_id']}", params={"force": "true"})
    api.delete(f"/generations/{blocker['generation_id']}")
    failed = api.wait(victim["generation_id"])
    assert (failed["status"], failed["message"]) == ("failed", "Generation failed")
    assert "AvatarForgeLoadReference" in failed["error"]
    assert file["file_id"] in failed["error"]
    assert str(comfy.base) not in failed["error"]
    assert failed["output_files"] == []
    assert TIME.fullmatch(failed["completed_at"])


def test_listing(api: Api) -> None:
    done = [run(api)["generation_id"] for _ in range(3)]
    page = api.get("/generations", params={"limit": 2}).json()
    assert set(page) == {"total", "generations", "limit", "offset", "next_cursor"}
    assert (page["limit"], page["offset"]) == (2, 0)
    assert page["total"] >= 3
    assert [one["generation_id"] for one in page["generations"]] == [done[2], done[1]]
    assert page["generations"][0] == api.get(f"/generations/{done[2]}").json()
    run(api)
    following = api.get("/generations", params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert following["generations"][0]["generation_id"] == done[0]
    shifted = api.get("/generations", params={"limit": 1, "offset": 3}).json()
    assert shifted["generations"][0]["generation_id"] == done[0]
    assert shifted["offset"] == 3
    completed = api.get("/generations", params={"status": "completed", "limit": 100}).json()
    assert {one["status"] for one in completed["generations"]} == {"completed"}
    assert completed["total"] <= api.get("/generations").json()["total"]
    for bad in ("limit=0", "limit=101", "offset=-1", "status=done", "limit=x", "foo=1"):
        answer = api.get(f"/generations?{bad}")
        assert answer.status_code == 422
        assert set(answer.json()["detail"][0]) == {"loc", "msg", "type"}


def test_delete_takes_the_pictures_or_keeps_them(api: Api, comfy: ComfyServer) -> None:
    for keep in (False, True):
        done = run(api)
        folder = comfy.base / "output" / "avatarforge" / done["generation_id"]
        answer = api.delete(
            f"/generations/{done['generation_id']}", params={"keep_outputs": "true"} if keep else {}
        )
        assert answer.json() == {
            "generation_id": done["generation_id"],
            "deleted": True,
            "message": "Generation deleted",
        }
        assert folder.exists() is keep
        assert api.get(f"/generations/{done['generation_id']}").status_code == 404
        assert api.root(done["output_files"][0]["url"]).status_code == 404
        assert api.delete(f"/generations/{done['generation_id']}").status_code == 404


def test_delete_of_a_running_and_of_a_queued_one_cancels_them(api: Api, comfy: ComfyServer) -> None:
    running = api.generate(steps=60, width=256, height=256)
    queued = api.generate(steps=60, width=256, height=256)
    api.started(running["generation_id"])
    for one in (queued, running):
        assert api.delete(f"/generations/{one['generation_id']}").status_code == 200
    after = run(api)  # the queue goes on, so the two are out of it
    assert after["status"] == "completed"
    queue = api.root("/queue").json()
    ids = {item[1] for item in queue["queue_running"] + queue["queue_pending"]}
    assert not ids & {running["comfyui_prompt_id"], queued["comfyui_prompt_id"]}
    for one in (queued, running):
        assert not (comfy.base / "output" / "avatarforge" / one["generation_id"]).exists()


def test_interrupting_and_clearing_in_comfyui_ends_as_failed(api: Api) -> None:
    running = api.generate(steps=60, width=256, height=256)
    waiting = api.generate()
    api.started(running["generation_id"])
    api.request("POST", api.server + "/queue", json={"clear": True})
    cleared = api.wait(waiting["generation_id"])
    assert (cleared["status"], cleared["error"][:9]) == ("failed", "Cancelled")
    api.request("POST", api.server + "/interrupt")
    interrupted = api.wait(running["generation_id"])
    assert (interrupted["status"], interrupted["error"][:9]) == ("failed", "Cancelled")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "prompt"),
        ({"prompt": ""}, 422, "prompt"),
        ({"prompt": "x", "colour": "red"}, 422, "colour"),
        ({"prompt": "x", "realism": "yes"}, 422, "realism"),
        ({"prompt": "x", "width": 65}, 422, "width"),
        ({"prompt": "x", "steps": 0}, 422, "steps"),
        ({"prompt": "x", "seed": 8.8e28}, 422, "seed"),
        ({"prompt": "x", "sampler": "nope"}, 422, "sampler"),
        ({"prompt": "x", "scheduler": "nope"}, 422, "scheduler"),
        ({"prompt": "x", "checkpoint": "nope.safetensors"}, 422, "checkpoint"),
        ({"prompt": "x", "pose_file_id": "a", "pose_image": "b"}, 422, "pose_image"),
        ({"prompt": "x", "reference_file_id": "a", "reference_image": "b"}, 422, "reference_image"),
        ({"prompt": "x", "pose_file_id": "00000000-0000-4000-8000-000000000000"}, 404, None),
        ({"prompt": "x", "reference_file_id": "nope"}, 404, None),
        ({"prompt": "x", "pose_image": "/etc/passwd"}, 400, None),
        ({"prompt": "x", "reference_image": "http://127.0.0.1/a.png"}, 400, None),
    ],
)
def test_refusals_leave_nothing(
    api: Api, comfy: ComfyServer, body: dict[str, Any], status: int, field: str | None
) -> None:
    before = api.get("/generations").json()["total"]
    for route in ("/generate/avatar", "/generate_pose?pose=front", "/generate_all_poses"):
        answer = api.post(route, json=body)
        assert answer.status_code == status, answer.text
        detail = answer.json()["detail"]
        if field:
            assert detail[0]["loc"] == ["body", field]
            assert set(detail[0]) == {"loc", "msg", "type"}
        else:
            assert isinstance(detail, str)
    assert api.get("/generations").json()["total"] == before
    assert not list((comfy.base / "user" / "__avatarforge" / "storage" / "incoming").iterdir())


def test_a_refused_request_takes_its_base64_picture_back(api: Api) -> None:
    data = fresh()
    body = {"prompt": "x", "pose_image": base64.b64encode(data).decode(), "sampler": "nope"}
    assert api.post("/generate/avatar", json=body).status_code == 422
    content_hash = hashlib.sha256(data).hexdigest()
    assert api.get(f"/files/hash/{content_hash}").json()["exists"] is False


@pytest.mark.parametrize("pose", ["", "?pose=top", "?pose=FRONT"])
def test_an_unknown_view_is_refused(api: Api, pose: str) -> None:
    answer = api.post(f"/generate_pose{pose}", json={"prompt": "x"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "pose"]


def test_what_is_no_json_is_refused(api: Api) -> None:
    for body in (b"", b"{", b"[]", b'{"prompt": "\\ud800"}', b'{"prompt": "x", "cfg": NaN}', b"\xff"):
        answer = api.post("/generate/avatar", data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"][0] == "body"
    assert api.post("/generate/avatar", data={"prompt": "x"}).status_code == 415


def test_outputs_that_do_not_exist(api: Api) -> None:
    done = run(api)
    for name in ("avatarforge_00002.png", "..%2F..%2Fx.png", "x"):
        answer = api.get(f"/outputs/{done['generation_id']}/{name}")
        assert answer.status_code == 404
        assert "detail" in answer.json()
        assert answer.headers["Cache-Control"] == "no-store"
