"""Graphs that a test builds in ComfyUI's real editor, node by node, and the editor's dialog for templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError, expect

#: Adds nodes to the canvas and links their inputs by name. The editor makes the ids; returns them by key.
BUILD = """(nodes) => {
    app.rootGraph.clear();
    const made = {};
    for (const [key, { type, title, values, pos }] of Object.entries(nodes)) {
        const node = made[key] = LiteGraph.createNode(type);
        if (!node) throw new Error(`no node ${type}`);
        app.rootGraph.add(node);
        node.pos = pos;
        if (title) node.title = title;
        for (const [name, value] of Object.entries(values)) {
            const widget = node.widgets.find((item) => item.name === name);
            widget.value = value;
            widget.callback?.(value);
        }
    }
    for (const [key, { links }] of Object.entries(nodes))
        for (const [name, [source, output]] of Object.entries(links)) {
            const index = made[key].inputs.findIndex((input) => input.name === name);
            made[source].connect(output, made[key], index);
        }
    app.canvas.ds.scale = 0.6;
    app.canvas.ds.offset = [0, 0];
    app.canvas.setDirty(true, true);
    return Object.fromEntries(Object.entries(made).map(([key, node]) => [key, String(node.id)]));
}"""
#: Where a node's title, or a widget of it, lies in the window.
AT = """([id, name]) => {
    const node = app.rootGraph.getNodeById(id);
    const widget = node.widgets?.find((item) => item.name === name);
    const { scale, offset } = app.canvas.ds;
    const [x, y] = [node.pos[0] + 40, node.pos[1] + (widget ? widget.last_y + 10 : -12)];
    return [(x + offset[0]) * scale, (y + offset[1]) * scale];
}"""
#: Whether the canvas has drawn a node, and can so find it below the pointer.
DRAWN = """([id, name]) => {
    const node = app.rootGraph.getNodeById(id);
    if (!app.canvas.visible_nodes.includes(node)) return false;
    return !name || node.widgets.find((item) => item.name === name)?.last_y > 0;
}"""
COLUMN, ROW = 340, 330  # pixels between nodes
MENU = ".litecontextmenu"
ATTEMPTS, PATIENCE = 5, 5000  # of opening a menu; milliseconds
SAVE_COMMAND = "() => app.extensionManager.command.execute('AvatarForge.SaveTemplate')"
DIALOG = "Save as AvatarForge template"


@dataclass
class Node:
    """A node to build: widget values by name, and links as input -> (key of the source, its output)."""

    type: str
    title: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    links: dict[str, tuple[str, int]] = field(default_factory=dict)


def build(page: Page, nodes: dict[str, Node], columns: int = 6) -> dict[str, str]:
    """Replace the graph. Returns key -> id."""
    described = {
        key: {**vars(node), "pos": [200 + COLUMN * (index % columns), 200 + ROW * (index // columns)]}
        for index, (key, node) in enumerate(nodes.items())
    }
    ids: dict[str, str] = page.evaluate(BUILD, described)
    return ids


def open_menu(page: Page, node_id: str, widget: str = "") -> Locator:
    """Right-click the title of a node or one of its widgets. Returns the menu."""
    page.wait_for_function(DRAWN, arg=[node_id, widget])
    x, y = page.evaluate(AT, [node_id, widget])
    menu = page.locator(MENU).first
    # The editor acts on the node that its last frame had there; frames are rare on a busy machine.
    for _ in range(ATTEMPTS):
        page.mouse.move(x + 5, y)
        page.mouse.move(x, y)
        page.mouse.click(x, y, button="right")
        try:
            menu.locator(".litemenu-entry", has_text="AvatarForge").first.wait_for(timeout=PATIENCE)
            return menu
        except TimeoutError:
            page.keyboard.press("Escape")
    expect(menu).to_contain_text("AvatarForge")
    return menu


def choose_slot(page: Page, node_id: str, entry: str, widget: str = "") -> None:
    """Choose an entry of "use as slot", such as "Seed: seed"."""
    menu = open_menu(page, node_id, widget)
    label = f"use “{widget}” as slot" if widget else "use as slot"
    menu.locator(".litemenu-entry", has_text=label).click()
    expect(page.locator(MENU)).to_have_count(2)
    page.locator(MENU).last.get_by_role("menuitem", name=entry, exact=True).click()
    expect(page.locator(MENU)).to_have_count(0)


def open_dialog(page: Page) -> Locator:
    """Run the command and wait until the graph was looked at. Returns the dialog."""
    page.evaluate(SAVE_COMMAND)
    dialog = page.get_by_role("dialog", name=DIALOG)
    expect(dialog).not_to_have_attribute("aria-busy", "true")
    return dialog


def found_slots(dialog: Locator) -> list[str]:
    """The lines of the dialog about slots, such as "Prompt CLIP Text Encode · text by the links"."""
    heading = dialog.get_by_role("heading", name="Slots")
    lines = heading.locator("xpath=following-sibling::ul[1]/li").all()
    return [" ".join(part.strip() for part in line.locator("> *").all_inner_texts()) for line in lines]


def save(page: Page, name: str) -> list[str]:
    """Save the graph under this name with the dialog. Returns the lines about its slots."""
    dialog = open_dialog(page)
    found = found_slots(dialog)
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_have_count(0)
    return found


def build_app(page: Page, inputs: list[tuple[str, str]], output: str) -> None:
    """Choose inputs (node id, widget) and the output of App mode in the frontend's own builder."""
    page.get_by_role("button", name="Enter app mode").click()
    page.get_by_role("button", name="Build app").click()
    for count, (node_id, widget) in enumerate(inputs, 1):
        label = page.locator(f"[data-node-id='{node_id}']").get_by_text(widget, exact=True)
        _click_until(page, label.first, "inputs", count)
    page.get_by_role("button", name="Choose outputs").click()
    _click_until(page, page.locator(f"[data-node-id='{output}']"), "outputs", 1)
    page.get_by_role("button", name="Exit app builder").click()


def _click_until(page: Page, element: Locator, kind: str, count: int) -> None:
    """Click what the builder lays over an element, which takes it a moment, until it has so many choices."""
    for _ in range(ATTEMPTS):
        _click(page, element)
        try:
            page.wait_for_function(
                "([kind, count]) => app.rootGraph.extra.linearData?.[kind].length === count",
                arg=[kind, count],
                timeout=PATIENCE,
            )
        except TimeoutError:
            continue
        return
    raise AssertionError(f"the builder did not take {kind} number {count}")


def _click(page: Page, element: Locator) -> None:
    """Click in the middle of an element, whatever covers it."""
    expect(element).to_be_visible()
    box = element.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
