"""The panel in the sidebar of ComfyUI's real editor, and what the editor gets from it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser
from editor import add_node, open_editor, prompt_of
from panels import POSE, give, too_wide, violations
from pictures import picture
from playwright.sync_api import Locator, Page, Request, expect

from lab.api import Api

LONG = 150  # steps
SLOW = 200_000  # ms
SET = "([id, value]) => app.extensionManager.setting.set(id, value)"
SETTINGS = ("AvatarForge.Toasts", "AvatarForge.Badge", "AvatarForge.UndoSeconds")
#: Whether every node lies in the visible part of the canvas.
ALL_IN_VIEW = """() => {
    const [left, top, width, height] = app.canvas.visible_area;
    return app.rootGraph.nodes.every(({ pos, size }) =>
        pos[0] >= left && pos[0] + size[0] <= left + width
        && pos[1] >= top && pos[1] + size[1] <= top + height);
}"""


@pytest.fixture(scope="module")
def browser(api: Api) -> Iterator[Browser]:
    with open_editor(api) as opened:
        # What went wrong while the frontend loaded us, such as a shortcut that it has already.
        assert opened.page.locator(".p-toast-message-error").all_inner_texts() == []
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The editor with the panel open; what the panel did may not have been an error."""
    browser.complaints.clear()
    shown = browser.page
    if not shown.locator(".avatarforge-panel").is_visible():
        shown.get_by_role("button", name=re.compile("^AvatarForge")).click()
    expect(shown.locator(".avatarforge-drawing svg")).to_have_count(5)
    shown.locator(".avatarforge-head").get_by_role("button", name="Create").click()
    yield shown
    shown.evaluate("() => app.rootGraph.clear()")
    for name in SETTINGS:
        shown.evaluate(SET, [name, None])
    # The editor's own complaints, about files that it looks for and does not find, are not ours.
    assert [text for text in browser.complaints if "avatarforge" in text.lower()] == []


KEYBINDINGS = """() => app.extensionManager.command.commands
    .filter(({ keybinding }) => keybinding)
    .map(({ id, keybinding: { combo } }) => [id, [
        combo.ctrl && "Ctrl", combo.alt && "Alt", combo.shift && "Shift", combo.key.toUpperCase(),
    ].filter(Boolean).join("+")])"""
SHORTCUTS = {
    "AvatarForge.Create": "Alt+Shift+P",
    "AvatarForge.Gallery": "Alt+Shift+L",
    "AvatarForge.Generate": "Alt+Shift+R",
    "AvatarForge.GenerateSheet": "Alt+Shift+S",
}


def panel(page: Page) -> Locator:
    return page.locator(".avatarforge-panel")


def words() -> str:
    return f"knight {secrets.token_hex(4)}"


def toast(page: Page, text: str) -> Locator:
    return page.locator(".p-toast-message", has_text=text)


def made(page: Page, api: Api, text: str, **body: Any) -> dict[str, Any]:
    """A completed generation, its details open in the panel."""
    generation = api.wait(api.generate(prompt=text, **body)["generation_id"])
    panel(page).get_by_role("button", name="Gallery", exact=True).click()
    panel(page).locator(".avatarforge-gallery button", has_text=text).click()
    expect(panel(page).get_by_role("heading", name=text)).to_be_visible()
    return generation


def test_this_frontend_has_our_shortcuts_and_none_of_them_twice(page: Page) -> None:
    bound: list[tuple[str, str]] = page.evaluate(KEYBINDINGS)
    assert {command: combo for command, combo in bound if command in SHORTCUTS} == SHORTCUTS
    others = {combo for command, combo in bound if command not in SHORTCUTS}
    assert others
    assert others.isdisjoint(SHORTCUTS.values())


def test_a_key_generates_and_the_badge_counts_and_a_toast_tells(page: Page) -> None:
    text = words()
    page.get_by_label("Prompt", exact=True).fill(text)
    page.keyboard.press("Alt+Shift+R")
    badge = page.locator(".avatarforge-tab-button .sidebar-icon-badge")
    expect(badge).to_have_text("1")
    expect(toast(page, f"Finished: {text}")).to_be_visible(timeout=SLOW)
    expect(badge).to_have_count(0)


def test_control_enter_in_the_form_leaves_the_editors_own_queue_alone(page: Page, api: Api) -> None:
    text = words()
    page.get_by_label("Prompt", exact=True).fill(text)
    queued: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/prompt"):
            queued.append(request.url)

    page.on("request", note)
    with page.expect_response("**/generate/avatar") as answer:
        page.keyboard.press("Control+Enter")
    api.wait(answer.value.json()["generation_id"])
    page.remove_listener("request", note)
    assert queued == []


def test_the_panel_keeps_what_was_entered_while_another_tab_is_shown(page: Page) -> None:
    text = words()
    page.get_by_label("Prompt", exact=True).fill(text)
    page.get_by_role("button", name=re.compile("^AvatarForge")).click()
    expect(panel(page)).to_have_count(0)
    page.locator("#graph-canvas").focus()
    page.keyboard.press("Alt+Shift+P")
    expect(page.get_by_label("Prompt", exact=True)).to_be_focused()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value(text)
    page.keyboard.press("Alt+Shift+L")
    expect(panel(page).get_by_label("Show")).to_be_visible()


def test_toasts_and_the_badge_follow_the_settings(page: Page, api: Api) -> None:
    page.evaluate(SET, ["AvatarForge.Toasts", "none"])
    page.evaluate(SET, ["AvatarForge.Badge", False])
    silent, announced = words(), words()
    generation = api.generate(prompt=silent)
    expect(panel(page).locator(".avatarforge-running li", has_text=silent)).to_be_visible()
    assert page.locator(".avatarforge-tab-button .sidebar-icon-badge").count() == 0
    api.wait(generation["generation_id"])
    expect(panel(page).locator(".avatarforge-running li", has_text=silent)).to_have_count(0)
    page.evaluate(SET, ["AvatarForge.Toasts", "all"])
    api.generate(prompt=announced)
    expect(toast(page, f"Finished: {announced}")).to_be_visible(timeout=SLOW)
    assert toast(page, silent).count() == 0


def test_a_generation_opens_as_a_graph_with_our_nodes(page: Page, api: Api) -> None:
    pose = api.upload(picture(secrets.randbits(64)))["file_id"]
    made(page, api, words(), route="/generate_pose?pose=side", pose_file_id=pose)
    panel(page).get_by_role("button", name="Open as graph").click()
    page.wait_for_function("() => app.rootGraph.nodes.some((node) => node.type === 'AvatarForgeSave')")
    types = set(page.evaluate("() => app.rootGraph.nodes.map((node) => node.type)"))
    assert {"AvatarForgePrompt", "AvatarForgeLoadPose", "AvatarForgeApplyPose", "KSampler"} <= types
    page.wait_for_function(ALL_IN_VIEW)
    loaded = [node for node in prompt_of(page).values() if node["class_type"] == "AvatarForgeLoadPose"]
    assert [node["inputs"]["file_id"] for node in loaded] == [pose]


def test_a_stored_file_becomes_a_node(page: Page, api: Api) -> None:
    content = picture(secrets.randbits(64))
    reference = api.upload(content, "reference", "face.png")["file_id"]
    give(page, POSE, "drop", content, "face.png")
    slot = page.locator(POSE)
    slot.get_by_role("button", name="Insert node").click()
    (node,) = prompt_of(page).values()
    assert (node["class_type"], node["inputs"]["file_id"]) == ("AvatarForgeLoadPose", reference)
    expect(page.locator(".avatarforge-picker").get_by_role("img", name="face.png")).to_be_visible()
    slot.get_by_role("button", name="Remove").click()
    page.evaluate("() => app.rootGraph.clear()")
    made(page, api, words(), reference_file_id=reference)
    panel(page).get_by_role("button", name="Insert node").click()
    (node,) = prompt_of(page).values()
    assert (node["class_type"], node["inputs"]["file_id"]) == ("AvatarForgeLoadReference", reference)


def test_a_finished_picture_becomes_a_node_by_menu_and_by_dragging(page: Page, api: Api) -> None:
    generation = made(page, api, words())
    wanted = ("AvatarForgeLoadView", generation["generation_id"], 1)
    panel(page).get_by_role("button", name="Continue with Front").click()
    page.get_by_role("menuitem", name="Insert into the graph").click()
    (node,) = prompt_of(page).values()
    assert (node["class_type"], node["inputs"]["generation_id"], node["inputs"]["position"]) == wanted
    page.evaluate("() => app.rootGraph.clear()")

    # Onto the empty canvas: a node, and not the graph that is in the picture.
    shown = panel(page).get_by_role("button", name="Picture: Front")
    shown.drag_to(page.locator("#graph-canvas"), target_position={"x": 900, "y": 500})
    page.wait_for_function("() => app.rootGraph.nodes.length === 1")
    (node,) = prompt_of(page).values()
    assert (node["class_type"], node["inputs"]["generation_id"], node["inputs"]["position"]) == wanted
    page.evaluate("() => app.rootGraph.clear()")

    # Onto a node that takes pictures: it takes this one.
    add_node(page, "AvatarForgeLoadReference", 700, 300)
    shown.drag_to(page.locator(".avatarforge-picker"))
    expect(page.locator(".avatarforge-picker").get_by_role("img")).to_be_visible()
    (node,) = prompt_of(page).values()
    stored = api.get(f"/files/{node['inputs']['file_id']}").content
    assert stored == api.get(generation["output_files"][0]["url"]).content


def test_a_picture_dropped_or_pasted_beside_a_slot_makes_no_node(page: Page) -> None:
    give(page, ".avatarforge-head", "drop", picture(secrets.randbits(64)), "beside.png")
    expect(panel(page).locator(".avatarforge-notices")).to_contain_text("Drop it onto Pose")
    give(page, ".avatarforge-head", "paste", picture(secrets.randbits(64)), "pasted.png")
    reference = panel(page).get_by_role("group", name="Reference")
    expect(reference.get_by_role("status")).to_have_text("Uploaded.")
    reference.get_by_role("button", name="Remove").click()
    assert page.evaluate("() => app.rootGraph.nodes.length") == 0


@pytest.mark.parametrize("palette", ["dark", "light"])
def test_no_serious_violation_in_the_editors_theme(page: Page, api: Api, palette: str) -> None:
    text = words()
    page.evaluate(SET, ["Comfy.ColorPalette", palette])
    try:
        panel(page).get_by_text("Advanced").click()
        assert (violations(page), too_wide(page)) == ([], [])
        panel(page).get_by_text("Advanced").click()
        made(page, api, text)
        panel(page).get_by_text("All settings").click()
        assert (violations(page), too_wide(page)) == ([], [])
        panel(page).get_by_role("button", name="Back to the gallery").click()
        expect(panel(page).locator(".avatarforge-gallery button", has_text=text)).to_be_focused()
        assert (violations(page), too_wide(page)) == ([], [])
    finally:
        page.evaluate(SET, ["Comfy.ColorPalette", "dark"])
