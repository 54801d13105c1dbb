"""The panel's texts in the editor's own places, in another language; that needs a browser of its own."""

from __future__ import annotations

import json
from pathlib import Path

from editor import open_editor
from playwright.sync_api import expect

from lab.api import Api

LOCALES = Path(__file__).resolve().parents[2] / "locales"


def test_the_settings_and_commands_are_in_the_editors_own_dialogs_in_its_language(api: Api) -> None:
    chinese = {
        file: json.loads((LOCALES / "zh" / f"{file}.json").read_text(encoding="utf-8"))
        for file in ("settings", "commands", "main")
    }
    try:
        with open_editor(api, settings={"Comfy.Locale": "zh"}) as opened:
            page = opened.page
            expect(page.locator(".avatarforge-tab-button")).to_contain_text(
                chinese["main"]["avatarforge"]["tab"]
            )
            page.evaluate("() => app.extensionManager.command.execute('Comfy.ShowSettingsDialog')")
            page.get_by_role("dialog").get_by_text("AvatarForge", exact=True).first.click()
            for setting in chinese["settings"].values():
                expect(page.get_by_role("dialog").get_by_text(setting["name"])).to_be_visible()
            labels = page.evaluate(
                "() => app.extensionManager.command.commands.map((command) => [command.id, command.label])"
            )
            assert {id_ for id_, _ in labels if id_.startswith("AvatarForge.")} == {
                name.replace("_", ".") for name in chinese["commands"]
            }
    finally:
        api.request("POST", f"{api.server}/settings", json={"Comfy.Locale": "en"})
