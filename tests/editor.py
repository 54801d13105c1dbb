"""ComfyUI's graph editor in a browser, as the tests on the real host use it."""

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


# Each but once: the editor gives a new node the values that an earlier one of the same id had.
_ids = count(1000)


@contextmanager
def open_editor(api: Api, *, at: str = "", settings: Mapping[str, object] | None = None) -> Iterator[Browser]:
    """The editor with an empty graph, in English unless ``settings`` say otherwise. ``at`` is where it is
    opened, when that is not the server itself."""
    # At its first start it would lay a dialog with templates over the canvas.
    wanted = {"Comfy.TutorialCompleted": True, "Comfy.Locale": "en", PANEL: False, **(settings or {})}
    assert api.request("POST", f"{api.server}/settings", json=wanted).ok
    with open_browser() as browser:
        page = browser.page
        expect.set_options(timeout=DEADLINE * 1000)
        page.goto(at or api.server)
        # It opens a graph of its own at first; cleared before that, ours would be replaced.
        page.wait_for_function("() => window.app?.vueAppReady && window.app.rootGraph.nodes.length > 0")
        page.evaluate("() => app.rootGraph.clear()")
        yield browser


def add_node(page: Page, node_type: str, x: int = 300, y: int = 200) -> str:
    """Put a node onto the canvas; its id."""
    node_id: str = page.evaluate(ADD, [node_type, x, y, next(_ids)])
    return node_id


def prompt_of(page: Page) -> dict[str, Any]:
    """The API prompt that Run would send."""
    prompt: dict[str, Any] = page.evaluate(PROMPT)
    return prompt
