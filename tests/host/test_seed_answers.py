"""The answers of a real ComfyUI have what the seed document shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from seed_blocks import (
    COMPLETED_ANSWER,
    GENERATE_ANSWER,
    GENERATE_BODY,
    HASH_ANSWER,
    HEALTH_ANSWER,
    LIST_ANSWER,
    UPLOAD_ANSWER,
)
from seed_folder import make_seed_folder

from lab.api import Api


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_seed_folder(tmp_path / "work")


class TestAnswersHaveWhatTheDocumentShows:
    """Each field that the document prints is there, and of the kind that it prints."""

    def test_upload(self, api: Api, folder: Path) -> None:
        answer = api.upload((folder / "pose.png").read_bytes(), filename="pose.png")
        assert_shown(UPLOAD_ANSWER.document(), answer)
        assert answer["url"] == f"/files/{answer['file_id']}"

    def test_hash(self, api: Api, folder: Path) -> None:
        uploaded = api.upload((folder / "pose.png").read_bytes(), filename="pose.png")
        answer = api.get(f"/files/hash/{uploaded['content_hash']}").json()
        assert_shown(HASH_ANSWER.document(), answer)
        assert answer["message"] == HASH_ANSWER.document()["message"]

    def test_generate_status_and_list(self, api: Api, folder: Path) -> None:
        pose = api.upload((folder / "pose.png").read_bytes())["file_id"]
        reference = api.upload((folder / "image.png").read_bytes(), "reference")["file_id"]
        body = {**GENERATE_BODY.document(), "pose_file_id": pose, "reference_file_id": reference}

        accepted = api.post("/generate/avatar", json=body).json()
        assert_shown(GENERATE_ANSWER.document(), accepted)
        assert accepted["message"] == f"Generation {accepted['status']}"
        finished = api.wait(accepted["generation_id"])
        assert_shown(COMPLETED_ANSWER.document(), finished)
        assert finished["message"] == "Generation completed"
        assert {name: finished["parameters"][name] for name in body} == body
        assert {line["role"] for line in finished["inputs"]} == {"pose", "reference"}

        page = api.get("/generations?limit=50&offset=0&status=completed").json()
        assert_shown(LIST_ANSWER.document(), page)
        assert (page["limit"], page["offset"]) == (50, 0)
        assert page["generations"][0] == finished

    def test_health(self, api: Api) -> None:
        answer = api.get("/health").json()
        assert_shown(HEALTH_ANSWER.document(), answer)
        assert (answer["api_status"], answer["comfyui"]["status"]) == ("healthy", "healthy")
        assert answer["comfyui"]["url"] == api.server


def assert_shown(shown: Any, given: Any, where: str = "answer") -> None:
    """Every field of ``shown`` is in ``given`` with the same JSON type; null may stand for a value of any."""
    if shown is None or (given is None and where != "answer"):
        return
    assert type(given) is type(shown), where
    if isinstance(shown, dict):
        assert not shown.keys() - given.keys(), where
        for name, value in shown.items():
            assert_shown(value, given[name], f"{where}.{name}")
    elif isinstance(shown, list) and shown:
        assert given, where
        for entry in given:
            assert_shown(shown[0], entry, f"{where}[]")
