"""Generations on a real ComfyUI: pictures come out, and inputs hold."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from generating import TIME, fresh, pixels, run
from PIL import Image

from lab.api import PREFIX, Api
from lab.server import ComfyServer
from lab.synthetic import file_name

CHECKPOINT = file_name("sd15")
CONTROLNET = file_name("sd15-openpose")
LIVE = ("progress", "current", "queue_position", "eta_seconds", "previews")


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
        "reference_method": None,
        "model": body["checkpoint"],
        "loras": None,
        "guidance": None,
        "shift": None,
        "clip_skip": None,
        "template": None,
        "count": 1,
        **dict.fromkeys(("character_id", "character_version", "outfit", "expression")),
        **dict.fromkeys(("pose_id", "pose_mirrored", "references", "views", "pixel_height", "pixel_colors")),
        "elevation": "level",
        "judge": False,
        "until": None,
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
        "error_code": None,
        "comfyui_prompt_id": answer["comfyui_prompt_id"],
        "output_files": [],
        "parameters": parameters,
        "favourite": False,
        "tags": [],
        "reroll": None,
        "reroll_position": None,
        "waiting_rerolls": [],
        "judging": False,
        "tries": [],
        "batch_id": None,
        "character_id": None,
        "character_version": None,
        "inputs": [],
        "judgements": [],
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
        "expression": None,
        "seed": 12345,
        "take": 1,
        "takes": 1,
        "scores": None,
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
    item, other = api.upload(fresh())["file_id"], api.upload(fresh())["file_id"]
    field = f"{role}_file_id"
    # Four steps: with one, every denoise above a half starts from the same noise level.
    common: dict[str, Any] = {"route": "/generate_pose?pose=front", "seed": 7, "steps": 4}
    without = pixels(api, run(api, **common))
    with_one = pixels(api, run(api, **common, **{field: item}))
    assert with_one != without
    assert pixels(api, run(api, **common, **{field: item})) == with_one
    assert pixels(api, run(api, **common, **{field: other})) not in (with_one, without)
    weaker = pixels(api, run(api, **common, **{field: item, f"{role}_strength": 0.2}))
    assert weaker not in (with_one, without)
    assert pixels(api, run(api, **common, **{field: item, f"{role}_strength": 0})) == without


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
            "reference_role": "identity" if role == "reference" else None,
            "picture": None,
        }
        assert ran[line["node"]]["class_type"] == node
        assert ran[line["node"]]["inputs"]["strength"] == strength
        loaded = [item["inputs"]["file_id"] for item in ran.values() if item["class_type"] == loader]
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
