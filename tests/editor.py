"""ComfyUI's graph editor in a browser, for the host tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

from browser import DEADLINE, Browser, open_browser
from playwright.sync_api import Page, expect

from lab.api import Api

PANEL = "Comfy.RightSidePanel.IsOpen"
ADD = """([type, x, y, id]) => {
    const node = LiteGraph.createNode(type);
    node.id = id;
    app.rootGraph.add(node);
    node.pos = [x, y];
    app.canvas.ds.scale = 1;
    app.canvas.ds.offset = [0, 0];
    return String(node.id);
}"""
OPEN = "async (graph) => { await app.loadGraphData(graph); }"
PROMPT = "async () => (await app.graphToPrompt()).output"


# Each id only once: the editor gives a new node the values of an earlier node with the same id.
_ids = count(1000)


@contextmanager
def open_editor(api: Api, *, at: str = "", settings: Mapping[str, object] | None = None) -> Iterator[Browser]:
    """Open the editor with an empty graph, in English unless ``settings`` override it.

    ``at`` is the URL to open; by default the server's own.
    """
    # Without the first setting, the editor's first start covers the canvas with a dialog of templates.
    values = {"Comfy.TutorialCompleted": True, "Comfy.Locale": "en", PANEL: False, **(settings or {})}
    assert api.request("POST", f"{api.server}/settings", json=values).ok
    with open_browser() as browser:
        page = browser.page
        expect.set_options(timeout=DEADLINE * 1000)
        load_editor(page, at or api.server)
        page.evaluate("() => app.rootGraph.clear()")
        yield browser


def load_editor(page: Page, url: str) -> None:
    """Open the editor at this URL and wait until it shows its default graph, which would replace another."""
    page.goto(url)
    # On a busy machine, the mask of the editor's start can miss the end of its animation and stay.
    page.add_style_tag(content=".p-overlay-mask-leave { pointer-events: none !important; }")
    page.wait_for_function("() => window.app?.vueAppReady && window.app.rootGraph.nodes.length > 0")


def add_node(page: Page, node_type: str, x: int = 300, y: int = 200) -> str:
    """Add a node to the canvas. Returns its id."""
    node_id: str = page.evaluate(ADD, [node_type, x, y, next(_ids)])
    return node_id


def prompt_of(page: Page) -> dict[str, Any]:
    """The API prompt that Run would send."""
    prompt: dict[str, Any] = page.evaluate(PROMPT)
    return prompt
