"""Finished pictures in a real browser: sheets, the viewer, and comparing two pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from browser import Browser
from panels import (
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
from playwright.sync_api import Locator, Page, ViewportSize, expect

from lab.api import Api

PHONE: ViewportSize = {"width": 390, "height": 844}
SHEET = "/generate_all_poses"
#: The pictures in an element: where each lies, and how many pixels of the screen one of its pixels takes.
MEASURE = """(selector) => [...document.querySelectorAll(selector)].map((image) => {
    const { left, top, right, bottom, width } = image.getBoundingClientRect();
    return { left, top, right, bottom, scale: width / image.naturalWidth };
})"""
LOADED = """(selector) => {
    const images = [...document.querySelectorAll(selector)];
    return images.length && images.every((image) => image.complete && image.naturalWidth);
}"""
#: Two pictures of 832x1216 as the panel lays them out, and how large the first one is shown.
LAY_OUT = """async (count) => {
    const { makeSheet } = await import("./panel/panel/sheet.mjs");
    const cells = Array.from({ length: count }, () => {
        const element = document.createElement("figure");
        const shown = document.createElement("button");
        shown.className = "avatarforge-shown";
        element.append(shown);
        return { width: 832, height: 1216, element };
    });
    const sheet = makeSheet(cells);
    document.querySelector(".avatarforge-results").prepend(sheet);
    const { width, height } = cells[0].element.firstChild.getBoundingClientRect();
    sheet.remove();
    return [width, height];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        yield shown


@pytest.fixture(scope="module")
def sheet(api: Api) -> dict[str, Any]:
    """A finished sheet that the tests of this module share."""
    generation = api.wait(api.generate(SHEET, prompt=words(), seed=7)["generation_id"])
    assert generation["status"] == "completed", generation["error"]
    return generation


def title(generation: dict[str, Any]) -> str:
    return str(generation["parameters"]["prompt"])


def viewer(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Viewer")


def open_sheet(page: Page, api: Api, generation: dict[str, Any], view: str = "Front") -> Locator:
    """Open the viewer with a view of this sheet."""
    open_panel(page, api, f"?{words()[-8:]}#/detail/{generation['generation_id']}")
    page.get_by_role("button", name=f"Picture: {view}").click()
    expect(viewer(page)).to_be_visible()
    return viewer(page)


def shown_as(page: Page, text: str) -> None:
    expect(viewer(page).locator(".avatarforge-details")).to_contain_text(text)


def transform(page: Page) -> str:
    return str(viewer(page).locator(".avatarforge-stage img").evaluate("(image) => image.style.transform"))


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_sheet_has_one_scale_and_each_row_one_baseline(
    page: Page, api: Api, sheet: dict[str, Any], size: ViewportSize
) -> None:
    page.set_viewport_size(size)
    open_panel(page, api, f"?{words()[-8:]}#/detail/{sheet['generation_id']}")
    selector = ".avatarforge-pictures img"
    page.wait_for_function(LOADED, arg=selector)
    found = page.evaluate(MEASURE, selector)
    assert len(found) == 4
    assert max(item["scale"] for item in found) - min(item["scale"] for item in found) < 0.02
    baselines = sorted(round(item["bottom"]) for item in found)
    rows = 1 + sum(after - before > 1 for before, after in pairwise(baselines))
    assert rows == (1 if size is WIDE else 2)
    assert too_wide(page) == []


def test_the_gallery_shows_a_sheet_as_a_sheet_and_cuts_nothing_off(
    page: Page, api: Api, sheet: dict[str, Any]
) -> None:
    shown = tile(page, title(sheet))
    expect(shown.locator("img")).to_have_count(4)
    shown.scroll_into_view_if_needed()
    shown.evaluate("(tile) => (tile.id = 'measured')")
    page.wait_for_function(LOADED, arg="#measured img")
    found = page.evaluate(MEASURE, "#measured img")
    box = page.locator("#measured .avatarforge-tile-picture").bounding_box()
    assert box is not None
    assert max(item["scale"] for item in found) - min(item["scale"] for item in found) < 0.02
    assert len({round(item["bottom"]) for item in found}) == 2  # two rows
    for item in found:
        assert item["left"] >= box["x"] - 1 and item["right"] <= box["x"] + box["width"] + 1
        assert item["top"] >= box["y"] - 1 and item["bottom"] <= box["y"] + box["height"] + 1


def test_results_use_the_space(page: Page) -> None:
    width, height = page.evaluate(LAY_OUT, 1)
    assert 600 < height < WIDE["height"] and width / height == pytest.approx(832 / 1216, rel=0.01)
    assert page.evaluate(LAY_OUT, 4)[0] > 200
    page.set_viewport_size(PHONE)
    page.get_by_role("button", name="Gallery", exact=True).click()
    assert page.evaluate(LAY_OUT, 1)[0] > 330


def test_the_arrows_lead_through_views_and_generations_and_escape_closes(
    page: Page, api: Api, sheet: dict[str, Any]
) -> None:
    newer = api.wait(api.generate(SHEET, prompt=words())["generation_id"])
    older = sheet
    opened = open_sheet(page, api, newer, "Back")
    shown_as(page, "Back, 2 of 4")
    image = opened.locator(".avatarforge-stage img")
    expect(image).to_have_attribute("alt", "Picture: Back")
    assert image.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 64
    page.keyboard.press("ArrowRight")
    shown_as(page, "Side, 3 of 4")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    # Past its last view comes the first one of the next older generation.
    expect(opened.get_by_role("heading")).not_to_have_text(title(newer))
    page.keyboard.press("ArrowLeft")
    shown_as(page, "3/4, 4 of 4")
    expect(opened.get_by_role("heading")).to_have_text(title(newer))
    page.keyboard.press("PageDown")
    expect(opened.get_by_role("heading")).not_to_have_text(title(newer))
    page.keyboard.press("PageUp")
    shown_as(page, "Front, 1 of 4")
    strip = opened.get_by_role("list", name="Pictures")
    expect(strip.locator("[aria-current]")).to_have_accessible_name(re.compile("^Front, "))
    strip.get_by_role("button", name=f"Back, {title(newer)}").click()
    shown_as(page, "Back, 2 of 4")
    page.keyboard.press("Escape")
    expect(viewer(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Picture: Back")).to_be_focused()
    # The details follow to another generation.
    open_sheet(page, api, older, "Front")
    page.keyboard.press("PageUp")
    expect(viewer(page).get_by_role("heading")).not_to_have_text(title(older))
    name = viewer(page).get_by_role("heading").inner_text()
    viewer(page).get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def test_a_picture_is_zoomed_and_moved_and_never_leaves_the_stage(
    page: Page, api: Api, sheet: dict[str, Any]
) -> None:
    opened = open_sheet(page, api, sheet)
    percent = opened.locator(".avatarforge-percent")
    fitted = transform(page)
    opened.get_by_role("button", name="Actual size").click()
    expect(percent).to_have_text("100 %")
    opened.get_by_role("button", name="Zoom in").click()
    expect(percent).to_have_text("125 %")
    page.keyboard.press("-")
    expect(percent).to_have_text("100 %")
    page.keyboard.press("0")
    assert transform(page) == fitted
    stage = opened.get_by_role("group", name="Picture: Front")
    box = stage.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.wheel(0, -500)
    expect(stage).to_have_class(re.compile("avatarforge-movable"))
    before = transform(page)
    page.mouse.down()
    page.mouse.move(middle[0] + 5000, middle[1] + 5000)
    page.mouse.up()
    assert transform(page) != before
    moved = opened.locator(".avatarforge-stage img").bounding_box()
    assert moved is not None
    assert moved["x"] < box["x"] + box["width"] and moved["y"] <= box["y"] + 1
    page.keyboard.press("0")
    page.mouse.dblclick(*middle)
    expect(percent).to_have_text("100 %")
    page.mouse.dblclick(*middle)
    assert transform(page) == fitted
    # Enlarged so much, the pixels are squares.
    expect(opened.locator(".avatarforge-stage img")).to_have_class(re.compile("avatarforge-coarse"))


def test_full_screen_is_entered_and_left(page: Page, api: Api, sheet: dict[str, Any]) -> None:
    opened = open_sheet(page, api, sheet)
    opened.get_by_role("button", name="Full screen").click()
    page.wait_for_function("() => document.fullscreenElement?.className === 'avatarforge-viewer-frame'")
    page.keyboard.press("f")
    page.wait_for_function("() => !document.fullscreenElement")
    expect(opened).to_be_visible()


def test_a_finger_swipes_and_two_fingers_zoom(browser: Browser, api: Api, sheet: dict[str, Any]) -> None:
    engine = browser.page.context.browser
    assert engine is not None
    phone = engine.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    try:
        shown = phone.new_page()
        opened = open_sheet(shown, api, sheet)
        session = phone.new_cdp_session(shown)

        def touch(kind: str, *points: tuple[float, float]) -> None:
            fingers = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(points)]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

        touch("touchStart", (300, 400))
        touch("touchMove", (200, 405))
        touch("touchMove", (100, 410))
        touch("touchEnd")
        shown_as(shown, "Back, 2 of 4")
        before = opened.locator(".avatarforge-percent").inner_text()
        touch("touchStart", (180, 400), (220, 400))
        touch("touchMove", (100, 400), (300, 400))
        touch("touchEnd")
        expect(opened.locator(".avatarforge-percent")).not_to_have_text(before)
        shown_as(shown, "Back, 2 of 4")
        assert violations(shown, ".avatarforge-viewer") == []
    finally:
        phone.close()


def test_a_deleted_picture_gives_way_to_the_next_and_a_rerolled_one_is_exchanged(
    page: Page, api: Api, sheet: dict[str, Any]
) -> None:
    gone = api.wait(api.generate(prompt=words())["generation_id"])
    opened = open_sheet(page, api, gone)
    source = opened.locator(".avatarforge-stage img")
    expect(source).to_have_attribute("src", re.compile(gone["generation_id"]))
    # The generation beside it is in the filmstrip, so that there is something to go to.
    expect(opened.get_by_role("list", name="Pictures").locator("button").nth(1)).to_be_visible()
    api.delete(f"/generations/{gone['generation_id']}")
    expect(opened.get_by_role("heading")).not_to_have_text(title(gone))
    page.keyboard.press("Escape")
    opened = open_sheet(page, api, sheet, "Side")
    before = source.get_attribute("src")
    opened.get_by_role("button", name="Re-roll").click()
    expect(opened.get_by_role("group", name="Picture: Side")).to_be_focused()
    expect(source).not_to_have_attribute("src", before or "", timeout=120_000)
    shown_as(page, "Side, 3 of 4")
    # What it was before is kept, and can be compared with it.
    opened.get_by_role("button", name="Compare").click()
    compare = page.get_by_role("dialog", name="Compare")
    expect(compare.locator(".avatarforge-caption").last).to_contain_text("B: Take 1 of Side")
    expect(compare.locator(".avatarforge-stage img").last).to_have_attribute("src", before or "")
    expect(compare.get_by_role("rowheader", name="Seed")).to_be_visible()


def test_two_pictures_are_compared_in_three_ways_and_by_their_settings(page: Page, api: Api) -> None:
    first = made(page, api, words(), seed=1, steps=1)
    second = api.wait(api.generate(prompt=title(first), seed=2, steps=2)["generation_id"])
    opened = open_sheet(page, api, second)
    expect(opened.get_by_role("list", name="Pictures").locator("button").nth(1)).to_be_visible()
    opened.get_by_role("button", name="Compare").click()
    compare = page.get_by_role("dialog", name="Compare")
    expect(compare).to_be_visible()
    strip = compare.get_by_role("list", name="Pictures")
    strip.get_by_role("button", name=title(first)).last.click()
    rows = compare.get_by_role("row")
    expect(rows.filter(has_text="Seed")).to_have_text("Seed21")
    expect(rows.filter(has_text="Steps")).to_have_text("Steps21")
    expect(rows.filter(has_text="Prompt")).to_have_count(0)  # they have the same
    stages = compare.locator(".avatarforge-stage")
    boxes = [stage.bounding_box() for stage in stages.all()]
    assert boxes[0] and boxes[1] and boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    assert violations(page, ".avatarforge-viewer") == []

    # Both move in step.
    stages.first.focus()
    page.keyboard.press("1")
    scales = compare.locator(".avatarforge-stage img").evaluate_all(
        "(images) => images.map((image) => image.style.transform)"
    )
    assert scales[0] == scales[1]

    compare.get_by_label("Slider").check()
    divider = compare.get_by_role("slider", name="Place of the divider")
    divider.evaluate("(input) => { input.value = 25; input.dispatchEvent(new Event('input')); }")
    assert stages.nth(1).evaluate("(stage) => stage.style.clipPath") == "inset(0px 0px 0px 25%)"
    stages.nth(1).focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(divider).to_have_value("30")

    page.emulate_media(reduced_motion="reduce")
    compare.get_by_label("Blink").check()
    hidden = compare.locator(".avatarforge-stage.avatarforge-behind")
    expect(hidden).to_have_attribute("aria-label", re.compile("^A: "))
    stages.nth(1).focus()
    page.keyboard.press("Space")
    expect(hidden).to_have_attribute("aria-label", re.compile("^B: "))
    compare.get_by_role("button", name="Blink").click()
    expect(compare.get_by_role("button", name="Pause")).to_be_visible()
    expect(hidden).to_have_attribute("aria-label", re.compile("^A: "))
    compare.get_by_role("button", name="Swap").click()
    expect(rows.filter(has_text="Seed")).to_have_text("Seed12")
    page.keyboard.press("Escape")
    expect(compare).to_have_count(0)
    expect(opened).to_be_visible()
    page.emulate_media(reduced_motion="no-preference")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_violation_and_nothing_cut_off_in_the_viewer(
    page: Page, api: Api, sheet: dict[str, Any], scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    try:
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            opened = open_sheet(page, api, sheet)
            assert violations(page, ".avatarforge-viewer") == []
            opened.get_by_role("button", name="Continue").click()
            assert violations(page, ".avatarforge-viewer") == []
            page.keyboard.press("Escape")  # closes the menu only
            expect(opened.get_by_role("button", name="Continue")).to_be_focused()
            for button in opened.get_by_role("button").all():
                box = button.bounding_box()
                inside = box is None or box["x"] + box["width"] <= size["width"]
                assert inside or button.locator("xpath=ancestor::ul").count()  # the strip scrolls
            page.keyboard.press("Escape")
            expect(opened).to_have_count(0)
    finally:
        page.emulate_media(color_scheme="light")


def test_what_was_done_from_the_viewer_is_told_in_it(page: Page, api: Api, sheet: dict[str, Any]) -> None:
    opened = open_sheet(page, api, sheet)
    opened.get_by_role("button", name="Continue").click()
    with page.expect_response("**/generate_all_poses") as answer:
        page.get_by_role("menuitem", name="Variation").click()
    expect(opened.get_by_text("Added to the queue.")).to_be_visible()
    assert api.wait(answer.value.json()["generation_id"])["status"] == "completed"


def test_pictures_of_any_sizes_stand_in_a_box_at_one_scale(page: Page) -> None:
    found = page.evaluate(
        """async () => {
            const { placeInBox } = await import("./panel/panel/pictures.mjs");
            const sizes = (...pairs) => pairs.map(([width, height]) => ({ width, height }));
            return [
                placeInBox([], 2 / 3),
                placeInBox(sizes([64, 64]), 1 / 2),
                placeInBox(sizes([100, 100], [50, 100], [100, 50]), 1),
            ];
        }"""
    )
    assert found[0] == []
    assert found[1] == [{"left": 0, "bottom": 25, "width": 100, "height": 50}]
    assert found[2] == [
        {"left": 0, "bottom": 50, "width": 50, "height": 50},
        {"left": 62.5, "bottom": 50, "width": 25, "height": 50},
        {"left": 25, "bottom": 0, "width": 50, "height": 25},  # alone in its row: in the middle
    ]


def test_the_generation_beside_another_is_the_next_with_pictures(page: Page) -> None:
    found = page.evaluate(
        """async () => {
            const { GalleryPages } = await import("./panel/panel/gallery_pages.mjs");
            const { Gallery } = await import("./panel/panel/gallery.mjs");
            const all = Array.from({ length: 160 }, (_, index) => ({
                generation_id: `${index}`,
                output_files: index % 2 && (index < 60 || index > 140) ? [{}] : [],
            }));
            const asked = [];
            const pages = new GalleryPages({
                listGenerations: async ({ limit, cursor, offset = 0 }) => {
                    asked.push(offset);
                    const start = (cursor ? limit : 0) + offset;
                    const generations = all.slice(start, start + limit);
                    return { generations, total: all.length, next_cursor: "c" };
                },
            });
            await pages.start({});
            const gallery = { pages, session: { pendingDeletes: new Map([["51", {}]]) } };
            const neighbour = Gallery.prototype.neighbour.bind(gallery);
            const ids = [];
            for (const id of ["1", "49", "59", "149", "159", "unknown"])
                ids.push((await neighbour(id, 1))?.generation_id ?? null);
            for (const id of ["3", "1"]) ids.push((await neighbour(id, -1))?.generation_id ?? null);
            return { ids, asked };
        }"""
    )
    assert found["ids"] == ["3", "53", "141", "151", None, None, "1", None]
    assert found["asked"] == [0, 0, 50, 100]
