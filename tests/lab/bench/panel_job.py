"""Uses the panel of a running ComfyUI in Chromium. Needs the development tools, and `tests` to import from.

    python panel_job.py URL

The last line of output is JSON: when both pages first show something and can be used, and the
lengths of frames by action, in ms.
"""

from __future__ import annotations

import json
import random
import re
import sys

from browser import open_browser
from playwright.sync_api import Page, expect

STARTS = 5
PANEL = "/avatarforge-controller/"
FIRST_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
TILE = "document.querySelector('.avatarforge-gallery li')?.checkVisibility()"
FORM = "document.querySelector('.avatarforge-panel textarea')?.checkVisibility()"
#: Path and moment of use of each page, in milliseconds from the start of the navigation: ours has form and
#: gallery, ComfyUI's its graph.
PAGES = {
    "panel": (PANEL, f"() => {TILE} && {FORM} && performance.now()"),
    "comfyui": ("/", "() => window.app?.vueAppReady && performance.now()"),
}
#: Keeps the time between two frames. The first one after `start` is that of the action before.
RECORD = """() => {
    const frames = [];
    let last = 0, on = false;
    const next = (now) => {
        if (on && last) frames.push(now - last);
        last = now;
        requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
    window.frames_ = {
        start: () => { frames.length = 0; last = 0; on = true; },
        stop: () => { on = false; return [...frames]; },
    };
}"""
IDLE_SECONDS = 3
WHEEL_TURNS, WHEEL_PIXELS = 90, 500
JUMPS = 15
TYPED = "knight number 777"
JUMP = "(list, share) => list.scrollTo(0, share * list.scrollHeight)"
STATUS = ".avatarforge-pages .avatarforge-status"
FEW = re.compile(r"of \d{1,4}\b")
SCROLLER = ".avatarforge-scroller"


def main(url: str) -> None:
    with open_browser(1400, 900) as browser:
        page = browser.page
        expect.set_options(timeout=60_000)
        starts: dict[str, list[tuple[float, float]]] = {name: [] for name in PAGES}
        for turn in range(STARTS + 1):
            for name, (path, usable) in PAGES.items():
                page.goto(f"{url}{path}")
                moments = [page.wait_for_function(moment).json_value() for moment in (FIRST_PAINT, usable)]
                if turn:  # the first one fills the browser's cache
                    starts[name].append((moments[0], moments[1]))
        print(json.dumps({"starts": starts, "frames": frames(page, f"{url}{PANEL}")}))


def frames(page: Page, url: str) -> dict[str, list[float]]:
    page.goto(url)
    loaded(page)
    page.evaluate(RECORD)
    found = {}
    page.evaluate("() => window.frames_.start()")
    page.wait_for_timeout(IDLE_SECONDS * 1000)
    found["idle"] = page.evaluate("() => window.frames_.stop()")

    page.locator(SCROLLER).hover()
    page.evaluate("() => window.frames_.start()")
    for _ in range(WHEEL_TURNS):
        page.mouse.wheel(0, WHEEL_PIXELS)
    loaded(page)
    found["turning the wheel"] = page.evaluate("() => window.frames_.stop()")

    places = random.Random(1)  # noqa: S311 - the same places in every run
    page.evaluate("() => window.frames_.start()")
    for _ in range(JUMPS):
        page.locator(SCROLLER).evaluate(
            "(list, share) => list.scrollTo(0, share * list.scrollHeight)", places.random()
        )
        loaded(page)
    found["dragging the scroll bar"] = page.evaluate("() => window.frames_.stop()")

    page.evaluate("() => window.frames_.start()")
    page.get_by_role("searchbox", name="Search").press_sequentially(TYPED, delay=60)
    expect(page.locator(STATUS)).to_have_text(FEW)
    loaded(page)
    found["typing a search"] = page.evaluate("() => window.frames_.stop()")
    return found


def loaded(page: Page) -> None:
    """Wait until every tile in view shows a generation."""
    expect(page.locator(".avatarforge-gallery li").first).to_be_visible()
    expect(page.locator(".avatarforge-placeholder")).to_have_count(0)


if __name__ == "__main__":
    main(sys.argv[1])
