"""``dev.py workflows``: makes the example workflows from API prompts with ComfyUI's own editor.

Only the editor knows the file format of its graphs. It opens each prompt, and what it would save is written
to ``example_workflows/``: the graph, and a card for its Templates view.
"""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .environment import development_python
from .example_prompts import CHECKPOINT, CONTROLNET, SDPOSE
from .obtain import obtain_comfyui
from .pack import PACKAGE, load_pack
from .progress import Command, LabError
from .server import ComfyServer

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect

FOLDER = "example_workflows"
#: The graph that the README shows, how wide, and where.
SHOWN, SHOWN_WIDTH, SHOWN_FILE = "Paper doll sheet", 1100, Path("docs/images/graph.jpg")
GRID = 24  # the largest difference between the colours of the empty canvas and its grid
WINDOW = (2400, 1500)  # pixels; large enough to keep nodes readable
#: The part of the window that shows only the graph, without the editor's own elements.
FRAME: FloatRect = {"x": 80, "y": 100, "width": 2300, "height": 1380}

ARRANGE = """async ([prompt, note, id, frame]) => {
    const app = window.app;
    app.loadApiJson(prompt, "workflow");
    const graph = app.rootGraph;
    const gap = 60, title = 30, nodes = [...graph.nodes];
    const before = (node) => (node.inputs ?? []).filter((input) => input.link !== null)
        .map((input) => graph.getNodeById(graph.links[input.link].origin_id));
    const after = (node) => nodes.filter((other) => before(other).includes(node));
    const column = new Map();
    const depth = (node) => {
        if (!column.has(node)) column.set(node, 1 + Math.max(-1, ...before(node).map(depth)));
        return column.get(node);
    };
    nodes.forEach(depth);
    // A node without inputs goes into the column before its first consumer.
    for (const node of nodes)
        if (!before(node).length && after(node).length)
            column.set(node, Math.min(...after(node).map((other) => column.get(other))) - 1);
    // The editor lays out the parts of a node only when it draws the node.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    for (const node of nodes) {
        const minimum = node.computeSize();
        const width = node.type === "CLIPTextEncode" ? 400 : Math.max(270, minimum[0]);
        node.setSize([width, node.type === "CLIPTextEncode" ? 140 : minimum[1]]);
        // Keep the prompt's seed at every run.
        for (const widget of node.widgets ?? [])
            if (widget.name === "control_after_generate") widget.value = "fixed";
    }
    const guide = LiteGraph.createNode("MarkdownNote");
    guide.title = "What this needs";
    graph.add(guide);
    guide.widgets[0].value = note;
    guide.setSize([400, 260]);
    guide.pos = [0, 0];
    const row = new Map();
    let left = guide.size[0] + gap;
    for (let index = 0; index <= Math.max(...column.values()); index++) {
        const members = nodes.filter((node) => column.get(node) === index);
        // Level with the first of its inputs in the nearest column, so that links stay short.
        const preferredTop = (node) => {
            const nearest = Math.max(...before(node).map((other) => column.get(other)));
            const rows = before(node).filter((other) => column.get(other) === nearest);
            return Math.min(...rows.map((other) => row.get(other)), rows.length ? Infinity : 0);
        };
        members.sort((a, b) => preferredTop(a) - preferredTop(b) || Number(a.id) - Number(b.id));
        let top = 0;
        for (const node of members) {
            top = Math.max(top, preferredTop(node));
            node.pos = [left, top];
            row.set(node, top);
            top += node.size[1] + title + gap;
        }
        left += Math.max(...members.map((node) => node.size[0])) + gap;
    }
    const box = graph.nodes.reduce((all, node) => [
        Math.min(all[0], node.pos[0]), Math.min(all[1], node.pos[1] - title),
        Math.max(all[2], node.pos[0] + node.size[0]), Math.max(all[3], node.pos[1] + node.size[1]),
    ], [Infinity, Infinity, -Infinity, -Infinity]);
    const view = app.canvas.ds;
    app.canvas.deselectAll?.();
    view.scale = 0.95 * Math.min(frame.width / (box[2] - box[0]), frame.height / (box[3] - box[1]));
    view.offset = [
        (frame.x + frame.width / 2) / view.scale - (box[0] + box[2]) / 2,
        (frame.y + frame.height / 2) / view.scale - (box[1] + box[3]) / 2,
    ];
    app.canvas.setDirty(true, true);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const saved = graph.serialize();
    saved.id = id;
    return JSON.stringify(saved); // leaves undefined out, as the editor does
}"""

QUIET_EDITOR = {
    "Comfy.TutorialCompleted": True,
    "Comfy.Locale": "en",
    "Comfy.Minimap.Visible": False,
    "Comfy.Graph.CanvasMenu": False,
    "Comfy.Graph.CanvasInfo": False,
    "LiteGraph.Canvas.MinFontSizeForLOD": 0,  # draw text at any zoom level
}


def run_workflows(root: Path) -> int:
    """Regenerate the example workflows of the clone at ``root``. Returns the exit code. Raises LabError."""
    python = development_python(obtain_comfyui(), root)
    command: Command = [python, "-m", "lab.workflows", root]
    return subprocess.run(command, cwd=root / "tests", check=False).returncode


def make_workflows(root: Path) -> list[Path]:
    """Make all examples with the editor. Returns the files written. Needs the development tools."""
    from browser import open_browser

    from .example_cards import write_card
    from .examples import EXAMPLES

    load_pack(root)
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    written = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as base:
        server = ComfyServer(obtain_comfyui(), Path(base), pack=root)
        settings = Path(base) / "user" / "default" / "comfy.settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(QUIET_EDITOR), encoding="utf-8")
        # The editor needs only the names, without which it marks the loaders as faulty.
        for model in (f"checkpoints/{CHECKPOINT}", f"checkpoints/{SDPOSE}", f"controlnet/{CONTROLNET}"):
            file = Path(base) / "models" / model
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        with server, open_browser(*WINDOW) as browser:
            page = browser.page
            for name, example in EXAMPLES.items():
                page.goto(server.url)
                page.wait_for_function(
                    "() => window.app?.vueAppReady && window.app.rootGraph.nodes.length > 0"
                )
                graph_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"avatarforge/{name}"))
                graph = json.loads(
                    page.evaluate(ARRANGE, [example.make_prompt(), example.note, graph_id, FRAME])
                )
                add_models(graph)
                path = folder / f"{name}.json"
                path.write_text(json.dumps(graph, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
                write_card(example.card, path.with_suffix(".jpg"))
                written.append(path)
                if name == SHOWN:
                    _write_graph(page.screenshot(clip=FRAME), root / SHOWN_FILE)
    for old in folder.iterdir():
        if old.stem not in EXAMPLES:
            old.unlink()
    return written


def add_models(graph: dict[str, Any]) -> None:
    """Note at each node where the file it names can be downloaded. The editor offers it if it is missing.

    Needs the loaded pack.
    """
    catalogue = importlib.import_module(f"{PACKAGE}.forge.families.catalogue")
    entries = {file.name: file.entry for file in catalogue.all_downloads()}
    for node in graph["nodes"]:
        named = [entries[value] for value in node.get("widgets_values") or [] if value in entries]
        if named:
            node["properties"]["models"] = named


def _write_graph(screenshot: bytes, path: Path) -> None:
    """The part of the picture that is not empty."""
    from PIL import Image, ImageChops

    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    empty = Image.new("RGB", picture.size, picture.getpixel((0, 0)))
    box = ImageChops.difference(picture, empty).point(lambda value: 255 if value > GRID else 0).getbbox()
    picture = picture.crop(box) if box else picture
    picture.thumbnail((SHOWN_WIDTH, SHOWN_WIDTH), Image.Resampling.LANCZOS)
    picture.save(path, "JPEG", quality=85, optimize=True)


if __name__ == "__main__":
    try:
        for path in make_workflows(Path(sys.argv[1])):
            print(f"{FOLDER}/{path.name}")
    except LabError as error:
        sys.exit(f"\n{error}")
