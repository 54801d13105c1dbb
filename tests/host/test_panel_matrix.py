"""A matrix in the panel, in a real browser: its form, and the grid that fills while it runs."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from browser import Browser
from panels import WIDE, fresh_panel, open_panel_browser, too_wide, violations
from playwright.sync_api import Locator, Page, Route, ViewportSize, expect

from lab.api import PREFIX, Api

TIMES = "\u00d7"
PHONE: ViewportSize = {"width": 390, "height": 844}
SHOWN: tuple[tuple[ViewportSize, Literal["light", "dark"]], ...] = ((WIDE, "light"), (PHONE, "dark"))
#: Longer than any other test runs, so that what waits behind it is cancelled while it waits.
LONG: dict[str, Any] = {"steps": 150, "width": 256, "height": 256}
#: Remembers how many pictures the grid had, whenever that changed.
COUNT_FILLED = """() => {
    window.filled = [];
    const count = () => {
        const number = document.querySelectorAll('.avatarforge-cell[data-status="completed"]').length;
        if (number !== window.filled.at(-1)) window.filled.push(number);
    };
    new MutationObserver(count).observe(document.querySelector(".avatarforge-results"), {
        subtree: true, childList: true, attributes: true, attributeFilter: ["data-status"],
    });
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        yield shown
        shown.emulate_media(color_scheme="light")


@pytest.fixture(scope="module")
def mira(api: Api) -> dict[str, Any]:
    response = api.post(
        "/characters",
        json={
            "name": f"Mira {secrets.token_hex(4)}",
            "description": "a young woman, red hair",
            "seed": 77,
            "outfits": [{"name": "Armour", "words": "steel armour"}, {"name": "Coat", "words": "a red coat"}],
        },
    )
    assert response.status_code == 200, response.text
    character: dict[str, Any] = response.json()
    return character


def open_form(page: Page, api: Api, character: dict[str, Any]) -> Locator:
    page.goto(f"{api.base_url}/?{secrets.token_hex(4)}#/characters/{character['character_id']}/matrix")
    form = page.get_by_role("form", name="Matrix")
    expect(form.get_by_label("Armour", exact=True)).to_be_attached()
    return form


def open_batch(page: Page, api: Api, character: dict[str, Any], batch: dict[str, Any]) -> None:
    path = f"{character['character_id']}/{batch['batch_id']}"
    page.goto(f"{api.base_url}/?{secrets.token_hex(4)}#/characters/{path}")
    expect(cells(page)).to_have_count(batch["total"])


def started(api: Api, character: dict[str, Any], **body: Any) -> dict[str, Any]:
    response = api.post(f"/characters/{character['character_id']}/matrix", json=body)
    assert response.status_code == 200, response.text
    batch: dict[str, Any] = response.json()
    return batch


def cells(page: Page) -> Locator:
    return page.locator(".avatarforge-cell")


def progress(page: Page) -> Locator:
    return page.locator(".avatarforge-matrix-view > .avatarforge-progress-text")


def cell(page: Page, label: str) -> Locator:
    """The cell whose picture shows this, such as "Armour, Left"."""
    return cells(page).filter(has=page.get_by_role("button", name=re.compile(f"^{label}, ")))


def test_a_matrix_fills_while_it_runs_and_each_cell_opens_rerolls_and_exports(
    page: Page, api: Api, mira: dict[str, Any]
) -> None:
    form = open_form(page, api, mira)
    page.evaluate(COUNT_FILLED)
    for name in ("Armour", "Coat", "Happy", "Front", "Left"):
        form.get_by_label(name, exact=True).check()
    expect(form.get_by_role("status")).to_have_text(f"Pictures: 2 {TIMES} 2 = 4")
    with page.expect_request(f"**{PREFIX}/characters/*/matrix") as sent:
        form.get_by_role("button", name="Generate matrix").click()
    assert sent.value.post_data_json == {
        "outfits": ["Armour", "Coat"],
        "expressions": ["happy"],
        "views": ["front", "left"],
        "version": 1,
        "name": f"{mira['name']}: matrix",
    }
    grid = page.get_by_role("table")
    expect(grid.get_by_role("columnheader")).to_have_text(["Front", "Left"])
    expect(grid.get_by_role("rowheader")).to_have_text(["Armour", "Coat"])
    expect(progress(page)).to_have_text("4 of 4 finished")
    filled = page.evaluate("() => window.filled")
    # One after another, and not all at the end.
    assert filled == sorted(filled) and len(filled) > 2
    page.wait_for_function(
        "() => [...document.querySelectorAll('.avatarforge-cell img')].every((image) => image.naturalWidth)"
    )

    coat = cell(page, "Coat, Left")
    before = coat.locator("img").get_attribute("src")
    with page.expect_download() as download:
        coat.get_by_role("link", name="Download Coat, Left").click()
    (batch,) = api.get("/batch", params={"q": mira["name"]}).json()["batches"]
    items = api.get(f"/batch/{batch['batch_id']}").json()["generations"]
    (item,) = [item for item in items if (item["outfit"], item["view"]) == ("Coat", "left")]
    generation = api.get(f"/generations/{item['generation_id']}").json()
    expected = api.root(generation["output_files"][0]["url"]).content
    assert download.value.path().read_bytes() == expected

    coat.get_by_role("button", name="Re-roll Coat, Left").click()
    # The first: a preview can stand beside it.
    expect(coat.locator("img").first).not_to_have_attribute("src", before or "")
    expect(progress(page)).to_have_text("4 of 4 finished")
    rerolled = api.get(f"/generations/{item['generation_id']}").json()
    assert rerolled["output_files"][0]["seed"] != 77
    others = [other["generation_id"] for other in items if other is not item]
    assert {api.get(f"/generations/{id_}").json()["output_files"][0]["seed"] for id_ in others} == {77}

    coat.get_by_role("button", name=re.compile("^Coat, Left, Finished")).click()
    detail = page.get_by_role("region", name="Generation")
    detail.get_by_role("button", name="Export…").press("Enter")
    dialog = page.get_by_role("dialog", name="Export pictures")
    expect(dialog.get_by_label("For")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(detail.get_by_role("button", name="Export…")).to_be_focused()
    page.get_by_role("button", name="Back to the matrix").click()
    expect(cells(page)).to_have_count(4)

    page.get_by_role("button", name="Export…").click()
    dialog.get_by_label("For").select_option("PixiJS, Phaser: a texture atlas")
    dialog.get_by_label("Height of a frame").press("e")
    dialog.get_by_role("button", name="Export", exact=True).click()
    expect(dialog.get_by_text("This is not a number.")).to_be_visible()
    dialog.get_by_label("Height of a frame").fill("32")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Export", exact=True).click()
    path = f"/batch/{batch['batch_id']}/export"
    assert (
        download.value.path().read_bytes() == api.get(path, params={"format": "atlas", "height": 32}).content
    )
    assert download.value.suggested_filename.endswith("-atlas.zip")
    expect(dialog).to_be_hidden()

    page.goto(f"{api.base_url}/#/characters/{mira['character_id']}")
    page.get_by_role("button", name="Export pictures…").click()
    expect(dialog.get_by_label("Trigger word")).to_be_hidden()
    dialog.get_by_label("For").select_option("LoRA training (kohya)")
    dialog.get_by_label("Trigger word").fill("m1ra")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Export", exact=True).click()
    query = {"format": "lora", "trigger": "m1ra"}
    path = f"/characters/{mira['character_id']}/export"
    assert download.value.path().read_bytes() == api.get(path, params=query).content


def test_the_rest_is_cancelled_and_tried_again_and_a_deleted_picture_leaves_its_place_empty(
    page: Page, api: Api, mira: dict[str, Any]
) -> None:
    other = api.started(api.generate(**LONG)["generation_id"])
    batch = started(api, mira, views=["front", "left", "back"])
    open_batch(page, api, mira, batch)
    page.get_by_role("button", name="Cancel the rest").click()
    expect(progress(page)).to_have_text("0 of 3 finished · 3 failed")
    expect(page.get_by_role("button", name="Cancel the rest")).to_be_hidden()
    api.post(f"/generations/{other['generation_id']}/cancel")
    cell(page, "Left").get_by_role("button", name="Try again: Left").click()
    expect(progress(page)).to_have_text("1 of 3 finished · 2 failed")
    page.get_by_role("button", name="Try the failed ones again").click()
    expect(progress(page)).to_have_text("3 of 3 finished")
    (back,) = [item for item in batch["generations"] if item["view"] == "back"]
    assert api.delete(f"/generations/{back['generation_id']}").status_code == 200
    expect(cells(page)).to_have_count(2)
    expect(progress(page)).to_have_text("2 of 2 finished")
    page.reload()
    expect(cells(page)).to_have_count(2)


def test_an_answer_that_comes_late_takes_back_nothing_that_has_ended(
    page: Page, api: Api, mira: dict[str, Any]
) -> None:
    blocker = api.generate(prompt="a knight", **LONG)
    batch = started(api, mira, expressions=["happy"], views=["front"])

    def late(route: Route) -> None:
        answer = route.fetch()
        assert answer.json()["generations"][0]["status"] == "queued"
        api.delete(f"/generations/{blocker['generation_id']}")
        assert api.get(f"/batch/{batch['batch_id']}", params={"wait": 60}).json()["status"] == "completed"
        route.fulfill(response=answer)

    page.route(re.compile(r"/generations\?.*batch_id="), late, times=1)
    open_batch(page, api, mira, batch)
    expect(progress(page)).to_have_text("1 of 1 finished")
    open_batch(page, api, mira, batch)
    expect(progress(page)).to_have_text("1 of 1 finished")


def test_too_many_are_not_sent_and_a_refusal_is_shown(
    page: Page, api: Api, browser: Browser, mira: dict[str, Any]
) -> None:
    form = open_form(page, api, mira)
    form.get_by_text("More", exact=True).click()
    boxes = [*form.get_by_role("group", name="Poses").get_by_role("checkbox").all()]
    for box in boxes[:8]:
        box.check()
    for box in form.get_by_role("group", name="Views").get_by_role("checkbox").all():
        box.check()
    form.get_by_label("Pictures of each").fill("16")
    expect(form.get_by_role("status")).to_have_text(
        f"Pictures: 8 {TIMES} 8 {TIMES} 16 = 1024. At most 1000 are possible."
    )
    expect(form.get_by_role("button", name="Generate matrix")).to_be_disabled()
    form.get_by_label("Pictures of each").fill("17")
    for box in boxes[:8]:
        box.uncheck()
    form.get_by_role("button", name="Generate matrix").click()
    expect(form.get_by_role("alert")).not_to_be_empty()
    (complaint,) = browser.complaints  # the browser's own, of the refusal
    assert "422" in complaint
    browser.complaints.clear()


def test_a_matrix_is_found_again_is_one_stop_for_tab_and_fits_in_both_themes_and_sizes(
    page: Page, api: Api, mira: dict[str, Any]
) -> None:
    name = f"Everything {secrets.token_hex(4)}"
    started(api, mira, outfits=["Armour", None], views=["front", "left"], name=name)
    page.goto(f"{api.base_url}/?{secrets.token_hex(4)}#/characters/{mira['character_id']}")
    page.locator("summary", has_text="Matrices").click()
    matrices = page.get_by_role("list", name="Matrices")
    matrices.locator("li", has_text=name).get_by_role("button").click()
    expect(page.get_by_role("heading", name=name)).to_be_focused()
    expect(progress(page)).to_have_text("4 of 4 finished")

    def picture(label: str) -> Locator:
        return cell(page, label).get_by_role("button", name=re.compile("Finished"))

    picture("Armour, Front").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(picture("Usual clothing, Left")).to_be_focused()
    page.keyboard.press("ArrowDown")  # there is nothing below
    expect(picture("Usual clothing, Left")).to_be_focused()
    page.keyboard.press("Tab")
    last = cell(page, "Usual clothing, Left")
    expect(last.get_by_role("button", name="Re-roll")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Home")
    expect(picture("Usual clothing, Front")).to_be_focused()
    assert page.locator('.avatarforge-matrix [tabindex="0"]').count() == 3

    for size, scheme in SHOWN:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        assert violations(page, ".avatarforge-characters") == []
        # The table scrolls within its own frame.
        inside = page.locator(".avatarforge-matrix-scroll")
        assert inside.evaluate("(frame) => frame.getBoundingClientRect().right <= innerWidth")
    form = open_form(page, api, mira)
    expect(form).to_be_visible()
    assert (violations(page, ".avatarforge-characters"), too_wide(page)) == ([], [])
