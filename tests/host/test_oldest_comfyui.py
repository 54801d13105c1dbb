"""The packed archive on the oldest ComfyUI that the pack supports, with that ComfyUI's own frontend."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from editor import open_editor
from playwright.sync_api import expect

from lab import pins, synthetic
from lab.api import Api
from lab.archive import pack_archive, unpack_archive
from lab.host import ComfyUI
from lab.obtain import oldest_comfyui
from lab.server import ComfyServer

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("sd15", "sd15-openpose")
PROMPT = "a knight"


@pytest.fixture(scope="module")
def oldest(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyServer]:
    folder = tmp_path_factory.mktemp("oldest")
    archive = pack_archive(ROOT, Path(sys.executable), folder / "pack.zip")
    pack = unpack_archive(archive, folder / "pack")
    installation = oldest_comfyui(comfyui)
    # Its own: this ComfyUI knows no narrow decoder.
    models = synthetic.models(installation, MODELS)
    server = ComfyServer(
        installation, folder / "base", pack=pack, dotenv="", models=models, env=synthetic.SMALL_PICTURES
    )
    with server:
        yield server


@pytest.fixture(scope="module")
def old_api(oldest: ComfyServer) -> Api:
    return Api(oldest.url)


def test_the_archive_works_on_the_oldest_comfyui(
    oldest: ComfyServer, old_api: Api, comfy: ComfyServer
) -> None:
    assert old_api.root("/system_stats").json()["system"]["comfyui_version"] == pins.OLDEST.version
    health = old_api.get("/health").json()
    assert (health["api_status"], health.get("reason")) == ("healthy", None), oldest.log_tail()
    ours = {name for name in old_api.root("/object_info").json() if name.startswith("AvatarForge")}
    newer = {name for name in Api(comfy.url).root("/object_info").json() if name.startswith("AvatarForge")}
    assert ours == newer != set()
    generation = old_api.wait(old_api.generate("/generate_all_poses", prompt=PROMPT)["generation_id"])
    assert generation["status"] == "completed", generation["error"]
    assert [file["pose_type"] for file in generation["output_files"]] == ["front", "back", "side", "quarter"]
    for file in generation["output_files"]:
        assert old_api.get(file["url"]).headers["Content-Type"] == "image/png"


def test_its_frontend_shows_the_panel_without_an_error(old_api: Api) -> None:
    with open_editor(old_api) as browser:
        page = browser.page
        page.get_by_role("button", name=re.compile("^AvatarForge")).click()
        expect(page.locator(".avatarforge-drawing svg")).to_have_count(5)
        page.get_by_label("Prompt", exact=True).fill(PROMPT)
        with page.expect_response("**/generate/avatar") as answer:
            page.get_by_label("Prompt", exact=True).press("Control+Enter")
        assert answer.value.status == 200
        old_api.wait(answer.value.json()["generation_id"])
        assert browser.error_toasts() == []
        assert [text for text in browser.complaints if "avatarforge" in text.lower()] == []
