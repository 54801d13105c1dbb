"""Help pages and names of the nodes, in ComfyUI's real editor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import Browser
from editor import add_node, open_editor
from playwright.sync_api import expect

from lab.api import Api

LANGUAGES = {"en": ("Load Pose (AvatarForge)", "Inputs"), "zh": ("加载姿势 (AvatarForge)", "输入")}

#: The lines that reach out of the window, or of their own place.
CUT_OFF = """(lines) => lines
    .filter((line) => {
        const { right } = line.getBoundingClientRect();
        return right > innerWidth || line.scrollWidth > line.clientWidth + 1;
    })
    .map((line) => line.textContent)"""

# Again and again: an editor that is still starting drops what is selected.
SELECTED = """() => {
    app.canvas.selectNode(app.rootGraph.nodes[0]);
    return document.querySelector("[data-testid=info-button]") !== null;
}"""


@pytest.fixture(params=LANGUAGES)
def editor(api: Api, request: pytest.FixtureRequest) -> Iterator[tuple[str, Browser]]:
    try:
        with open_editor(api, settings={"Comfy.Locale": request.param}) as browser:
            yield request.param, browser
    finally:
        api.request("POST", f"{api.server}/settings", json={"Comfy.Locale": "en"})


def test_the_help_panel_shows_our_page(editor: tuple[str, Browser]) -> None:
    language, browser = editor
    title, heading = LANGUAGES[language]
    page = browser.page
    add_node(page, "AvatarForgeLoadPose")
    page.wait_for_function(SELECTED)
    assert page.evaluate("() => app.rootGraph.nodes[0].title") == title
    page.get_by_test_id("info-button").click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.locator("li code", has_text="file_id").first).to_be_visible()
    # The panel is narrow: a table would be cut off.
    assert page.locator("li:has(> code)").evaluate_all(CUT_OFF) == []


def test_every_node_has_its_pages_where_the_editor_looks_for_them(api: Api) -> None:
    ours = [name for name in api.root("/object_info").json() if name.startswith("AvatarForge")]
    assert ours
    for node in ours:
        for path in (f"{node}.md", f"{node}/zh.md"):
            answer = api.root(f"/extensions/avatarforge/docs/{path}")
            assert (answer.status_code, answer.text[:2]) == (200, "# "), path
