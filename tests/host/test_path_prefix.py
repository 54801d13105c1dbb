"""ComfyUI behind a proxy that serves it under a path: our pages and the sidebar stay below it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from browser import Browser, open_browser
from editor import open_editor
from panels import POSE, give
from pictures import picture
from playwright.sync_api import Page, expect
from prefix_proxy import PrefixProxy, prefix_proxy

from lab.api import PREFIX, Api

REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"
SLOW = 200_000  # ms


@pytest.fixture(scope="module")
def proxy(api: Api) -> Iterator[PrefixProxy]:
    with prefix_proxy(api.server) as started:
        yield started


@pytest.fixture
def browser(proxy: PrefixProxy) -> Iterator[Browser]:
    """A browser whose requests all stay below the proxy's path, without a complaint."""
    proxy.strayed.clear()
    with open_browser() as opened:
        expect.set_options(timeout=60_000)
        yield opened
        outside = [
            url
            for url in opened.foreign(proxy.origin) + opened.requested
            if url.startswith("http") and not url.startswith(f"{proxy.url}/") and url not in opened.refused
        ]
        assert (outside, proxy.strayed) == ([], [])
        assert [text for text in opened.complaints if REDOC_LOGO not in text] == []


def generated(page: Page, api: Api) -> str:
    """Describe a character, with a pose, and see its picture; the generation's id."""
    text = f"knight {secrets.token_hex(4)}"
    give(page, POSE, "drop", picture(secrets.randbits(64)), "pose.png")
    expect(page.locator(POSE).get_by_role("status")).to_have_text("Uploaded.")
    page.get_by_label("Prompt", exact=True).fill(text)
    with page.expect_response("**/generate/avatar") as answer:
        page.keyboard.press("Control+Enter")
    generation_id: str = answer.value.json()["generation_id"]
    api.wait(generation_id)
    tab = page.locator(".avatarforge-head").get_by_role("button", name="Gallery")
    if tab.is_visible():  # in a wide panel the gallery stands beside the form
        tab.click()
    shown = page.locator(".avatarforge-gallery button", has_text=text).locator("img")
    expect(shown).to_be_visible()
    shown.evaluate("image => image.decode()")  # which fails for a picture that did not come
    return generation_id


def test_the_panel_as_a_page(browser: Browser, proxy: PrefixProxy, api: Api) -> None:
    page = browser.page
    # Without the slash at its end, from where one is sent on.
    page.goto(f"{proxy.url}{PREFIX}")
    assert page.url == f"{proxy.url}{PREFIX}/"
    expect(page.locator(".avatarforge-drawing svg")).to_have_count(5)
    generation_id = generated(page, api)
    page.locator(".avatarforge-gallery li button").first.click()
    expect(page.locator(".avatarforge-panel")).to_contain_text("curl")
    assert page.url == f"{proxy.url}{PREFIX}/#/detail/{generation_id}"
    page.reload()
    expect(page.get_by_role("button", name="Back to the gallery")).to_be_visible()


def test_swagger_ui_sends_its_requests_below_the_path(browser: Browser, proxy: PrefixProxy) -> None:
    page = browser.page
    page.goto(f"{proxy.url}{PREFIX}/docs")
    block = page.locator(".opblock-get", has=page.locator(f'[data-path="{PREFIX}/poses"]'))
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    with page.expect_response("**/poses") as answer:
        block.get_by_role("button", name="Execute").click()
    assert (answer.value.url, answer.value.status) == (f"{proxy.url}{PREFIX}/poses", 200)
    expect(block.locator(".curl-command")).to_contain_text(f"{proxy.url}{PREFIX}/poses")


def test_redoc_names_the_server_below_the_path(browser: Browser, proxy: PrefixProxy) -> None:
    page = browser.page
    page.goto(f"{proxy.url}{PREFIX}/redoc")
    expect(page.get_by_role("heading", name=re.compile("AvatarForge")).first).to_be_visible()
    # Where it says to send a request to, when one opens the address of an operation.
    page.get_by_role("button", name=f"get {PREFIX}/styles").click()
    shown = page.get_by_role("button", name=f"{PREFIX}/styles").filter(has_text="http://").first
    # It writes the relative part out, as it is: .../avatarforge-controller/../avatarforge-controller/styles.
    expect(shown).to_be_visible()
    address = page.evaluate("(text) => new URL(text).href", shown.inner_text().strip())
    assert address == f"{proxy.url}{PREFIX}/styles"
    assert set(browser.refused) <= {REDOC_LOGO}


def test_the_pages_stay_below_the_path_under_api_too(browser: Browser, proxy: PrefixProxy) -> None:
    page = browser.page
    page.goto(f"{proxy.url}/api{PREFIX}/")
    expect(page.locator(".avatarforge-drawing svg")).to_have_count(5)
    page.goto(f"{proxy.url}/api{PREFIX}/docs")
    expect(page.locator("#swagger-ui .opblock").first).to_be_visible()
    assert all(
        urlsplit(url).path.startswith("/comfy/api/") for url in browser.requested if "avatarforge" in url
    )


def test_the_sidebar_of_the_editor(proxy: PrefixProxy, api: Api) -> None:
    proxy.strayed.clear()
    with open_editor(api, at=f"{proxy.url}/") as browser:
        page = browser.page
        page.get_by_role("button", name=re.compile("^AvatarForge")).click()
        expect(page.locator(".avatarforge-drawing svg")).to_have_count(5)
        generated(page, api)
        ours = [url for url in browser.requested if "avatarforge" in url.lower()]
        assert len(ours) > 20
        assert [url for url in ours if not url.startswith(f"{proxy.url}/")] == []
    assert [path for path in proxy.strayed if "avatarforge" in path.lower()] == []
