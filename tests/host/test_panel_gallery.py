"""The panel's gallery in a real browser: what runs, what has ended, and what is removed."""

from __future__ import annotations

import json
import re
import secrets
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import Browser
from kept import keep_generations
from panels import (
    POSE,
    RECORD,
    first_tile,
    fresh_panel,
    made,
    open_panel,
    open_panel_browser,
    prompt,
    running,
    tile,
    violations,
    words,
)
from pictures import picture
from playwright.sync_api import Page, expect

from lab.api import PREFIX, Api
from lab.server import ComfyServer

ROOT = Path(__file__).resolve().parents[2]
LONG = 150  # steps; long enough to be stopped in the middle
SLOW = 200_000  # ms that four views may take on a busy machine
KEPT = 200
KEY = "a-key-of-this-test-alone"
DASH = "\u2013"
#: Titles of all tiles that are elements now, in the order of the list.
TITLES = ".avatarforge-gallery .avatarforge-title"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        yield shown


def test_a_sheet_shows_how_far_it_is_and_opens_and_one_view_is_made_anew(page: Page, api: Api) -> None:
    text = words()
    page.evaluate(RECORD)
    prompt(page).fill(text)
    page.get_by_text("Advanced").click()
    page.get_by_label("Steps").fill("4")
    page.get_by_role("button", name="Generate sheet").click()
    expect(running(page, text)).to_be_visible()
    expect(page.locator(".avatarforge-notices")).to_contain_text(f"Finished: {text}", timeout=SLOW)
    seen = page.evaluate("() => window.seen")
    assert seen["bar"] == sorted(seen["bar"])
    assert len([value for value in seen["bar"] if 0 < value < 1]) >= 2
    assert {"Preview: Front", "Preview: Back", "Preview: Side", "Preview: 3/4"} <= set(seen["previews"])

    page.locator(".avatarforge-notices").get_by_role("button", name="Open").click()
    figures = page.locator(".avatarforge-pictures figure")
    expect(figures).to_have_count(4)
    expect(page.get_by_role("heading", name=text)).to_be_focused()
    before = figures.nth(1).locator("img").get_attribute("src")
    takes = page.get_by_role("list", name="Takes: Back").get_by_role("button", name=re.compile("^Take"))
    page.get_by_role("button", name="Re-roll Back").click()
    expect(takes).to_have_count(2, timeout=SLOW)
    after = figures.nth(1).locator("img").first
    expect(after).not_to_have_attribute("src", before or "")
    assert after.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 64
    (id_,) = re.findall("[0-9a-f-]{36}", page.url)
    seeds = [output["seed"] for output in api.get(f"/generations/{id_}").json()["output_files"]]
    assert len(set(seeds)) == 2


def test_the_detail_has_receipt_warnings_settings_curl_and_a_download(page: Page, api: Api) -> None:
    text = words() + " 'quoted' \"twice\""
    seed = 2**64 - 1
    pose = api.upload((ROOT / "docs" / "images" / "pose.png").read_bytes())["file_id"]
    generation = made(page, api, text, seed=seed, pose_file_id=pose, realism=True)
    tile(page, text).click()
    detail = page.get_by_role("region", name="Generation")
    detail.get_by_text("All settings").click()
    for value in (text, str(seed), "Realistic", generation["parameters"]["checkpoint"]):
        expect(detail.get_by_role("definition").filter(has_text=value).first).to_be_visible()
    detail.get_by_text("How the inputs were used").click()
    expect(detail.get_by_text("AvatarForgeApplyPose")).to_be_visible()
    for warning in generation["warnings"]:
        expect(detail.get_by_text(warning)).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    detail.get_by_role("button", name="Copy as curl").click()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    (address, body) = re.fullmatch(r"curl '(.+?)' .*-d '(.+)'", copied, re.DOTALL).groups()  # type: ignore[union-attr]
    sent = json.loads(body.replace("'\\''", "'"))
    used = {name: value for name, value in generation["parameters"].items() if value is not None}
    assert (address, sent) == (f"{api.base_url}/generate/avatar", used)
    with page.expect_download() as download:
        detail.get_by_role("link", name="Download Free").click()
    assert download.value.path().read_bytes() == api.get(generation["output_files"][0]["url"]).content
    # Only the editor can do these.
    assert detail.get_by_role("button", name=re.compile("graph|node")).count() == 0

    detail.get_by_role("button", name="Use these settings").click()
    expect(prompt(page)).to_have_value(text)
    expect(page.get_by_label("Seed")).to_have_value(str(seed))
    page.get_by_role("button", name="Generate", exact=True).click()
    with page.expect_request(f"**{PREFIX}/generate/avatar") as again:
        page.get_by_role("button", name="The same again").click()
    assert json.loads(again.value.post_data or "")["seed"] == seed
    assert json.loads(again.value.post_data or "")["pose_file_id"] == pose


def test_a_running_generation_is_cancelled_and_tried_again(page: Page, api: Api) -> None:
    text = words()
    id_ = api.generate(prompt=text, steps=LONG)["generation_id"]
    api.started(id_)
    running(page, text).get_by_role("button", name="Cancel").click()
    expect(running(page, text)).to_have_count(0)
    expect(tile(page, text)).to_have_attribute("aria-label", re.compile("Cancelled$"))
    tile(page, text).click()
    page.get_by_role("button", name="Try again").click()
    expect(running(page, text)).to_be_visible()
    page.get_by_role("region", name="Generation").get_by_role("button", name="Cancel").click()
    expect(running(page, text)).to_have_count(0)


def test_a_deletion_can_be_undone_and_is_sent_when_the_page_is_left(page: Page, api: Api) -> None:
    text = words()
    id_ = made(page, api, text)["generation_id"]
    expect(tile(page, text).locator("img")).to_be_visible()
    assert tile(page, text).locator("img").evaluate("(image) => image.naturalWidth") == 64
    tile(page, text).click()
    page.get_by_role("button", name="Delete").click()
    expect(tile(page, text)).to_be_hidden()
    undo = page.locator(".avatarforge-notices li", has_text=text).get_by_role("button", name="Undo")
    undo.click()
    expect(tile(page, text)).to_be_focused()
    assert api.get(f"/generations/{id_}").status_code == 200
    tile(page, text).click()
    page.get_by_role("button", name="Delete").click()
    expect(undo).to_be_visible()
    assert api.get(f"/generations/{id_}").status_code == 200
    page.goto("about:blank")
    api_gone(api, id_)


def test_a_deletion_that_is_not_undone_is_sent(page: Page, api: Api) -> None:
    text = words()
    id_ = made(page, api, text)["generation_id"]
    page.clock.install()
    tile(page, text).click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".avatarforge-notices")).to_contain_text(f"Deleted: {text}")
    assert api.get(f"/generations/{id_}").status_code == 200
    page.mouse.move(0, 0)  # the time stands still while somebody is at the button
    page.clock.run_for(9_000)
    expect(tile(page, text)).to_have_count(0)
    api_gone(api, id_)


def scroll_through(page: Page) -> None:
    """Scroll from the newest to the oldest, and see each of them on the way, in order."""
    seen: list[str] = []
    scroller = page.locator(".avatarforge-scroller")
    while "knight 1" not in seen:
        expect(page.locator(".avatarforge-placeholder")).to_have_count(0)
        shown = page.locator(TITLES).all_inner_texts()
        numbers = [int(title.split()[1]) for title in shown]
        assert numbers == sorted(numbers, reverse=True)
        seen += [title for title in shown if title not in seen]
        scroller.evaluate(
            """(list) => new Promise((resolve) => {
                list.scrollBy(0, list.clientHeight / 2);
                requestAnimationFrame(() => requestAnimationFrame(resolve));
            })"""
        )
    assert seen == [f"knight {number}" for number in range(KEPT, 0, -1)]


def test_generations_are_searched_marked_filtered_exported_and_deleted(page: Page, api: Api) -> None:
    texts = [words() for _ in range(3)]
    ids = [made(page, api, text)["generation_id"] for text in texts]
    search = page.get_by_role("searchbox", name="Search")
    search.fill(texts[0].split()[1])
    expect(page.locator(TITLES)).to_have_text([texts[0]])
    page.keyboard.press("Tab")
    search.fill("")
    expect(tile(page, texts[2])).to_be_visible()

    tile(page, texts[0]).focus()
    page.keyboard.press("f")
    expect(tile(page, texts[0])).to_have_attribute("aria-label", re.compile("Favourite"))
    assert api.get(f"/generations/{ids[0]}").json()["favourite"] is True
    tile(page, texts[1]).click(modifiers=["Control"])
    tile(page, texts[2]).click()
    expect(page.get_by_text("2 selected")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Tags").click()
    page.get_by_label("New tags").fill("Cover, of the Book")
    page.keyboard.press("Enter")
    expect(tile(page, texts[1])).to_have_attribute("title", re.compile("#cover"))
    assert api.get(f"/generations/{ids[2]}").json()["tags"] == ["cover", "of the book"]
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == set(ids[1:])

    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Tag", exact=True).select_option("cover")
    expect(page.locator(TITLES)).to_have_text([texts[2], texts[1]])
    page.get_by_label("Order").select_option("oldest")
    expect(page.locator(TITLES)).to_have_text([texts[1], texts[2]])
    page.get_by_role("button", name="Delete").click()
    confirmed = page.get_by_role("alertdialog")
    confirmed.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No generation matches.")).to_be_visible()
    for id_ in ids[1:]:
        assert api.get(f"/generations/{id_}").status_code == 404
    page.get_by_role("button", name="Clear filters").click()
    expect(tile(page, texts[0])).to_be_visible()


def api_gone(api: Api, generation_id: str) -> None:
    answer = api.get(f"/generations/{generation_id}")
    while answer.status_code != 404:  # pytest's own timeout bounds this
        answer = api.get(f"/generations/{generation_id}")


def test_two_hundred_generations_are_scrolled_and_filtered_and_a_server_that_goes_comes_back_and_wants_a_key(
    browser: Browser, comfy_factory: Callable[..., ComfyServer], tmp_path: Path
) -> None:
    base = tmp_path / "with-many"
    newest = keep_generations(base, KEPT)[-1]
    server = comfy_factory(base=base, models=())
    api = Api(server.url)
    page = browser.page
    browser.complaints.clear()
    open_panel(page, api)
    status = page.locator(".avatarforge-pages .avatarforge-status")
    expect(status).to_have_text(re.compile(f"^1{DASH}[0-9]+ of {KEPT}$"))
    assert page.locator(TITLES).count() < KEPT / 2
    scroll_through(page)
    page.locator(".avatarforge-scroller").evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
    expect(status).to_have_text(re.compile(f"{DASH}{KEPT} of {KEPT}$"))
    expect(page.locator(TITLES).last).to_have_text("knight 1")
    page.locator(".avatarforge-scroller").evaluate("(list) => list.scrollTo(0, 0)")
    first_tile(page).focus()
    page.keyboard.press("End")
    expect(tile(page, "knight 1").last).to_be_focused()
    page.keyboard.press("Home")
    expect(tile(page, f"knight {KEPT}")).to_be_focused()
    page.get_by_label("Show").select_option("failed")
    expect(status).to_have_text("No generation matches.")
    expect(page.get_by_text("A model is missing")).to_be_visible()
    assert browser.complaints == []

    prompt(page).fill("written before it went")
    server.stop()
    away = page.get_by_role("alert").filter(has_text="is not responding")
    expect(away).to_be_visible()
    assert violations(page, "html") == []
    page.get_by_label("Show").select_option("")
    expect(status).to_have_text(re.compile("is not responding"))
    # One more start costs ten seconds: so this one also brings a key, which the page has to ask for.
    server.env["AVATARFORGE_API_KEY"] = KEY
    server.start()
    # Unless the page has found out by itself that the server is back.
    again = page.get_by_role("alert").get_by_role("button", name="Try again")
    again.evaluate_all("(buttons) => buttons.forEach((button) => button.click())")
    for key in ("not-the-right-one", KEY):
        requested = page.get_by_role("dialog", name="This server requires a key")
        requested.get_by_label("API_KEY").fill(key)
        requested.get_by_role("button", name="Use this key").click()
    expect(away).to_be_hidden()
    expect(status).to_have_text(re.compile(f"^1{DASH}[0-9]+ of {KEPT}$"))
    expect(prompt(page)).to_have_value("written before it went")
    expect(page.get_by_role("alert").filter(visible=True)).to_have_count(0)

    # Everything that cannot carry the key is signed: the picture of the tile, and the one that opens.
    text = f"knight {KEPT}"
    expect(tile(page, text).locator("img")).to_be_visible()
    tile(page, text).click()
    shown_large = page.locator(".avatarforge-pictures img")
    expect(shown_large).to_have_attribute("src", re.compile("signature="))
    assert shown_large.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 64
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy as curl").click()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert "X-API-Key: $AVATARFORGE_API_KEY" in copied and KEY not in copied
    page.locator("input[type=file]").first.set_input_files(
        {"name": "sent.png", "mimeType": "image/png", "buffer": picture(secrets.randbits(64))}
    )
    expect(page.locator(POSE).get_by_role("status")).to_have_text("Uploaded.")
    page.get_by_role("button", name="Delete").click()
    page.goto("about:blank")
    headers = {"X-API-Key": KEY}
    while api.get(f"/generations/{newest}", headers=headers).status_code != 404:
        pass  # pytest's own timeout bounds this
