"""The pose library and the pose editor on the nodes that take a pose, in ComfyUI's real editor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser
from editor import add_node, open_editor, prompt_of
from playwright.sync_api import Locator, Page, expect
from pose_editing import drag, editor, handle, library, pose_name, pose_tile, save_as, saved_pose
from pose_formats import FRAME

from lab.api import Api

LEFT_WRIST = 7
#: Gives the frontend something to undo, and remembers the node, which undoing replaces with another one.
REMEMBER = """() => {
    const tracker = app.extensionManager.workflow.activeWorkflow.changeTracker;
    (tracker.captureCanvasState ?? tracker.checkState).call(tracker);
    app.rootGraph.nodes[0].title = "remembered";
    (tracker.captureCanvasState ?? tracker.checkState).call(tracker);
    window.remembered = app.rootGraph.nodes[0];
}"""
#: The frontend undoes a graph in the frame after the key.
SAME = """async () => {
    for (let frame = 0; frame < 3; frame++) await new Promise((done) => requestAnimationFrame(done));
    return app.rootGraph.nodes[0] === window.remembered && window.remembered.title === "remembered";
}"""


@pytest.fixture(scope="module")
def browser(api: Api) -> Iterator[Browser]:
    with open_editor(api) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    yield browser.page
    browser.page.unroute_all()
    browser.page.evaluate("() => app.rootGraph.clear()")


def part_of(page: Page, node_type: str) -> Locator:
    """Put the node onto the canvas; the part of ours in it."""
    add_node(page, node_type)
    part = page.locator(".avatarforge-picker")
    expect(part).to_be_visible()
    return part


def inputs(page: Page) -> dict[str, Any]:
    (node,) = prompt_of(page).values()
    values: dict[str, Any] = node["inputs"]
    return values


def test_library_pose_shows_its_pose_and_gets_another_one_by_its_name(page: Page, api: Api) -> None:
    name = pose_name()
    saved_pose(api, name, FRAME)
    part = part_of(page, "AvatarForgeLibraryPose")
    expect(part.locator(".avatarforge-name")).to_have_text("standing")
    expect(part.locator("svg")).to_be_visible()
    part.get_by_role("button", name="Library").click()
    expect(pose_tile(page, "standing")).to_have_attribute("aria-pressed", "true")
    pose_tile(page, name).click()
    library(page).get_by_label("Mirrored").check()
    library(page).get_by_role("button", name="Use", exact=True).click()
    expect(part.locator(".avatarforge-name")).to_have_text(name)
    assert (inputs(page)["pose"], inputs(page)["mirrored"]) == (name, True)
    # Only the plain values are saved, and they show the pose again.
    graph = page.evaluate("() => app.rootGraph.serialize()")
    page.evaluate("(graph) => app.loadGraphData(graph)", graph)
    expect(page.locator(".avatarforge-picker .avatarforge-name")).to_have_text(name)
    assert (inputs(page)["pose"], inputs(page)["mirrored"]) == (name, True)


def test_a_name_that_is_unknown_is_told_in_the_node(page: Page) -> None:
    part = part_of(page, "AvatarForgeLibraryPose")
    page.evaluate(
        """() => {
            const widget = app.rootGraph.nodes[0].widgets.find(({ name }) => name === "pose");
            widget.value = "no such pose";
            widget.callback?.(widget.value);
        }"""
    )
    expect(part.get_by_role("status")).to_contain_text("No pose 'no such pose' exists")
    expect(part.locator("svg")).to_be_hidden()


def test_the_pose_of_a_node_is_edited_and_keys_do_nothing_to_the_graph(page: Page) -> None:
    name = pose_name()
    part = part_of(page, "AvatarForgeLibraryPose")
    page.evaluate("() => app.canvas.selectNode(app.rootGraph.nodes[0])")
    page.evaluate(REMEMBER)
    part.get_by_role("button", name="Edit pose").click()
    expect(editor(page).get_by_label("Name")).to_have_value("standing 2")
    drag(page, LEFT_WRIST, 30, -60)
    expect(handle(page, LEFT_WRIST)).to_be_focused()
    page.keyboard.press("Delete")
    expect(handle(page, LEFT_WRIST)).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(handle(page, LEFT_WRIST)).to_be_visible()
    assert page.evaluate("() => app.rootGraph.nodes.length") == 1
    assert page.evaluate(SAME)
    save_as(page, name)
    expect(part.locator(".avatarforge-name")).to_have_text(name)
    assert inputs(page)["pose"] == name


def test_load_pose_gets_a_stored_file_of_a_built_in_pose_and_of_an_edited_one(page: Page, api: Api) -> None:
    name = pose_name()
    part = part_of(page, "AvatarForgeLoadPose")
    part.get_by_role("button", name="Library").click()
    pose_tile(page, "waving").click()
    library(page).get_by_role("button", name="Use", exact=True).click()
    expect(part.locator(".avatarforge-name")).to_have_text("waving.json")
    stored = api.get(f"/files/{inputs(page)['file_id']}").json()
    assert stored == api.get("/poses/library/waving").json()["pose"]
    part.get_by_role("button", name="Edit pose").click()
    drag(page, LEFT_WRIST, 20, -20)
    save_as(page, name)
    expect(part.locator(".avatarforge-name")).to_have_text(f"{name}.json")
    assert inputs(page)["file_id"] == api.get(f"/poses/library/{name}").json()["file_id"]
