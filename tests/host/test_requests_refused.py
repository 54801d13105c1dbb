"""Requests that a real ComfyUI with the pack refuses: they leave nothing."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from generating import fresh, run

from lab.api import Api
from lab.server import ComfyServer


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
