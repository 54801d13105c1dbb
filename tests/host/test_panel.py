"""The panel as a page of its own, in a real browser on a real ComfyUI: its form."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator

import pytest
from browser import Browser
from panels import (
    POSE,
    REFERENCE,
    first_tile,
    fresh_panel,
    give,
    open_panel_browser,
    prompt,
    tile,
    words,
)
from pictures import picture
from playwright.sync_api import Page, Route, expect

from lab.api import PREFIX, Api


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        yield shown


def test_a_dropped_picture_is_sent_once_and_the_same_again_is_not(page: Page, browser: Browser) -> None:
    content = picture(secrets.randbits(64))
    pose = page.locator(POSE)
    give(page, POSE, "drop", content, "first.png")
    expect(pose.get_by_role("status")).to_have_text("Uploaded.")
    expect(pose.get_by_role("img", name="first.png")).to_be_visible()
    give(page, REFERENCE, "drop", content, "again.png")
    reference = page.locator(REFERENCE)
    expect(reference.get_by_role("status")).to_have_text("Already stored: no upload needed.")
    expect(reference.get_by_role("img", name="first.png")).to_be_visible()
    assert sum("/upload/" in url for url in browser.requested) == 1


def test_a_pasted_picture_goes_to_the_slot_with_the_focus_else_to_the_reference(page: Page, api: Api) -> None:
    prompt(page).focus()
    give(page, "textarea", "paste", picture(secrets.randbits(64)), "pasted.png")
    expect(page.locator(REFERENCE).get_by_role("status")).to_have_text("Uploaded.")
    figure = json.dumps({"people": [{"pose_keypoints_2d": [10.0 + at for at in range(54)]}]}).encode()
    give(page, f"{POSE} button", "paste", figure, "pose.json", "application/json")
    expect(page.locator(POSE).locator(".avatarforge-name")).to_have_text(re.compile("json$"))
    page.locator(REFERENCE).get_by_role("button", name="Remove").click()
    expect(page.locator(REFERENCE).get_by_role("button", name="Choose")).to_be_focused()
    page.locator(REFERENCE).get_by_role("button", name="Choose").click()
    stored = page.get_by_role("dialog", name="Choose a stored reference")
    stored.locator("li button").first.click()
    expect(page.locator(f"{REFERENCE} img")).to_be_visible()


def test_a_refused_picture_says_why_and_stops_the_request(page: Page, browser: Browser) -> None:
    give(page, POSE, "drop", b"GIF89a", "broken.png")
    expect(page.locator(POSE).get_by_role("status")).to_contain_text("The file is a GIF")
    prompt(page).fill(words())
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="correct the marked fields")).to_be_visible()
    assert not any("/generate" in url for url in browser.requested)
    browser.complaints.clear()  # the browser notes each answer that is an error


def test_what_the_server_refuses_stands_at_its_field(page: Page, browser: Browser) -> None:
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(prompt(page)).to_be_focused()
    expect(prompt(page)).to_have_attribute("aria-invalid", "true")
    prompt(page).fill("a knight")
    page.get_by_text("Advanced").click()
    page.get_by_label("Width").fill("65")
    page.get_by_label("Seed").fill("1" * 20 + "0")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_label("Seed")).to_have_accessible_description(re.compile("at most 20 digits"))
    page.get_by_label("Seed").fill("7")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_label("Width")).to_have_accessible_description(re.compile("multiple of 8"))
    expect(page.get_by_label("Width")).to_be_focused()
    page.get_by_label("Width").fill("64")
    expect(page.get_by_label("Width")).not_to_have_attribute("aria-invalid", "true")
    browser.complaints.clear()


def test_an_answer_that_never_came_is_asked_for_with_the_same_key(page: Page, browser: Browser) -> None:
    keys = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.abort()

    page.route("**/generate/avatar", lose)
    prompt(page).fill(words())
    for _ in range(2):
        page.get_by_role("button", name="Generate", exact=True).click()
        expect(page.get_by_role("alert").filter(has_text="is not responding")).to_be_visible()
    prompt(page).fill(words())
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="is not responding")).to_be_visible()
    assert keys[0] == keys[1] != keys[2]
    browser.complaints.clear()


def test_everything_can_be_done_with_the_keyboard(page: Page, api: Api) -> None:
    text = words()
    prompt(page).focus()
    page.keyboard.type(text)
    for name in ("Clothing", "Style", "Anime", "Expression"):
        page.keyboard.press("Tab")
        if name == "Style":
            expect(page.get_by_role("button", name="Presets")).to_be_focused()
            page.keyboard.press("Tab")
        expect(page.get_by_label(name)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Free")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Front")).to_be_checked()
    with page.expect_request("**/generate_pose?pose=front"):
        page.keyboard.press("Control+Enter")
    expect(tile(page, text)).to_have_attribute("aria-label", re.compile("View, Finished$"))
    tile(page, text).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    expect(first_tile(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=text)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(tile(page, text)).to_be_focused()


def test_the_address_without_a_slash_and_the_one_under_api_lead_to_the_page(page: Page, api: Api) -> None:
    for address in (api.base_url, f"{api.server}/api{PREFIX}"):
        page.goto(address)
        assert page.url == f"{address}/"
        expect(page.locator(".avatarforge-drawing svg")).to_have_count(5)
