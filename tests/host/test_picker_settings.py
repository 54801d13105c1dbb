"""The picker under other settings of ComfyUI's editor, each of which needs a browser of its own."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from editor import add_node, open_editor, prompt_of
from pictures import picture
from playwright.sync_api import Locator, Page, expect

from lab.api import Api

CHINESE = json.loads(
    (Path(__file__).resolve().parents[2] / "locales" / "zh" / "main.json").read_text(encoding="utf-8")
)["avatarforge"]


def picker_of(page: Page) -> Locator:
    add_node(page, "AvatarForgeLoadReference")
    picker = page.locator(".avatarforge-picker")
    expect(picker).to_be_visible()
    return picker


def test_the_picker_speaks_the_language_of_the_editor(api: Api) -> None:
    try:
        with open_editor(api, settings={"Comfy.Locale": "zh"}) as chinese:
            picker = picker_of(chinese.page)
            expect(picker.get_by_role("button").first).to_have_text(CHINESE["choose"])
            expect(picker.get_by_role("status")).to_have_text(CHINESE["drop_here"])
    finally:
        api.request("POST", f"{api.server}/settings", json={"Comfy.Locale": "en"})


def test_the_picker_works_in_the_new_nodes_too(api: Api) -> None:
    content = picture(secrets.randbits(64))
    try:
        with open_editor(api, settings={"Comfy.VueNodes.Enabled": True}) as modern:
            picker = picker_of(modern.page)
            picker.locator("input[type=file]").set_input_files(
                {"name": "sent.png", "mimeType": "image/png", "buffer": content}
            )
            expect(picker.get_by_role("img", name="sent.png")).to_be_visible()
            (node,) = prompt_of(modern.page).values()
            assert node["inputs"]["file_id"] == api.upload(content)["file_id"]
    finally:
        api.request("POST", f"{api.server}/settings", json={"Comfy.VueNodes.Enabled": False})
