"""Helpers for browser tests of the panel, as a page and in the sidebar."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.base import AXE_FILE_PATH
from browser import Browser, open_browser
from playwright.sync_api import Locator, Page, ViewportSize, expect

from lab.api import Api

SEND = """([target, kind, bytes, name, type]) => {
    const content = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([content], name, { type }));
    const options = { bubbles: true, cancelable: true };
    const event = kind === "paste"
        ? new ClipboardEvent("paste", { ...options, clipboardData: data })
        : new DragEvent(kind, { ...options, dataTransfer: data });
    document.querySelector(target).dispatchEvent(event);
}"""
#: Records the values of the progress bar of running generations, and the previews that loaded.
RECORD = """() => {
    window.seen = { bar: [], previews: [] };
    const record = () => {
        const value = document.querySelector(".avatarforge-running progress")?.getAttribute("value");
        if (value && Number(value) !== window.seen.bar.at(-1)) window.seen.bar.push(Number(value));
    };
    document.addEventListener("load", ({ target }) => {
        if (target.closest?.(".avatarforge-previews")) window.seen.previews.push(target.alt);
    }, { capture: true });
    new MutationObserver(record).observe(document.querySelector(".avatarforge-now"), {
        subtree: true, childList: true, attributes: true,
    });
}"""
#: Empties the browser's storage, if the page has one.
FORGET = """() => {
    try { localStorage.clear(); } catch {}
}"""
SERIOUS = ("serious", "critical")
WIDE: ViewportSize = {"width": 1400, "height": 900}
POSE, REFERENCE = ".avatarforge-slot:nth-of-type(1)", ".avatarforge-slot:nth-of-type(2)"


def give(page: Page, target: str, kind: str, content: bytes, name: str, mime_type: str = "image/png") -> None:
    """Drop or paste a file onto the element, as a browser does."""
    page.evaluate(SEND, [target, kind, base64.b64encode(content).decode(), name, mime_type])


def violations(page: Page, where: str = ".avatarforge-panel") -> list[tuple[str, Any]]:
    """axe-core's serious and critical findings, as (rule, elements that violate it)."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    found = page.evaluate("(where) => axe.run(where)", where)["violations"]
    return [
        (violation["id"], [node["target"] for node in violation["nodes"]])
        for violation in found
        if violation["impact"] in SERIOUS
    ]


def too_wide(page: Page) -> list[str]:
    """The classes of elements that extend beyond the right edge of the panel."""
    found: list[str] = page.evaluate(
        """() => {
            const panel = document.querySelector(".avatarforge-panel").getBoundingClientRect();
            return [...document.querySelectorAll(".avatarforge-panel *")]
                .filter((element) => element.checkVisibility())
                .filter((element) => element.getBoundingClientRect().right > panel.right + 1)
                .map((element) => element.className || element.tagName);
        }"""
    )
    return found


def first_tile(page: Page) -> Locator:
    return page.locator(".avatarforge-gallery li button").first


@contextmanager
def open_panel_browser() -> Iterator[Browser]:
    """A wide browser whose expectations wait long enough for a busy machine."""
    with open_browser(**WIDE) as opened:
        expect.set_options(timeout=60_000)
        yield opened


@contextmanager
def fresh_panel(browser: Browser, api: Api) -> Iterator[Page]:
    """The page, freshly opened and wide. It may have caused no error, and asked no other machine."""
    shown = browser.page
    browser.complaints.clear()
    browser.requested.clear()
    shown.set_viewport_size(WIDE)
    open_panel(shown, api)
    yield shown
    shown.unroute_all()
    shown.evaluate(FORGET)  # the draft would be in the form of the next test
    shown.goto("about:blank")
    assert browser.complaints == []
    assert browser.foreign(api.server) == []


def open_panel(page: Page, api: Api, where: str = "") -> None:
    page.goto(f"{api.base_url}/{where}")
    expect(page.get_by_role("heading", name="AvatarForge")).to_be_visible()
    # The skeletons are drawn when everything else that the form needs has come too.
    expect(page.locator(".avatarforge-drawing svg")).to_have_count(5)
    expect(page.locator(".avatarforge-pages .avatarforge-status")).not_to_have_text(re.compile("Loading"))


def prompt(page: Page) -> Locator:
    return page.get_by_label("Prompt", exact=True)


def words() -> str:
    """A prompt that no other test has."""
    return f"knight {secrets.token_hex(4)}"


def made(page: Page, api: Api, text: str, **body: Any) -> dict[str, Any]:
    """A completed generation that the page shows in its gallery."""
    generation = api.wait(api.generate(prompt=text, **body)["generation_id"])
    expect(tile(page, text)).to_have_attribute("aria-label", re.compile("Finished$"))
    return generation


def tile(page: Page, text: str) -> Locator:
    return page.locator(".avatarforge-gallery button", has_text=text)


def running(page: Page, text: str) -> Locator:
    return page.locator(".avatarforge-running li", has_text=text)
