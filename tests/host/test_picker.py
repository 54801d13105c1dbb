"""The picker of the nodes that take a stored file, in ComfyUI's real editor."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser
from editor import add_node, open_editor, prompt_of
from pictures import picture
from playwright.sync_api import Locator, Page, expect

from lab.api import PREFIX, Api

PAGE = 24
UPLOADS = {"AvatarForgeLoadPose": "pose", "AvatarForgeLoadReference": "reference"}
SEND = """([target, kind, bytes, name]) => {
    const content = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([content], name, { type: "image/png" }));
    const options = { bubbles: true, cancelable: true };
    const event = kind === "paste"
        ? new ClipboardEvent("paste", { ...options, clipboardData: data })
        : new DragEvent(kind, { ...options, dataTransfer: data });
    document.querySelector(target).dispatchEvent(event);
}"""


@pytest.fixture(scope="module")
def browser(api: Api) -> Iterator[Browser]:
    with open_editor(api) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    yield browser.page
    browser.page.keyboard.press("Escape")
    browser.page.unroute_all()
    browser.page.evaluate("() => app.rootGraph.clear()")


def fresh(size: tuple[int, int] = (64, 64)) -> bytes:
    return picture(secrets.randbits(64), size)


def picker_of(page: Page, node_type: str = "AvatarForgeLoadReference") -> Locator:
    """Put the node onto the canvas; its picker."""
    add_node(page, node_type)
    picker = page.locator(".avatarforge-picker")
    expect(picker).to_be_visible()
    return picker


def chosen(page: Page) -> Any:
    (node,) = prompt_of(page).values()
    return node["inputs"]["file_id"]


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def wait_until_chosen(page: Page, file_id: str) -> None:
    page.wait_for_function("(id) => app.rootGraph.nodes[0].widgets[0].value === id", arg=file_id)


def test_choosing_with_the_keyboard_writes_a_plain_file_id(page: Page, api: Api) -> None:
    older, newest = (api.upload(fresh((80, 64)), filename=f"{name}.png") for name in ("older", "newest"))
    picker = picker_of(page)
    picker.get_by_role("button", name="Choose").click()
    dialog = page.get_by_role("dialog", name="Choose a stored reference")
    tiles = dialog.locator("li button")
    expect(tiles.first).to_be_focused()
    expect(tiles.first).to_have_attribute("title", "newest.png")
    expect(tiles.first.get_by_role("img", name="newest.png")).to_be_visible()
    assert tiles.first.locator("img").evaluate(
        "async (image) => { await image.decode(); return image.naturalWidth; }"
    )
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    page.keyboard.press("Home")
    expect(tiles.first).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(picker.get_by_role("button", name="Choose")).to_be_focused()
    expect(picker.get_by_role("img", name="older.png")).to_be_visible()
    expect(picker.locator(".avatarforge-name")).to_have_text("older.png")
    assert chosen(page) == older["file_id"] != newest["file_id"]
    saved = page.evaluate("() => app.rootGraph.serialize().nodes[0].widgets_values")
    assert saved == [older["file_id"]]


def test_a_saved_view_is_chosen_by_its_picture(page: Page, api: Api) -> None:
    words = f"sheet {secrets.token_hex(4)}"
    sheet = api.wait(api.generate("/generate_all_poses", prompt=words)["generation_id"])
    picker = picker_of(page, "AvatarForgeLoadView")
    expect(picker.get_by_role("status")).to_contain_text("No picture chosen")
    picker.get_by_role("button", name="Choose").click()
    dialog = page.get_by_role("dialog", name="Choose a picture")
    tiles = dialog.get_by_role("button", name=words)
    expect(tiles.first).to_be_focused()
    expect(tiles).to_have_count(4)
    expect(tiles.nth(1)).to_contain_text("Back")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    shown = picker.get_by_role("img", name=f"{words} · Back")
    expect(shown).to_be_visible()
    assert shown.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }")
    (node,) = prompt_of(page).values()
    assert node["inputs"] == {"generation_id": sheet["generation_id"], "position": 2, "take": 0}
    page.evaluate("""() => {
        const [, position] = app.rootGraph.nodes[0].widgets;
        position.value = 9;
        position.callback(9);
    }""")
    expect(picker.get_by_role("status")).to_contain_text("has no picture 9")


@pytest.mark.parametrize("node_type", [*UPLOADS, "AvatarForgeLoadKeypoints", "AvatarForgeLoadView"])
def test_the_id_is_not_on_the_face_of_the_node(page: Page, node_type: str) -> None:
    picker_of(page, node_type)
    hidden = page.evaluate("""() => {
        const [node] = app.rootGraph.nodes;
        return node.widgets.filter((widget) => !node.isWidgetVisible(widget)).map(({ name }) => name);
    }""")
    assert hidden == ["generation_id" if node_type == "AvatarForgeLoadView" else "file_id"]


def test_the_focus_stays_in_the_dialog_and_escape_closes_it(page: Page, api: Api) -> None:
    api.upload(fresh())
    picker_of(page).get_by_role("button", name="Choose").click()
    dialog = page.locator("dialog.avatarforge-dialog")
    expect(dialog.locator("li button").first).to_be_focused()
    for key in (*["Tab"] * 6, *["Shift+Tab"] * 6):
        page.keyboard.press(key)
        assert dialog.evaluate("(dialog) => dialog.contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert chosen(page) == ""


def test_the_pages_go_on_where_the_one_before_ended(page: Page, api: Api) -> None:
    for number in range(PAGE + 1):
        api.upload(fresh(), filename=f"{number}.png")
    total = api.get("/files?limit=1").json()["total"]
    picker_of(page).get_by_role("button", name="Choose").click()
    dialog = page.locator("dialog.avatarforge-dialog")
    status = dialog.get_by_role("status")
    expect(status).to_have_text(re.compile(f"^1.{PAGE} of {total}$"))
    expect(dialog.get_by_role("button", name="Newer")).to_be_disabled()
    dialog.get_by_role("button", name="Older").click()
    expect(dialog.locator("li button").first).to_have_attribute("title", "0.png")
    dialog.get_by_role("button", name="Newer").click()
    expect(dialog.locator("li button").first).to_have_attribute("title", f"{PAGE}.png")


def test_an_empty_store_and_a_failing_one_say_so(page: Page) -> None:
    nothing = {"total": 0, "files": [], "limit": PAGE, "next_cursor": None}
    refusal = {"detail": "The database cannot be used now."}
    page.route("**/files?*", lambda route: route.fulfill(status=503, json=refusal))
    picker_of(page).get_by_role("button", name="Choose").click()
    dialog = page.locator("dialog.avatarforge-dialog")
    expect(dialog.get_by_role("status")).to_have_text(refusal["detail"])
    page.unroute_all()
    page.route("**/files?*", lambda route: route.fulfill(json=nothing))
    dialog.get_by_role("button", name="Try again").click()
    expect(dialog.get_by_role("status")).to_contain_text("Nothing is stored yet")
    page.unroute_all()
    page.route("**/files?*", lambda route: route.abort())
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Choose").click()
    expect(dialog.get_by_role("status")).to_contain_text("ComfyUI is not responding")


@pytest.mark.parametrize(("node_type", "kind"), UPLOADS.items())
def test_an_uploaded_file_is_chosen(page: Page, api: Api, node_type: str, kind: str) -> None:
    content = fresh()
    picker = picker_of(page, node_type)
    with page.expect_request(f"**{PREFIX}/upload/{kind}_image"):
        picker.locator("input[type=file]").set_input_files(
            {"name": "sent.png", "mimeType": "image/png", "buffer": content}
        )
    expect(picker.get_by_role("img", name="sent.png")).to_be_visible()
    assert chosen(page) == api.upload(content, kind)["file_id"]


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_can_be_dropped_or_pasted(page: Page, api: Api, way: str) -> None:
    content = fresh()
    picker_of(page)
    page.evaluate("() => app.canvas.selectNode(app.rootGraph.nodes[0])")
    target = ".avatarforge-picker" if way == "drop" else "body"
    page.evaluate(SEND, [target, way, encoded(content), "given.png"])
    wait_until_chosen(page, api.upload(content)["file_id"])
    assert page.evaluate("() => app.rootGraph.nodes.length") == 1


def test_the_node_itself_takes_a_dropped_file(page: Page, api: Api) -> None:
    content = fresh()
    picker_of(page)
    taken = page.evaluate(
        """async (bytes) => {
            const content = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([content], "a.png", { type: "image/png" }));
            const [node] = app.rootGraph.nodes, event = new DragEvent("drop", { dataTransfer });
            return [node.onDragOver(event), await node.onDragDrop(event)];
        }""",
        encoded(content),
    )
    assert taken == [True, True]
    wait_until_chosen(page, api.upload(content)["file_id"])


def test_a_refused_upload_says_why_in_the_node_and_as_a_toast(page: Page) -> None:
    picker = picker_of(page)
    picker.locator("input[type=file]").set_input_files(
        {"name": "broken.png", "mimeType": "image/png", "buffer": b"GIF89a"}
    )
    expect(picker.get_by_role("status")).to_contain_text("Invalid image file: The file is a GIF")
    expect(page.locator(".p-toast-message-error")).to_contain_text("Invalid image file: The file is a GIF")
    expect(picker.get_by_role("button", name="Upload")).to_be_enabled()
    assert chosen(page) == ""


def test_a_graph_that_names_a_file_shows_it_and_one_that_is_gone_is_told(page: Page, api: Api) -> None:
    known = api.upload(fresh(), filename="known.png")["file_id"]
    for file_id in (known, "11111111-2222-4333-8444-555555555555"):
        inputs = {"file_id": file_id}
        prompt = {"1": {"class_type": "AvatarForgeLoadReference", "inputs": inputs, "_meta": {"title": "R"}}}
        page.evaluate("(prompt) => app.loadApiJson(prompt, 'a')", prompt)
        picker = page.locator(".avatarforge-picker")
        if file_id == known:
            expect(picker.get_by_role("img", name="known.png")).to_be_visible()
        else:
            expect(picker.get_by_role("status")).to_contain_text(f"No file {file_id} exists")
        graph = page.evaluate("() => app.rootGraph.serialize()")
        page.evaluate("(graph) => app.loadGraphData(graph)", graph)
        assert chosen(page) == file_id
