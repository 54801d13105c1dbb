"""Helpers for browser tests of the panel, as a page and in the sidebar."""

from __future__ import annotations

import base64
from typing import Any

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Locator, Page

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
SERIOUS = ("serious", "critical")
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
