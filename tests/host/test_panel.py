"""The panel as a page of its own, in a real browser on a real ComfyUI."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, open_browser
from kept import keep_generations
from panels import POSE, RECORD, REFERENCE, first_tile, give, too_wide, violations
from pictures import picture
from playwright.sync_api import Locator, Page, Route, ViewportSize, expect

from lab.api import PREFIX, Api
from lab.server import ComfyServer

ROOT = Path(__file__).resolve().parents[2]
CHINESE = json.loads((ROOT / "locales" / "zh" / "main.json").read_text(encoding="utf-8"))["avatarforge"]
LONG = 150  # steps; long enough to be stopped in the middle
WIDE: ViewportSize = {"width": 1400, "height": 900}
NARROW: ViewportSize = {"width": 320, "height": 640}
SLOW = 200_000  # ms that four views may take on a busy machine
PAGE = 24
KEPT = 200
KEY = "a-key-of-this-test-alone"
DASH = "\u2013"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser(**WIDE) as opened:
        expect.set_options(timeout=60_000)
        yield opened


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    """The page, freshly opened and wide. It may have caused no error, and asked no other machine."""
    shown = browser.page
    browser.complaints.clear()
    browser.requested.clear()
    shown.set_viewport_size(WIDE)
    open_panel(shown, api)
    yield shown
    shown.unroute_all()
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
    page.get_by_role("button", name="Reroll Back").click()
    expect(page.get_by_role("button", name="Reroll Back")).to_be_disabled()
    expect(page.get_by_role("button", name="Reroll Back")).to_be_enabled(timeout=SLOW)
    after = figures.nth(1).locator("img")
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
    with page.expect_request(f"**{PREFIX}/generate/avatar") as again:
        page.get_by_role("button", name="Generate", exact=True).click()
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


def api_gone(api: Api, generation_id: str) -> None:
    answer = api.get(f"/generations/{generation_id}")
    while answer.status_code != 404:  # pytest's own timeout bounds this
        answer = api.get(f"/generations/{generation_id}")


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
    for name in ("Clothing", "Style", "Anime"):
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
        told = CHINESE["error_queue_full"].format(limit=2)
        expect(shown.get_by_role("alert").filter(has_text=told)).to_be_visible()
        # A newer server may send a code that this page has no text for.
        shown.unroute(sent)
        unknown = {"detail": "The moon is in the wrong phase.", "code": "wrong_moon"}
        shown.route(sent, lambda route: route.fulfill(status=503, json=unknown))
        shown.get_by_role("button", name=CHINESE["generate"], exact=True).click()
        expect(shown.get_by_role("alert").filter(has_text=unknown["detail"])).to_be_visible()
    finally:
        chinese.close()


def test_the_address_without_a_slash_and_the_one_under_api_lead_to_the_page(page: Page, api: Api) -> None:
    for address in (api.base_url, f"{api.server}/api{PREFIX}"):
        page.goto(address)
        assert page.url == f"{address}/"
        expect(page.locator(".avatarforge-drawing svg")).to_have_count(5)


def test_a_page_that_is_not_secure_hashes_by_itself(page: Page) -> None:
    # FIPS 180-4's examples, and lengths around the borders of blocks, against the browser's own.
    found = page.evaluate(
        """async () => {
            const { hashFile } = await import("./panel/panel/hash.mjs");
            const texts = ["", "abc", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"];
            for (const length of [55, 56, 63, 64, 65, 119, 120, 1_000_000]) texts.push("a".repeat(length));
            return Promise.all(texts.map(async (text) =>
                [await hashFile(new Blob([text]), null), await hashFile(new Blob([text]))]));
        }"""
    )
    assert found[0][0] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert found[1][0] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert found[2][0] == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    assert found[-1][0] == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    assert all(own == given for own, given in found)


def test_the_events_of_a_stream_are_read_however_they_are_cut(page: Page) -> None:
    # WHATWG HTML, "Interpreting an event stream": comments, several data lines, all three line ends.
    stream = (
        ": hello\n\nid: 1\nevent: queued\ndata: {\ndata: }\n\ndata:two\r\n\r\nid: 3\rdata\r\rdata: cut off"
    )
    for size in (1, 7, len(stream)):
        found = page.evaluate(
            """async ([text, size]) => {
                const { readEvents } = await import("./panel/panel/stream.mjs");
                const bytes = new TextEncoder().encode(text);
                const body = new ReadableStream({ start(stream) {
                    for (let at = 0; at < bytes.length; at += size)
                        stream.enqueue(bytes.slice(at, at + size));
                    stream.close();
                } });
                const found = [];
                for await (const event of readEvents(body)) found.push(event);
                return found;
            }""",
            [stream, size],
        )
        assert found == [
            {"kind": "queued", "id": "1", "data": "{\n}"},
            {"kind": "message", "id": "1", "data": "two"},
            {"kind": "message", "id": "3", "data": ""},
        ]


def test_an_answer_that_comes_late_does_not_bring_back_what_has_ended(page: Page) -> None:
    found = page.evaluate(
        """async () => {
            const { Live } = await import("./panel/panel/live.mjs");
            const answer = (status) => ({ generation_id: "one", status });
            const live = new Live({ getGeneration: async () => answer("completed") });
            const told = [];
            for (const name of ["change", "ended"])
                live.addEventListener(name, ({ detail }) => told.push([name, detail.status]));
            const ended = new Promise((resolve) => live.addEventListener("ended", resolve));
            live.watch(answer("queued"));
            await ended;
            return [told, [...live.active.keys()]];
        }"""
    )
    assert found == [[["change", "queued"], ["change", "completed"], ["ended", "completed"]], []]


def test_an_event_that_is_older_than_an_answer_takes_nothing_back(page: Page) -> None:
    found = page.evaluate(
        """async () => {
            const { Live } = await import("./panel/panel/live.mjs");
            const one = (status, progress) =>
                ({ generation_id: "one", comfyui_prompt_id: "first", status, progress });
            const event = (kind, data) =>
                `event: ${kind}\ndata: ${JSON.stringify({ generation_id: "one", ...data })}\n\n`;
            const events = [
                event("queued", { generation: one("queued", 0) }),
                event("started", { generation: one("processing", 0) }),
                event("progress", { progress: 0.2 }),
                event("progress", { progress: 0.5 }),
                event("queued", { generation: { ...one("queued", 0), comfyui_prompt_id: "second" } }),
            ];
            let open;
            const bodies = [new Promise((resolve) => (open = resolve)), new Promise(() => {})];
            const live = new Live({
                openEventStream: () => bodies.shift(),
                getGeneration: async () => one("processing", 0.3),
            });
            const told = [];
            const all = new Promise((resolve) =>
                live.addEventListener("change", ({ detail }) => {
                    told.push([detail.status, detail.progress]);
                    if (told.length === 2) open(new Response(events.join("")).body);
                    if (detail.comfyui_prompt_id === "second") resolve();
                }),
            );
            live.start();
            live.watch(one("queued", 0));
            await all;
            return told;
        }"""
    )
    run = [["processing", progress] for progress in (0.3, 0.3, 0.3, 0.3, 0.5)]
    assert found == [["queued", 0], *run, ["queued", 0]]


def test_without_a_stream_the_page_looks_at_the_list(page: Page, api: Api, browser: Browser) -> None:
    page.route("**/events", lambda route: route.fulfill(status=404, json={"detail": "No such route."}))
    open_panel(page, api)
    text = words()
    prompt(page).fill(text)
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator(".avatarforge-notices")).to_contain_text(f"Finished: {text}")
    expect(tile(page, text)).to_have_attribute("aria-label", re.compile("Finished$"))
    browser.complaints.clear()


def test_two_hundred_generations_are_paged_and_a_server_that_goes_comes_back_and_wants_a_key(
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
    shown = []
    for first in range(1, KEPT + 1, PAGE):
        last = min(first + PAGE - 1, KEPT)
        expect(status).to_have_text(f"{first}{DASH}{last} of {KEPT}")
        shown += page.locator(".avatarforge-gallery .avatarforge-title").all_inner_texts()
        if last < KEPT:
            page.get_by_role("button", name="Older").click()
            expect(first_tile(page)).to_be_focused()
    assert shown == [f"knight {number}" for number in range(KEPT, 0, -1)]
    expect(page.get_by_role("button", name="Older")).to_be_disabled()
    page.get_by_role("button", name="Newer").click()
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
    page.get_by_role("alert").get_by_role("button", name="Try again").click()
    for key in ("not-the-right-one", KEY):
        asked = page.get_by_role("dialog", name="This server requires a key")
        asked.get_by_label("API_KEY").fill(key)
        asked.get_by_role("button", name="Use this key").click()
    expect(away).to_be_hidden()
    expect(status).to_have_text(f"1{DASH}{PAGE} of {KEPT}")
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
