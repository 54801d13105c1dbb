"""The takes of a picture in a real browser: chosen, compared, deleted, and more of them asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser
from panels import WIDE, fresh_panel, open_panel, open_panel_browser, violations, words
from playwright.sync_api import Locator, Page, ViewportSize, expect

from lab.api import Api

PHONE: ViewportSize = {"width": 390, "height": 844}
DOLL = {"prompt": "knight in blue armour, red hair", "model": "Paper doll", "width": 256, "height": 384}
LONG = 150  # steps; it is stopped long before its end
#: By how many pixels the panel is wider than its place. The strip scrolls by itself.
OVERFLOW = """() => {
    const panel = document.querySelector(".avatarforge-panel");
    return panel.scrollWidth - panel.clientWidth;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def sheet(api: Api) -> dict[str, Any]:
    """A sheet of the paper doll whose back has five takes. All its re-rolls are sent at once."""
    made = api.wait(api.generate("/generate_all_poses", **DOLL, seed=7)["generation_id"])
    path = f"/generations/{made['generation_id']}"
    for seed in range(1, 5):
        answer = api.post(f"{path}/reroll", params={"pose": "back", "seed": seed})
        assert answer.status_code == 200, answer.text
    ended = api.get(path, params={"wait": 60}).json()  # answers when the last one has ended
    assert [ended["output_files"][1][name] for name in ("take", "takes")] == [5, 5]
    return made


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        yield shown
        shown.emulate_media(color_scheme="light")


def open_detail(page: Page, api: Api, generation: dict[str, Any]) -> None:
    open_panel(page, api, f"?{words()[-8:]}#/detail/{generation['generation_id']}")


def strip(page: Page) -> Locator:
    return page.get_by_role("list", name="Takes: Back")


def takes(page: Page) -> Locator:
    return strip(page).get_by_role("button", name=re.compile("^Take"))


def numbers(api: Api, generation: dict[str, Any]) -> list[int]:
    """The numbers of the takes of the back, the current one first."""
    listed = api.get(f"/generations/{generation['generation_id']}/views/back/takes").json()
    return [listed["current"], *(take["take"] for take in listed["takes"] if not take["current"])]


def test_the_strip_fits_and_has_no_serious_finding(page: Page, api: Api, sheet: dict[str, Any]) -> None:
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        open_detail(page, api, sheet)
        expect(takes(page)).to_have_count(5)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == []
        assert page.evaluate(OVERFLOW) <= 0
        strip(page).scroll_into_view_if_needed()
        expect(takes(page).nth(4)).to_be_in_viewport(ratio=0.9)  # the current one, however many there are


def test_takes_are_chosen_compared_and_deleted(page: Page, api: Api, sheet: dict[str, Any]) -> None:
    open_detail(page, api, sheet)
    expect(takes(page)).to_have_count(5)
    shown = page.get_by_role("button", name="Picture: Back").locator("img")
    newest = shown.get_attribute("src")
    expect(takes(page).nth(4)).to_have_attribute("aria-pressed", "true")
    takes(page).nth(0).focus()
    page.keyboard.press("Enter")
    expect(takes(page).nth(0)).to_have_attribute("aria-pressed", "true")
    expect(takes(page).nth(0)).to_be_focused()
    expect(shown).not_to_have_attribute("src", newest or "")
    assert numbers(api, sheet)[0] == 1

    page.get_by_role("button", name="Compare the takes of Back").click()
    compare = page.get_by_role("dialog", name="Compare")
    expect(compare.get_by_role("group", name=re.compile("^A: Take 1 of Back"))).to_be_visible()
    expect(compare.get_by_role("group", name=re.compile("^B: Take 5 of Back"))).to_be_visible()
    expect(compare.get_by_role("row", name="Seed 7 4")).to_be_visible()
    compare.get_by_role("button", name=re.compile("^Take 2 of Back")).click()
    expect(compare.get_by_role("row", name="Seed 7 1")).to_be_visible()
    page.keyboard.press("Escape")
    expect(compare).to_be_hidden()

    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.get_by_role("button", name="Delete take 2 of Back").click()
        expect(takes(page)).to_have_count(4)
        # Meanwhile another one is deleted and comes back, and another client chooses a third.
        page.get_by_role("button", name="Delete take 3 of Back").click()
        expect(takes(page)).to_have_count(3)
        notice = page.locator(".avatarforge-notices li", has_text="Take 3 of Back")
        notice.get_by_role("button", name="Undo").click()
        expect(takes(page)).to_have_count(4)
        api.post(f"/generations/{sheet['generation_id']}/views/back/takes/4/choose")
        expect(takes(page).nth(2)).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_role("button", name="Delete take 4 of Back")).to_have_count(0)
    expect(takes(page)).to_have_count(4)
    assert numbers(api, sheet) == [4, 1, 3, 5]


def test_several_rerolls_wait_for_one_another_also_from_the_viewer(page: Page, api: Api) -> None:
    made = api.wait(
        api.generate("/generate_all_poses", prompt=words(), views=["front", "back"])["generation_id"]
    )
    blocker = api.generate(prompt=words(), steps=LONG)  # nothing ends before it
    open_detail(page, api, made)
    reroll = page.get_by_role("button", name="Re-roll Back")
    reroll.click()
    figure = page.locator(".avatarforge-pictures figure", has=reroll)
    expect(figure.get_by_text("being re-rolled")).to_be_visible()
    reroll.click()
    expect(figure.get_by_text("1 more waiting")).to_be_visible()
    page.get_by_role("button", name="Picture: Back").click()
    page.get_by_role("dialog", name="Viewer").get_by_role("button", name="Re-roll").click()
    expect(figure.get_by_text("2 more waiting")).to_have_count(1)
    page.keyboard.press("Escape")
    api.delete(f"/generations/{blocker['generation_id']}")
    expect(takes(page)).to_have_count(4)
    ended = api.get(f"/generations/{made['generation_id']}", params={"wait": 60}).json()
    assert (ended["status"], ended["waiting_rerolls"], ended["warnings"]) == ("completed", [], [])
    assert numbers(api, made) == [4, 1, 2, 3]
