"""The panel's modules in a real browser: the event stream, what it tells of, and hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browser import Browser
from panels import (
    fresh_panel,
    open_panel,
    open_panel_browser,
    prompt,
    tile,
    words,
)
from playwright.sync_api import Page, expect

from lab.api import Api


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_panel_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, api: Api) -> Iterator[Page]:
    with fresh_panel(browser, api) as shown:
        yield shown


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
