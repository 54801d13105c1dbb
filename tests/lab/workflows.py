"""``dev.py workflows``: the example workflows, made of API prompts by ComfyUI's own editor.

The editor alone knows the file format of its graphs, so it opens each prompt, and what it would save is
written to ``example_workflows/``: the graph, and the small picture that its Templates view shows.
"""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .environment import development_python
from .obtain import obtain_comfyui
from .pack import load_pack
from .progress import Command, LabError
from .server import ComfyServer

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect

FOLDER = "example_workflows"
#: Names under which these models are widely known; users who have others choose them in the node.
CHECKPOINT = "v1-5-pruned-emaonly-fp16.safetensors"
CONTROLNET = "control_v11p_sd15_openpose_fp16.safetensors"
SDPOSE = "sdpose_wholebody_fp16.safetensors"
PREVIEW_WIDTH, PREVIEW_QUALITY = 768, 80
WINDOW = (2400, 1500)  # pixels, so large that the nodes stay readable
#: The part of the window that shows the graph and nothing of the editor around it.
FRAME: FloatRect = {"x": 80, "y": 100, "width": 2300, "height": 1380}

Prompt = dict[str, dict[str, Any]]

_NEEDS = f"Models:\n- `models/checkpoints/{CHECKPOINT}`, or any other SD1.5 checkpoint"
_NEEDS_POSE = f"{_NEEDS}\n- `models/controlnet/{CONTROLNET}`, or any other OpenPose ControlNet for SD1.5"

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
    // What nothing leads to stands close to what it leads to.
    for (const node of nodes)
        if (!before(node).length && after(node).length)
            column.set(node, Math.min(...after(node).map((other) => column.get(other))) - 1);
    // The editor lays out what belongs to a node only when it draws it.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    for (const node of nodes) {
        const least = node.computeSize();
        const wide = node.type === "CLIPTextEncode" ? 400 : Math.max(270, least[0]);
        node.setSize([wide, node.type === "CLIPTextEncode" ? 140 : least[1]]);
        // The same seed at every run, as the prompt says it.
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
    for (let at = 0; at <= Math.max(...column.values()); at++) {
        const here = nodes.filter((node) => column.get(node) === at);
        // Beside the first of what it takes from the nearest column, so that lines stay short.
        const wish = (node) => {
            const nearest = Math.max(...before(node).map((other) => column.get(other)));
            const rows = before(node).filter((other) => column.get(other) === nearest);
            return Math.min(...rows.map((other) => row.get(other)), rows.length ? Infinity : 0);
        };
        here.sort((one, other) => wish(one) - wish(other) || Number(one.id) - Number(other.id));
        let top = 0;
        for (const node of here) {
            top = Math.max(top, wish(node));
            node.pos = [left, top];
            row.set(node, top);
            top += node.size[1] + title + gap;
        }
        left += Math.max(...here.map((node) => node.size[0])) + gap;
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
    "LiteGraph.Canvas.MinFontSizeForLOD": 0,  # texts are drawn however small
}


def run_workflows(root: Path) -> int:
    """Write the example workflows of the clone at ``root`` again. Returns the exit code. Raises LabError."""
    python = development_python(obtain_comfyui(), root)
    command: Command = [python, "-m", "lab.workflows", root]
    return subprocess.run(command, cwd=root / "tests", check=False).returncode


def make_workflows(root: Path) -> list[Path]:
    """Have the editor make every example; the files written. Needs the development tools."""
    from browser import open_browser

    load_pack(root)
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    written = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as base:
        server = ComfyServer(obtain_comfyui(), Path(base), pack=root)
        settings = Path(base) / "user" / "default" / "comfy.settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(QUIET_EDITOR), encoding="utf-8")
        # Names in a menu are enough for the editor; with none it would mark the loaders as faulty.
        for model in (f"checkpoints/{CHECKPOINT}", f"checkpoints/{SDPOSE}", f"controlnet/{CONTROLNET}"):
            file = Path(base) / "models" / model
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        with server, open_browser(*WINDOW) as browser:
            page = browser.page
            for name, (make_prompt, note) in EXAMPLES.items():
                page.goto(server.url)
                page.wait_for_function(
                    "() => window.app?.vueAppReady && window.app.rootGraph.nodes.length > 0"
                )
                graph_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"avatarforge/{name}"))
                graph = json.loads(page.evaluate(ARRANGE, [make_prompt(), note, graph_id, FRAME]))
                path = folder / f"{name}.json"
                path.write_text(json.dumps(graph, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
                _write_preview(page.screenshot(clip=FRAME), path.with_suffix(".jpg"))
                written.append(path)
    return written


def _write_preview(screenshot: bytes, path: Path) -> None:
    from PIL import Image

    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    picture.thumbnail((PREVIEW_WIDTH, PREVIEW_WIDTH), Image.Resampling.LANCZOS)
    picture.save(path, "JPEG", quality=PREVIEW_QUALITY)


def _spec(**changes: Any) -> Any:
    """What the API would make of a request, for the models above."""
    spec = importlib.import_module("avatarforge.forge.spec.avatar")
    request = {
        "prompt": "female knight, silver armor, red cape",
        "clothing": None,
        "style": None,
        "realism": False,
        "negative_prompt": None,
        "views": ("front",),
        "pose": None,
        "reference": None,
        "width": 512,
        "height": 768,
        "steps": 20,
        "cfg": 7.0,
        "sampler": "euler",
        "scheduler": "normal",
        "seed": 42,
        "checkpoint": CHECKPOINT,
        "family": "sd15",
        "controlnet": CONTROLNET,
        "controlnet_is_union": False,
        "bones": "standard",
        "skeleton_strength": 1.0,
        "consistency": 0.7,
        "turnaround": "batch",
    }
    return spec.AvatarSpec(**{**request, **changes})


def _compiled(**changes: Any) -> Prompt:
    compile_ = importlib.import_module("avatarforge.forge.graphs.compile")
    prompt: Prompt = compile_.compile_prompt(_spec(**changes), "").prompt
    return prompt


def _pose(kind: str, treatment: str, **plan: Any) -> Any:
    poses = importlib.import_module("avatarforge.forge.spec.pose")
    file = poses.PoseFile("", "", 512, 768, kind)
    return poses.PoseUse(file, poses.PosePlan(kind, treatment, **plan), "auto", 1.0)


def _from_words() -> Prompt:
    return _compiled(controlnet=None)


def _with_pose_and_reference() -> Prompt:
    use = importlib.import_module("avatarforge.forge.spec.avatar").ReferenceUse
    pose = _pose("skeleton", "skeleton")
    return _compiled(views=(None,), pose=pose, reference=use("", "", 0.8, "attention"))


def _pose_from_photo() -> Prompt:
    return _compiled(views=(None,), pose=_pose("photo", "extract", extractor="sdpose", model=SDPOSE))


def _with_sheet(prompt: Prompt, pictures: Mapping[str, list[Any]]) -> Prompt:
    """The prompt with a sheet of these pictures in the place of what it saves."""
    kept = {id_: node for id_, node in prompt.items() if node["class_type"] != "AvatarForgeSave"}
    sheet, save = (str(max(map(int, prompt)) + more) for more in (1, 2))
    given = {"title": "", "background": "auto", "figure_height": 896, **pictures}
    saved = {"images": [sheet, 0], "generation_id": "", "position": 1}
    return {
        **kept,
        sheet: {"class_type": "AvatarForgeCharacterSheet", "inputs": given, "_meta": {"title": "Sheet"}},
        save: {"class_type": "AvatarForgeSave", "inputs": saved, "_meta": {"title": "Save the sheet"}},
    }


def _turnaround_sheet() -> Prompt:
    views = importlib.import_module("avatarforge.forge.spec.views").VIEW_NAMES
    prompt = _compiled(views=views)
    pictures = [
        node["inputs"]["images"] for node in prompt.values() if node["class_type"] == "AvatarForgeSave"
    ]
    return _with_sheet(prompt, dict(zip(views, pictures, strict=True)))


def _sheet_of_saved_views() -> Prompt:
    views = importlib.import_module("avatarforge.forge.spec.views").VIEW_NAMES
    loaders: Prompt = {
        str(number): {
            "class_type": "AvatarForgeLoadView",
            "inputs": {"generation_id": "", "position": number},
            "_meta": {"title": f"Saved {view}"},
        }
        for number, view in enumerate(views, start=1)
    }
    return _with_sheet(loaders, {view: [str(number), 0] for number, view in enumerate(views, start=1)})


#: Name -> what makes the prompt, and what the note beside it says.
EXAMPLES: dict[str, tuple[Callable[[], Prompt], str]] = {
    "avatar_from_words": (_from_words, f"A character in words, seen from the front.\n\n{_NEEDS}"),
    "avatar_with_pose_and_reference": (
        _with_pose_and_reference,
        "A character in the pose of one picture and with the look of another. Choose or upload both in the "
        f"nodes *Pose* and *Reference*.\n\n{_NEEDS_POSE}",
    ),
    "pose_from_photo": (
        _pose_from_photo,
        "Reads the pose of a photo and keeps the skeleton in the store. Choose or upload the photo in the "
        "node *Photo*, and enter its content_hash, as the upload or the file list gives it, in "
        "*Keep skeleton*."
        f"\n\n{_NEEDS_POSE}\n- `models/checkpoints/{SDPOSE}`",
    ),
    "turnaround_sheet": (
        _turnaround_sheet,
        "One character from four sides, in one batch, and on one sheet: equally high, on one baseline."
        f"\n\n{_NEEDS_POSE}",
    ),
    "sheet_of_saved_views": (
        _sheet_of_saved_views,
        "The four pictures of a generation on one sheet. Enter its id, as the API gives it, in each *Saved* "
        "node. No model is needed.",
    ),
}


if __name__ == "__main__":
    try:
        for made in make_workflows(Path(sys.argv[1])):
            print(f"{FOLDER}/{made.name}")
    except LabError as error:
        sys.exit(f"\n{error}")
