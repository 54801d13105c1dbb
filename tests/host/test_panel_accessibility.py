"""The panel for everybody, in a real browser: themes, widths, screen readers and Chinese."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser
from panels import (
    POSE,
    WIDE,
    fresh_panel,
    made,
    open_panel,
    open_panel_browser,
    tile,
    too_wide,
    violations,
    words,
)
from pictures import picture
from playwright.sync_api import Page, ViewportSize, expect

from lab.api import Api

ROOT = Path(__file__).resolve().parents[2]
CHINESE = json.loads((ROOT / "locales" / "zh" / "main.json").read_text(encoding="utf-8"))["avatarforge"]
NARROW: ViewportSize = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        yield shown


def test_no_serious_violation_and_nothing_cut_off_in_any_theme_or_width(page: Page, api: Api) -> None:
    text = words() + " with a very-long-word-that-has-no-place-to-break-at-all-and-goes-on-and-on"
    made(page, api, text, pose_file_id=api.upload(picture(secrets.randbits(64)))["file_id"])
    page.get_by_text("Advanced").click()
    page.get_by_role("button", name="Generate", exact=True).click()  # so that there is an error to see
    tile(page, text).click()
    for summary in ("All settings", "How the inputs were used"):
        page.get_by_text(summary).click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(WIDE)
        assert (violations(page, "html"), too_wide(page)) == ([], [])
        page.set_viewport_size(NARROW)
        assert (violations(page, "html"), too_wide(page)) == ([], [])
        for view in ("Gallery", "Create"):
            page.get_by_role("button", name=view, exact=True).click()
            assert (violations(page, "html"), too_wide(page)) == ([], [])
        page.go_back()
        page.go_back()
        expect(page.get_by_role("heading", name=text)).to_be_visible()
    page.emulate_media(color_scheme="light")


def test_the_page_speaks_chinese_and_allows_nothing_from_elsewhere(browser: Browser, api: Api) -> None:
    engine = browser.page.context.browser
    assert engine is not None
    chinese = engine.new_context(locale="zh-CN", viewport={"width": 320, "height": 640})
    try:
        shown = chinese.new_page()
        answer = shown.goto(f"{api.base_url}/")
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy and policy.startswith("default-src 'none'")
        expect(shown.get_by_role("button", name=CHINESE["generate"], exact=True)).to_be_visible()
        expect(shown.locator(".avatarforge-drawing svg")).to_have_count(5)
        assert shown.locator("html").get_attribute("lang") == "zh"
        assert too_wide(shown) == []
        shown.locator(POSE).get_by_role("button", name=CHINESE["pose_library_open"]).click()
        poses = shown.get_by_role("dialog").get_by_role("list").last.get_by_role("button")
        expect(poses.first).to_have_accessible_name(CHINESE["built_in_pose_standing"])
        shown.get_by_role("searchbox").fill(CHINESE["built_in_pose_waving"])
        expect(poses).to_have_count(1)
        expect(poses).to_have_accessible_name(CHINESE["built_in_pose_waving"])
        shown.keyboard.press("Escape")
        shown.get_by_role("button", name=CHINESE["gallery"], exact=True).click()
        assert (violations(shown, "html"), too_wide(shown)) == ([], [])
    finally:
        chinese.close()


def test_a_chinese_page_shows_chinese_errors(browser: Browser, api: Api) -> None:
    engine = browser.page.context.browser
    assert engine is not None
    chinese = engine.new_context(locale="zh-CN", viewport=WIDE)
    try:
        shown = chinese.new_page()
        open_panel(shown, api)
        shown.locator("input[type=file]").first.set_input_files(
            {"name": "cut.png", "mimeType": "image/png", "buffer": picture(secrets.randbits(64))[:-25]}
        )
        expect(shown.get_by_text(CHINESE["error_damaged_image"]).first).to_be_visible()
        open_panel(shown, api, "?again")
        shown.get_by_label(CHINESE["prompt"], exact=True).fill(words())
        shown.get_by_text(CHINESE["advanced"], exact=True).click()
        width = shown.get_by_label(CHINESE["width"], exact=True)
        width.fill("56")
        shown.get_by_role("button", name=CHINESE["generate"], exact=True).click()
        wrong = CHINESE["problem_greater_than_equal"].format(field=CHINESE["width"], limit=64)
        expect(shown.get_by_text(wrong)).to_be_visible()
        expect(width).to_be_focused()
        sent = "**/generate/avatar"
        full = {"detail": "2 generations are queued.", "code": "queue_full", "parameters": {"limit": 2}}
        shown.route(sent, lambda route: route.fulfill(status=503, json=full))
        width.fill("64")
        shown.get_by_role("button", name=CHINESE["generate"], exact=True).click()
        sentence = CHINESE["error_queue_full"].format(limit=2)
        expect(shown.get_by_role("alert").filter(has_text=sentence)).to_be_visible()
        # A newer server may send a code that this page has no text for.
        shown.unroute(sent)
        unknown = {"detail": "The moon is in the wrong phase.", "code": "wrong_moon"}
        shown.route(sent, lambda route: route.fulfill(status=503, json=unknown))
        shown.get_by_role("button", name=CHINESE["generate"], exact=True).click()
        expect(shown.get_by_role("alert").filter(has_text=unknown["detail"])).to_be_visible()
    finally:
        chinese.close()
