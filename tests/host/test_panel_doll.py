"""The panel of a ComfyUI without any model: one click shows a drawn character from all sides."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from editor import open_editor
from panels import RECORD, WIDE, fresh_panel, open_panel, open_panel_browser, prompt, too_wide, violations
from playwright.sync_api import Locator, Page, Route, ViewportSize, expect

from lab import synthetic
from lab.api import Api
from lab.host import ComfyUI
from lab.server import ComfyServer

ROOT = Path(__file__).resolve().parents[2]
CHINESE = json.loads((ROOT / "locales" / "zh" / "main.json").read_text(encoding="utf-8"))["avatarforge"]
PHONE: ViewportSize = {"width": 390, "height": 844}
TRY = "Try it without a model"
DOLL = "Paper doll (drawn, no model)"
GUIDE = "Which model suits this computer?"
KNIGHT = "female knight, silver armor, red cape"
#: Without the small pictures of the other tests: a drawing has its own size and passes.
OWN_SIZE = dict.fromkeys(synthetic.SMALL_PICTURES)


@pytest.fixture(scope="module")
def server(module_factory: Callable[..., ComfyServer]) -> ComfyServer:
    return module_factory(models=(), env=OWN_SIZE)


@pytest.fixture(scope="module")
def api(server: ComfyServer) -> Api:
    return Api(server.url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        yield shown
        shown.evaluate("() => localStorage.clear()")
        shown.emulate_media(color_scheme="light")


def offer(page: Page) -> Locator:
    return page.get_by_role("button", name=TRY)


def shown_views(page: Page) -> list[str]:
    """The names of the pictures of the opened generation, once all four have loaded."""
    pictures = page.locator(".avatarforge-pictures img")
    expect(pictures).to_have_count(4)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.avatarforge-pictures img')]"
        ".every((image) => image.complete && image.naturalHeight > 0)"
    )
    return [str(picture.get_attribute("alt")) for picture in pictures.all()]


def newest(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/generations", params={"limit": 1}).json()["generations"][0]
    return found


def test_the_sidebar_offers_it_too(api: Api) -> None:
    """The first test: the browser of the editor cannot be open at the same time as that of the others."""
    with open_editor(api) as opened:
        page = opened.page
        page.get_by_role("button", name=re.compile("^AvatarForge")).click()
        panel = page.locator(".avatarforge-panel")
        expect(panel.locator(".avatarforge-drawing svg")).to_have_count(5)
        assert (violations(page), too_wide(page)) == ([], [])
        offer(page).click()
        expect(panel.get_by_role("heading", name=KNIGHT)).to_be_visible()
        assert len(shown_views(page)) == 4
        assert [text for text in opened.complaints if "avatarforge" in text.lower()] == []


def test_one_key_draws_a_knight_from_all_sides_with_progress_and_a_reload_keeps_it(
    page: Page, api: Api
) -> None:
    page.evaluate(RECORD)
    offer(page).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=KNIGHT)).to_be_visible()
    assert shown_views(page) == [f"Picture: {view}" for view in ("Front", "Back", "Side", "3/4")]
    expect(page.locator(".avatarforge-detail")).to_contain_text("Drawn by the paper doll, no model")
    seen = page.evaluate("() => window.seen")
    assert seen["bar"] == sorted(seen["bar"]) and any(0 < value < 1 for value in seen["bar"])
    assert seen["previews"]
    generation = newest(api)
    assert generation["status"] == "completed"
    used = generation["parameters"]
    assert (used["prompt"], used["model"], used["width"], used["height"]) == (KNIGHT, "Paper doll", 512, 768)
    page.get_by_text("All settings").click()
    expect(page.locator(".avatarforge-settings")).to_contain_text(f"Model{DOLL}")
    expect(page.locator(".avatarforge-settings")).not_to_contain_text("checkpoint")
    # The choice stays in the form, so that the next Generate draws too. The guide makes room for the prompt.
    expect(offer(page)).to_be_hidden()
    expect(page.locator("details.avatarforge-guide")).not_to_have_attribute("open", "")
    page.get_by_text("Advanced").click()
    expect(page.get_by_label("Model", exact=True)).to_have_value("Paper doll")
    assert (violations(page, "html"), too_wide(page)) == ([], [])
    page.reload()
    expect(page.get_by_role("heading", name=KNIGHT)).to_be_visible()
    assert len(shown_views(page)) == 4
    expect(page.locator(".avatarforge-drawing svg")).to_have_count(5)
    expect(page.get_by_label("Model", exact=True)).to_have_value("Paper doll")
    expect(offer(page)).to_be_hidden()


def test_it_can_be_read_in_both_themes_and_on_a_phone(page: Page, api: Api) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            expect(offer(page)).to_be_in_viewport()
            assert (violations(page, "html"), too_wide(page)) == ([], [])
    # On a phone the guide is closed, so that the prompt is in reach.
    open_panel(page, api, "?phone")
    expect(page.get_by_text(GUIDE)).to_be_visible()
    expect(page.get_by_role("button", name="Check again")).to_be_hidden()
    expect(prompt(page)).to_be_in_viewport()
    prompt(page).fill("old wizard, blue robe")
    offer(page).click()
    # The user's own words are drawn, and on a phone the pictures come to the front too.
    expect(page.get_by_role("heading", name="old wizard, blue robe")).to_be_in_viewport()
    assert len(shown_views(page)) == 4
    assert too_wide(page) == []


def test_the_doll_is_the_last_model_and_choosing_it_closes_the_offer(page: Page, api: Api) -> None:
    page.get_by_text("Advanced").click()
    model = page.get_by_label("Model", exact=True)
    assert model.locator("option").all_inner_texts()[-1] == DOLL
    assert page.get_by_label("Model family", exact=True).locator("option").all_inner_texts()[-1] == DOLL
    model.select_option("Paper doll")
    expect(offer(page)).to_be_hidden()
    page.get_by_role("button", name="Reset these settings").click()
    expect(offer(page)).to_be_visible()
    open_panel(page, api, "?reset")
    expect(offer(page)).to_be_visible()
    page.get_by_text("Advanced").click()
    page.get_by_label("Model family", exact=True).select_option("doll")
    expect(offer(page)).to_be_hidden()


def test_the_guide_names_files_sizes_folders_and_pages(page: Page, api: Api) -> None:
    guide = api.get("/model_guide").json()
    shown = page.get_by_role("list", name=GUIDE)
    expect(shown.locator("> li")).to_have_count(len(guide["choices"]))
    expect(page.get_by_text("ComfyUI reports no GPU")).to_be_visible()
    first = guide["choices"][0]
    line = shown.locator("> li").first
    line.locator("summary").click()
    for file in first["files"]:
        expect(line.get_by_text(f"models/{file['folder']}/{file['name']}")).to_be_visible()
        expect(line.get_by_role("link", name=file["page"].removeprefix("https://"))).to_have_attribute(
            "href", file["page"]
        )
    expect(line).to_contain_text("for 4 GB of GPU memory")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            assert (violations(page, "html"), too_wide(page)) == ([], [])
    page.get_by_role("button", name="Check again").click()
    expect(page.locator(".avatarforge-guide").get_by_role("status")).to_contain_text("still no model")


def test_the_guide_recommends_the_largest_that_fits(page: Page, api: Api) -> None:
    def with_gpu(route: Route) -> None:
        answer = route.fetch()
        guide = answer.json()
        for choice in guide["choices"]:
            choice["fits"] = choice["memory"] <= 12
        route.fulfill(response=answer, json={**guide, "gpu": {"name": "Card", "memory": 12}})

    page.route("**/model_guide", with_gpu)
    open_panel(page, api, "?gpu")
    expect(page.get_by_text("Your GPU: Card, 12 GB of memory.")).to_be_visible()
    choices = page.get_by_role("list", name=GUIDE).locator("> li")
    expect(choices.filter(has_text="Recommended")).to_have_count(1)
    expect(choices.filter(has_text="Recommended")).to_contain_text("for 12 GB")
    expect(choices.filter(has_text="Needs more memory")).to_have_count(2)


def test_a_refusal_is_shown_and_the_focus_is_in_the_form(page: Page, browser: Browser) -> None:
    sent = "**/generate_all_poses"
    detail = "2 generations are queued."
    full = {"detail": detail, "code": "queue_full", "parameters": {"limit": 2}}
    page.route(sent, lambda route: route.fulfill(status=503, json=full))
    offer(page).click()
    expect(page.get_by_role("alert").filter(has_text=detail)).to_be_visible()
    expect(prompt(page)).to_be_focused()
    (complaint,) = browser.complaints  # the browser's own, of the answer above
    assert "503" in complaint
    browser.complaints.clear()


def test_nothing_is_offered_where_everything_is_drawn_anyway(page: Page, api: Api) -> None:
    def with_default(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "default_family": "doll"})

    page.route("**/capabilities", with_default)
    open_panel(page, api, "?default")
    expect(offer(page)).to_be_hidden()


def test_the_offer_speaks_chinese(browser: Browser, api: Api) -> None:
    engine = browser.page.context.browser
    assert engine is not None
    chinese = engine.new_context(locale="zh-CN", viewport=PHONE)
    try:
        shown = chinese.new_page()
        open_panel(shown, api)
        expect(shown.get_by_role("heading", name=CHINESE["first_start"])).to_be_visible()
        assert (violations(shown, "html"), too_wide(shown)) == ([], [])
        shown.get_by_role("button", name=CHINESE["try_without_model"]).click()
        expect(shown.get_by_text(CHINESE["drawn_by_doll"])).to_be_visible()
        assert len(shown_views(shown)) == 4
        assert too_wide(shown) == []
    finally:
        chinese.close()


def test_with_a_model_there_is_no_offer(
    browser: Browser, api: Api, server: ComfyServer, comfyui: ComfyUI
) -> None:
    """The last test of this server, which has a model from here on."""
    with fresh_panel(browser, api) as page:
        page.get_by_label("Model", exact=True).select_option("Paper doll")
        server.add_model(synthetic.model_name("sd15"), synthetic.make(comfyui, "sd15"))
        # People come back to the window when a file is there.
        page.evaluate("() => dispatchEvent(new Event('focus'))")
        found = f"Found: {synthetic.file_name('sd15')}"
        expect(page.get_by_role("list", name="Messages")).to_contain_text(found)
        expect(page.locator(".avatarforge-guide")).to_be_hidden()
        # The doll was chosen for want of a model.
        expect(page.get_by_label("Model", exact=True)).to_have_value("")
    with fresh_panel(browser, api) as page:
        expect(offer(page)).to_be_hidden()
        page.get_by_text("Advanced").click()
        names = page.get_by_label("Model", exact=True).locator("option").all_inner_texts()
        assert names[-1] == DOLL and len(names) == 3
