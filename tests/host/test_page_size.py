"""How much of our own code a browser loads before anything is opened, and when it first sees something."""

from __future__ import annotations

import pytest
from browser import open_browser
from playwright.sync_api import Page, Request, expect

from lab.api import PREFIX, Api

MOST = 250_000  # bytes, as they are sent
EDITOR_READY = "() => Boolean(window.app?.vueAppReady)"
FIRST_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


def loaded(requests: list[Request], part: str) -> int:
    """The bytes of the answers to the requests with this part in their URLs."""
    return sum(request.sizes()["responseBodySize"] for request in requests if part in request.url)


def first_paint(page: Page) -> float:
    """Milliseconds from the start of the navigation."""
    return float(page.wait_for_function(FIRST_PAINT).json_value())


def test_a_page_loads_little_of_ours_at_its_start(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    with open_browser() as browser:
        page = browser.page
        requests: list[Request] = []
        page.on("requestfinished", lambda request: requests.append(request))
        page.goto(f"{api.base_url}/")
        expect(page.get_by_label("Prompt", exact=True)).to_be_visible()
        own, own_paint = loaded(requests, f"{PREFIX}/panel/"), first_paint(page)
        page.goto(api.server)
        page.wait_for_function(EDITOR_READY)
        in_editor, editor_paint = loaded(requests, "/extensions/avatarforge/"), first_paint(page)
    with capfd.disabled():
        print(
            f"\nours at the start: page {own / 1000:.0f} KB, editor {in_editor / 1000:.0f} KB; "
            f"first paint: page {own_paint:.0f} ms, ComfyUI {editor_paint:.0f} ms"
        )
    assert 50_000 < own < MOST
    assert 50_000 < in_editor < MOST
