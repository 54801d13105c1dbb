"""``dev.py workflows``: makes the example workflows from API prompts with ComfyUI's own editor.

Only the editor knows the file format of its graphs. It opens each prompt, and what it would save is written
to ``example_workflows/``: the graph, and a small preview for its Templates view.
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
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .environment import development_python
from .obtain import obtain_comfyui
from .pack import load_pack
from .progress import Command, LabError
from .server import ComfyServer

if TYPE_CHECKING:
    from PIL import Image
    from playwright.sync_api import FloatRect

FOLDER = "example_workflows"
#: The common file names of these models. Users with other models choose them in the node.
CHECKPOINT = "v1-5-pruned-emaonly-fp16.safetensors"
CONTROLNET = "control_v11p_sd15_openpose_fp16.safetensors"
SDPOSE = "sdpose_wholebody_fp16.safetensors"
#: Views, rows of pixels and colours of the example with large pixels.
LARGE_PIXELS = (("front", "back"), 128, 24)
PREVIEW_WIDTH, PREVIEW_QUALITY = 768, 80
RESULT_SHARE = 0.35  # of the preview's width, for the result of a workflow
WINDOW = (2400, 1500)  # pixels; large enough to keep nodes readable
#: The part of the window that shows only the graph, without the editor's own elements.
FRAME: FloatRect = {"x": 80, "y": 100, "width": 2300, "height": 1380}

#: Which character the examples show. A new ComfyUI has none: the note says how to save it.
_SHOWN = {"character": "Mira", "version": 0, "outfit": ""}

Prompt = dict[str, dict[str, Any]]

_NEEDS = f"Models:\n- `models/checkpoints/{CHECKPOINT}`, or any other SD1.5 checkpoint"
_NEEDS_POSE = f"{_NEEDS}\n- `models/controlnet/{CONTROLNET}`, or any other OpenPose ControlNet for SD1.5"

_NEEDS_CHARACTER = """Save the character first, or enter the name of one that you have:

```bash
curl http://127.0.0.1:8188/avatarforge-controller/characters \\
  -H "Content-Type: application/json" \\
  -d '{"name": "Mira", "description": "a young woman, red hair, freckles", "clothing": "a green dress"}'
```"""

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
            for name, (make_prompt, note) in EXAMPLES.items():
                page.goto(server.url)
                page.wait_for_function(
                    "() => window.app?.vueAppReady && window.app.rootGraph.nodes.length > 0"
                )
                graph_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"avatarforge/{name}"))
                graph = json.loads(page.evaluate(ARRANGE, [make_prompt(), note, graph_id, FRAME]))
                path = folder / f"{name}.json"
                path.write_text(json.dumps(graph, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
                result = RESULTS[name]() if name in RESULTS else None
                _write_preview(page.screenshot(clip=FRAME), path.with_suffix(".jpg"), result)
                written.append(path)
    return written


def _write_preview(screenshot: bytes, path: Path, result: Image.Image | None) -> None:
    """With the result of the workflow, if there is one, in the corner below the graph."""
    from PIL import Image

    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    picture.thumbnail((PREVIEW_WIDTH, PREVIEW_WIDTH), Image.Resampling.LANCZOS)
    if result is not None:
        result.thumbnail((round(PREVIEW_WIDTH * RESULT_SHARE), PREVIEW_WIDTH), Image.Resampling.LANCZOS)
        margin = PREVIEW_WIDTH // 64
        corner = (picture.width - result.width - margin, picture.height - result.height - margin)
        picture.paste(result, corner)
    picture.save(path, "JPEG", quality=PREVIEW_QUALITY)


def _spec(**changes: Any) -> Any:
    """The spec that the API would resolve from a request, for the models above."""
    spec = importlib.import_module("avatarforge.forge.spec.avatar")
    defaults = {
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
    return spec.AvatarSpec(**{**defaults, **changes})


def _compiled(**changes: Any) -> Prompt:
    compile_ = importlib.import_module("avatarforge.forge.graphs.compile")
    prompt: Prompt = compile_.compile_prompt(_spec(**changes), "").prompt
    return prompt


def _drawn(**changes: Any) -> Prompt:
    """The same for the family that draws, which needs no model."""
    doll = importlib.import_module("avatarforge.forge.families.doll").DOLL
    values = {
        "checkpoint": doll.model,
        "model_folder": "",
        "family": doll.name,
        "controlnet": None,
        "pose_method": "keypoints",
        "steps": doll.sampling.steps,
        "consistency": doll.consistency,
    }
    return _compiled(**{**values, **changes})


def _pose(kind: str, treatment: str, **plan: Any) -> Any:
    poses = importlib.import_module("avatarforge.forge.spec.pose")
    file = poses.PoseFile("", "", 512, 768, kind)
    return poses.PoseUse(file, poses.PosePlan(kind, treatment, **plan), "auto", 1.0)


def _from_text() -> Prompt:
    return _compiled(controlnet=None)


def _with_pose_and_reference() -> Prompt:
    use = importlib.import_module("avatarforge.forge.spec.reference").ReferenceUse
    pose = _pose("skeleton", "skeleton")
    return _compiled(views=(None,), pose=pose, reference=use("", "", 0.8, "attention"))


def _pose_from_photo() -> Prompt:
    return _compiled(views=(None,), pose=_pose("photo", "extract", extractor="sdpose", model=SDPOSE))


def _doll_with_pose_and_reference() -> Prompt:
    use = importlib.import_module("avatarforge.forge.spec.reference").ReferenceUse
    pose = _pose("skeleton", "skeleton")
    return _drawn(views=(None,), pose=pose, reference=use("", "", 0.8, "palette"))


def _doll_from_photo() -> Prompt:
    return _drawn(views=(None,), pose=_pose("photo", "extract", extractor="sdpose", model=SDPOSE))


def _four_seeds() -> Prompt:
    return _compiled(controlnet=None, count=4)


def _doll_sheet() -> Prompt:
    return _sheet_of(_drawn(views=importlib.import_module("avatarforge.forge.spec.views").SHEET_VIEWS))


def _doll_pixel_art() -> Prompt:
    return _drawn(views=LARGE_PIXELS[0], pixel_height=LARGE_PIXELS[1], pixel_colors=LARGE_PIXELS[2])


def _doll_in_a_pose() -> Prompt:
    """The front and the left of a pose of the library, on one sheet."""
    views = ("front", "left")
    pose = replace(_pose("library", "library"), pose_id="sitting", name="sitting")
    prompt = _drawn(views=views, pose=replace(pose, file=replace(pose.file, file_id=None)))
    return _with_sheet(prompt, dict(zip(views, _saved_pictures(prompt), strict=True)))


def _doll_of_a_character() -> Prompt:
    """The front of a saved character: its words, its seed, and its pictures as far as it has some."""
    prompt = _drawn()
    loader, joined = (str(max(map(int, prompt)) + offset) for offset in (1, 2))
    (doll,) = (node for node in prompt.values() if node["class_type"] == "AvatarForgePaperDoll")
    outputs = {
        "clothing": 1,
        "negative_prompt": 2,
        "style": 3,
        "reference": 5,
        "face_reference": 6,
        "outfit_reference": 7,
        "seed": 9,
        "realism": 10,
    }
    doll["inputs"] |= {"prompt": [joined, 0]} | {name: [loader, at] for name, at in outputs.items()}
    loader_inputs = {**_SHOWN, "expression": "happy", "view": "any", "missing": "leave out"}
    joined_inputs = {"string_a": [loader, 0], "string_b": [loader, 4], "delimiter": ", "}
    return {
        loader: {
            "class_type": "AvatarForgeLoadCharacter",
            "inputs": loader_inputs,
            "_meta": {"title": "Character"},
        },
        joined: {
            "class_type": "StringConcatenate",
            "inputs": joined_inputs,
            "_meta": {"title": "Description and expression"},
        },
        **prompt,
    }


def _character_from_eight_sides() -> Prompt:
    """All eight directions of a saved character in one batch, on one sheet."""
    views = importlib.import_module("avatarforge.forge.spec.views").EIGHT_VIEWS
    prompt = _compiled(views=views)
    (words,) = (node for node in prompt.values() if node["class_type"] == "AvatarForgePrompt")
    kept = {name: words["inputs"][name] for name in ("clip", "view", "views", "family")}
    words |= {
        "class_type": "AvatarForgeCharacterPrompt",
        "inputs": {
            **kept,
            **_SHOWN,
            "expression": "",
            "prompt": "",
            "elevation": "level",
            "clothing": "",
            "style": "",
            "negative_prompt": "",
        },
        "_meta": {"title": "Character prompt"},
    }
    return _with_sheet(prompt, dict(zip(views, _saved_pictures(prompt), strict=True)))


def _expressions() -> Prompt:
    """A picture whose face is drawn again with two expressions."""
    redraws = importlib.import_module("avatarforge.forge.spec.redraw")
    drawn = tuple(redraws.RedrawnExpression(name) for name in ("happy", "angry"))
    redraw = redraws.RedrawUse("", "", 512, 768, "", 1, ("front",), drawn, identity_seed=42)
    return _drawn(views=("front", "front"), redraw=redraw)


def _with_sheet(prompt: Prompt, pictures: Mapping[str, list[Any]]) -> Prompt:
    """Replace the prompt's saving nodes with a sheet of these pictures."""
    kept = {id_: node for id_, node in prompt.items() if node["class_type"] != "AvatarForgeSave"}
    sheet_id, save_id = (str(max(map(int, prompt)) + offset) for offset in (1, 2))
    sheet_inputs = {"title": "", "background": "auto", "figure_height": 896, **pictures}
    save_inputs = {"images": [sheet_id, 0], "generation_id": "", "position": 1}
    return {
        **kept,
        sheet_id: {
            "class_type": "AvatarForgeCharacterSheet",
            "inputs": sheet_inputs,
            "_meta": {"title": "Sheet"},
        },
        save_id: {
            "class_type": "AvatarForgeSave",
            "inputs": save_inputs,
            "_meta": {"title": "Save the sheet"},
        },
    }


def _turnaround_sheet() -> Prompt:
    return _sheet_of(_compiled(views=importlib.import_module("avatarforge.forge.spec.views").SHEET_VIEWS))


def _sheet_of(prompt: Prompt) -> Prompt:
    """The four views that this prompt saves, on a sheet."""
    views = importlib.import_module("avatarforge.forge.spec.views").SHEET_VIEWS
    return _with_sheet(prompt, dict(zip(views, _saved_pictures(prompt), strict=True)))


def _saved_pictures(prompt: Prompt) -> list[Any]:
    """Links to the pictures that this prompt saves."""
    return [node["inputs"]["images"] for node in prompt.values() if node["class_type"] == "AvatarForgeSave"]


def _sheet_of_saved_views() -> Prompt:
    views = importlib.import_module("avatarforge.forge.spec.views").SHEET_VIEWS
    loaders: Prompt = {
        str(number): {
            "class_type": "AvatarForgeLoadView",
            "inputs": {"generation_id": "", "position": number},
            "_meta": {"title": f"Saved {view}"},
        }
        for number, view in enumerate(views, start=1)
    }
    return _with_sheet(loaders, {view: [str(number), 0] for number, view in enumerate(views, start=1)})


#: Name -> function that makes the prompt, and text of the note beside it.
EXAMPLES: dict[str, tuple[Callable[[], Prompt], str]] = {
    "avatar_from_words": (_from_text, f"A character in words, seen from the front.\n\n{_NEEDS}"),
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
    "four_seeds": (
        _four_seeds,
        "One character four times in one batch, each with a seed of its own in the node *A seed for each "
        f"picture*. A seed that you like gives the same picture alone.\n\n{_NEEDS}",
    ),
    "paper_doll_sheet": (
        _doll_sheet,
        "One character from four sides on one sheet, drawn by *Paper Doll*. No model is needed.",
    ),
    "paper_doll_pixel_art": (
        _doll_pixel_art,
        "A drawn character from two sides, reduced by *Pixel Art* to large pixels in one palette, that of "
        "the front. The node does the same with pictures of any model. No model is needed.",
    ),
    "paper_doll_in_a_pose": (
        _doll_in_a_pose,
        "A drawn character in a pose of the pose library, from two sides. Enter another name in the node "
        "*Pose sitting*: waving, walking, lying_on_side, one of your own. No model is needed.",
    ),
    "paper_doll_of_a_character": (
        _doll_of_a_character,
        "A saved character, drawn: its words, its seed, and its reference pictures where it has some. "
        "*Load Character* also takes the name of an outfit, and another expression. No model is "
        f"needed.\n\n{_NEEDS_CHARACTER}",
    ),
    "character_from_eight_sides": (
        _character_from_eight_sides,
        "A saved character from eight sides, in one batch on eight skeletons, and on one sheet. "
        f"*Character Prompt* writes the words of each view.\n\n{_NEEDS_CHARACTER}\n\n{_NEEDS_POSE}",
    ),
    "paper_doll_with_pose_and_reference": (
        _doll_with_pose_and_reference,
        "A drawn character in the pose of one picture and with the colours of another. Choose or upload both "
        "in the nodes *Pose* (OpenPose JSON or a skeleton) and *Reference*. No model is needed.",
    ),
    "paper_doll_from_photo": (
        _doll_from_photo,
        "A drawn character in the pose of a photo. Choose or upload the photo in the node *Photo*, and enter "
        "its content_hash, as the upload or the file list gives it, in *Keep skeleton*.\n\nModels:\n- "
        f"`models/checkpoints/{SDPOSE}`",
    ),
    "expressions": (
        _expressions,
        "The face of a drawn picture with two other expressions; everything else stays as it is. Choose or "
        "upload the picture in the node *Source*, and describe it in *Paper doll*. With a model, *Face "
        "region* goes into Set Latent Noise Mask, and its sampler takes the place of *Paper doll*. No model "
        "is needed.",
    ),
    "sheet_of_saved_views": (
        _sheet_of_saved_views,
        "The four pictures of a generation on one sheet. Enter its id, as the API gives it, in each *Saved* "
        "node. No model is needed.",
    ),
}


def _drawn_sheet() -> Image.Image:
    """What the workflow `paper_doll_sheet` gives."""
    from .dolls import knight_sheet

    return knight_sheet()


def _drawn_in_large_pixels() -> Image.Image:
    """What the workflow `paper_doll_pixel_art` gives."""
    from .dolls import knight_in_large_pixels

    return knight_in_large_pixels(*LARGE_PIXELS)


#: Name -> function that draws the result of the workflow, for its preview: only drawings are known before.
RESULTS: dict[str, Callable[[], Image.Image]] = {
    "paper_doll_sheet": _drawn_sheet,
    "paper_doll_pixel_art": _drawn_in_large_pixels,
}


if __name__ == "__main__":
    try:
        for path in make_workflows(Path(sys.argv[1])):
            print(f"{FOLDER}/{path.name}")
    except LabError as error:
        sys.exit(f"\n{error}")
