"""Health, poses and starts that go wrong, on a real ComfyUI."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import picture

from lab import synthetic
from lab.api import Api
from lab.host import ComfyUI
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]


def test_health_has_the_seeds_shape_and_more(api: Api, comfy: ComfyServer) -> None:
    answer = api.get("/health")
    assert answer.status_code == 200
    health = answer.json()
    assert (health["api_status"], health["reason"]) == ("healthy", None)
    assert set(health) == {"api_status", "reason", "comfyui", "database", "storage", "queue", "capabilities"}
    assert health["comfyui"]["status"] == "healthy"
    assert health["comfyui"]["url"] == comfy.url
    assert health["comfyui"]["stats"]["system"]["argv"] == api.root("/system_stats").json()["system"]["argv"]
    assert set(health["comfyui"]["stats"]) == set(api.root("/system_stats").json())
    assert health["database"] == {"status": "healthy", "reason": None}
    api.upload(picture(99))
    storage = api.get("/health").json()["storage"]
    assert (storage["status"], storage["reason"]) == ("healthy", None)
    assert storage["files"] >= 1
    assert storage["bytes"] >= len(picture(99))
    assert set(health["queue"]) == {"status", "reason", "waiting", "running", "generations"}


def test_poses(api: Api) -> None:
    answer = api.get("/poses")
    assert answer.status_code == 200
    poses = answer.json()["poses"]
    assert [pose["name"] for pose in poses] == ["front", "back", "side", "quarter"]
    assert all(pose["description"] for pose in poses)
    assert [pose["name"] for pose in poses if pose["narrow"]] == ["side"]


def test_a_wrong_method_is_told(api: Api) -> None:
    answer = api.delete("/health")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert "GET" in answer.json()["detail"]


def nodes_are_there(api: Api) -> bool:
    return "AvatarForgeSave" in api.root("/object_info/AvatarForgeSave").json()


def stays_up_and_says(server: ComfyServer, reason: str) -> None:
    """ComfyUI runs, the nodes are in the editor, and health, log and every other route say why."""
    api = Api(server.url)
    assert api.root("/queue").status_code == 200
    assert nodes_are_there(api)
    health = api.get("/health")
    assert health.status_code == 200
    assert health.json()["api_status"] == "unavailable"
    assert reason in health.json()["reason"]
    assert health.json()["comfyui"]["stats"]["system"]
    for answer in (
        api.get("/generations"),
        api.post("/generate/avatar", json={"prompt": "x"}),
        api.post("/upload/pose_image", files={"file": picture()}),
    ):
        assert (answer.status_code, reason in answer.json()["detail"]) == (503, True)
        assert str(server.base) not in answer.text
    assert "AvatarForge is not available: " in server.log()
    assert reason in server.log()


def test_a_wrong_setting(comfy_factory: Factory) -> None:
    server = comfy_factory(models=(), dotenv="MAX_FILE_SIZE=fifty\n")
    reason = "MAX_FILE_SIZE='fifty' cannot be used: it must be a whole number from 1024 to 1073741824"
    stays_up_and_says(server, reason)


def test_a_second_comfyui_on_the_same_data(comfy: ComfyServer, comfy_factory: Factory) -> None:
    server = comfy_factory(models=(), args=("--user-directory", str(comfy.base / "user")))
    stays_up_and_says(server, "Another ComfyUI uses the same user folder")
    assert Api(comfy.url).get("/health").json()["api_status"] == "healthy"


def test_no_checkpoint_and_then_one_without_a_pose_controlnet(
    comfyui: ComfyUI, comfy_factory: Factory
) -> None:
    server = comfy_factory(models=())
    api = Api(server.url)
    health = api.get("/health").json()
    assert health["api_status"] == "degraded"
    assert "models/checkpoints" in health["reason"]
    answer = api.post("/generate/avatar", json={"prompt": "x"})
    assert answer.status_code == 503
    assert "models/checkpoints" in answer.json()["detail"]
    assert "AvatarForge: No model of a known family" in server.log()
    uploaded = api.upload(picture())
    assert uploaded["is_duplicate"] is False
    for name, source in synthetic.models(comfyui, ("sd15",)).items():
        server.add_model(name, source)
    answer = api.post("/generate/avatar", json={"prompt": "x", "pose_file_id": uploaded["file_id"]})
    assert answer.status_code == 503
    assert "models/controlnet" in answer.json()["detail"]
    assert "openpose" in answer.json()["detail"]
    assert api.wait(api.generate()["generation_id"])["status"] == "completed"


def test_settings_take_effect(comfy_factory: Factory, tmp_path: Path) -> None:
    server = comfy_factory(
        models=(),
        env={
            "AVATARFORGE_MAX_FILE_SIZE": "8000",
            "AVATARFORGE_COMFYUI_URL": "http://render.example:8188",
            "MAX_IMAGE_DIMENSION": "64",
        },
        dotenv=f"STORAGE_PATH={tmp_path / 'pictures'}\nMIN_IMAGE_DIMENSION=32\nMAX_FILE_SIZE=100000\n",
    )
    api = Api(server.url)
    assert api.get("/health").json()["comfyui"]["url"] == "http://render.example:8188"
    small = api.upload(picture(1, (32, 32)))
    assert small["dimensions"] == {"width": 32, "height": 32}
    assert list((tmp_path / "pictures").rglob(small["content_hash"] + ".png"))
    # The environment's unprefixed name is somebody else's; the prefixed one wins over the file.
    assert api.upload(picture(2, (65, 16 * 2)))["dimensions"]["width"] == 65
    too_large = api.post("/upload/pose_image", files={"file": picture(3, (64, 64))})
    assert (too_large.status_code, "8000 bytes" in too_large.json()["detail"]) == (413, True)


@pytest.mark.skipif(os.name == "nt", reason="a process is killed as POSIX does it")
def test_a_kill_loses_nothing(comfy_factory: Factory) -> None:
    server = comfy_factory()
    api = Api(server.url)
    data = picture(5)
    file = api.upload(data)
    done = api.wait(api.generate(reference_file_id=file["file_id"])["generation_id"])
    running = api.generate(steps=40, width=128, height=128, seed=1)
    queued = api.generate(seed=2, reference_file_id=file["file_id"])
    api.started(running["generation_id"])
    server.kill()
    server.restart()
    api = Api(server.url)
    assert api.get(file["url"]).content == data
    assert api.get(f"/generations/{done['generation_id']}").json() == done
    for item in (running, queued):
        finished = api.wait(item["generation_id"])
        assert (finished["status"], finished["error"]) == ("completed", None)
        assert finished["parameters"] == item["parameters"]
        assert len(finished["output_files"]) == 1
