"""The example workflows: they open in ComfyUI's real editor, and run from there and from comfy-cli."""

from __future__ import annotations

import io
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from editor import OPEN, open_editor, prompt_of
from pictures import picture
from PIL import Image
from playwright.sync_api import expect

from avatarforge.forge.families.catalogue import all_downloads
from lab import synthetic
from lab.api import Api
from lab.server import HOST, ComfyServer

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "example_workflows").glob("*.json"))
SKELETON = Path(__file__).resolve().parents[2] / "docs" / "images" / "pose.png"
WITHOUT_MODELS = (
    "Sheet of saved views",
    "Paper doll sheet",
    "Paper doll in pixel art",
    "Judged paper doll",
    "Paper doll in a library pose",
    "Paper doll of a saved character",
    "Paper doll with pose and reference",
    "New expressions on a picture",
)
CHARACTER_NODES = ("AvatarForgeLoadCharacter", "AvatarForgeCharacterPrompt")
FROM_PHOTO = ("Pose from a photo", "Paper doll in the pose of a photo")
#: Pixels and steps of the examples -> what is quick.
SMALLER = {512: 64, 768: 64, 480: 40, 896: 64, 20: 1}
COMFY = ("-c", "from comfy_cli.__main__ import main; main()", "--skip-prompt")
ENDED = """async (id) => {
    for (;;) {
        const history = await (await fetch(`/history/${id}`)).json();
        if (id in history) return history[id];
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
}"""
STATE = """() => app.rootGraph.nodes.map((node) => ({
    type: node.type, known: node.type in LiteGraph.registered_node_types,
    box: [node.pos[0], node.pos[1] - 30, node.size[0], node.size[1] + 30],
}))"""

examples = pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])


@pytest.fixture(scope="module")
def editor(api: Api) -> Iterator[Browser]:
    with open_editor(api) as browser:
        yield browser


@pytest.fixture(scope="module")
def sheet(api: Api) -> str:
    """The id of a completed generation with all four views."""
    generation_id: str = api.generate("/generate_all_poses")["generation_id"]
    api.wait(generation_id)
    return generation_id


def saved_character(api: Api) -> str:
    """The name of a new character without pictures."""
    name = f"Mira {secrets.token_hex(4)}"
    body = {"name": name, "description": "a young woman, red hair", "clothing": "a green dress"}
    answer = api.post("/characters", json=body)
    assert answer.status_code == 200, answer.text
    return name


def small(prompt: dict[str, Any], api: Api, sheet: str) -> dict[str, Any]:
    """The prompt with installed models, stored files and little to compute."""
    stored = api.upload(picture(5), "reference")["file_id"]
    values = {
        "ckpt_name": synthetic.file_name("sd15"),
        "control_net_name": synthetic.file_name("sd15-openpose"),
        "file_id": stored,
        "generation_id": sheet,
        "width": 64,
        "height": 64,
        "steps": 1,
        "figure_height": 64,
    }
    for node in prompt.values():
        # A size of 0 is that of what comes in.
        node["inputs"].update(
            {name: value for name, value in values.items() if node["inputs"].get(name, 0) != 0}
        )
        if node["class_type"] in CHARACTER_NODES:
            node["inputs"]["character"] = saved_character(api)
        if node["class_type"] == "AvatarForgeLoadKeypoints":
            node["inputs"]["file_id"] = api.upload(SKELETON.read_bytes())["file_id"]
    return prompt


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} >= {"Avatar from words", "Turnaround sheet"}


@examples
def test_it_opens_with_every_node_and_none_on_another(editor: Browser, path: Path) -> None:
    graph = json.loads(path.read_text(encoding="utf-8"))
    editor.page.evaluate(OPEN, graph)
    nodes = editor.page.evaluate(STATE)
    assert sorted(node["type"] for node in nodes) == sorted(node["type"] for node in graph["nodes"])
    assert [node["type"] for node in nodes if not node["known"]] == []
    boxes = [node["box"] for node in nodes]
    for at, (left, top, width, height) in enumerate(boxes):
        for x, y, wide, high in boxes[:at]:
            assert left + width <= x or x + wide <= left or top + height <= y or y + high <= top


@examples
def test_it_says_which_models_it_needs(path: Path) -> None:
    graph = json.loads(path.read_text(encoding="utf-8"))
    (note,) = [node["widgets_values"][0] for node in graph["nodes"] if node["type"] == "MarkdownNote"]
    named = [
        value
        for node in graph["nodes"]
        for value in (node.get("widgets_values") or [])
        if str(value).endswith(".safetensors")
    ]
    assert bool(named) is (path.stem not in WITHOUT_MODELS)
    assert [name for name in named if name not in note] == []
    entries = [entry for node in graph["nodes"] for entry in node["properties"].get("models", [])]
    assert [entry["name"] for entry in entries] == named
    known = [file.entry for file in all_downloads()]
    assert [entry for entry in entries if entry not in known] == []


@examples
def test_it_runs_as_the_editor_sends_it(editor: Browser, api: Api, sheet: str, path: Path) -> None:
    editor.page.evaluate(OPEN, json.loads(path.read_text(encoding="utf-8")))
    prompt = small(prompt_of(editor.page), api, sheet)
    if path.stem in FROM_PHOTO:
        # No weights of SDPose can be had here, so its reading is replaced by what it gives.
        (reader,) = [item for item in prompt.values() if item["class_type"] == "AvatarForgeDrawKeypoints"]
        reader.update(
            class_type="AvatarForgePoseSkeleton",
            inputs={"view": "front", "width": 256, "height": 384, "bones": "standard"},
        )
        (keep,) = [item for item in prompt.values() if item["class_type"] == "AvatarForgeKeepSkeleton"]
        keep["inputs"]["source_hash"] = api.upload(picture(5))["content_hash"]
    answer = api.request("POST", f"{api.server}/prompt", json={"prompt": prompt})
    assert answer.status_code == 200, answer.text
    record = editor.page.evaluate(ENDED, answer.json()["prompt_id"])
    assert record["status"]["status_str"] == "success", record["status"]
    assert [image for output in record["outputs"].values() for image in output.get("images", [])]


@pytest.mark.parametrize(
    "path", [path for path in EXAMPLES if path.stem not in FROM_PHOTO], ids=lambda path: path.stem
)
def test_comfy_cli_runs_it(comfy: ComfyServer, api: Api, sheet: str, tmp_path: Path, path: Path) -> None:
    """As it lies, but for the models and pictures that are there, and less to compute. The
    examples with a photo are left out: no weights of SDPose can be had here."""
    graph = json.loads(path.read_text(encoding="utf-8"))
    chosen = {
        "CheckpointLoaderSimple": synthetic.file_name("sd15"),
        "ControlNetLoader": synthetic.file_name("sd15-openpose"),
        "AvatarForgeLoadPose": api.upload(picture(5))["file_id"],
        "AvatarForgeLoadKeypoints": api.upload(SKELETON.read_bytes())["file_id"],
        "AvatarForgeLoadReference": api.upload(picture(6), "reference")["file_id"],
        "AvatarForgeLoadView": sheet,
        **dict.fromkeys(CHARACTER_NODES, saved_character(api)),
    }
    for node in graph["nodes"]:
        values = node.get("widgets_values") or []
        node["widgets_values"] = [
            SMALLER.get(value, value) if type(value) is int else value for value in values
        ]
        if node["type"] in chosen:
            node["widgets_values"][0] = chosen[node["type"]]
    workflow = tmp_path / "workflow.json"
    workflow.write_text(json.dumps(graph), encoding="utf-8")
    where = ("--host", HOST, "--port", str(comfy.port))
    answer = subprocess.run(
        [sys.executable, *COMFY, "run", "--workflow", workflow, "--wait", *where],
        env={**os.environ, "DO_NOT_TRACK": "1", "NO_PROXY": HOST, "no_proxy": HOST},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    envelope = json.loads(answer.stdout.splitlines()[-1])
    assert envelope["data"]["status"] == "completed"
    assert envelope["data"]["outputs"]


def test_the_editor_offers_the_models_that_are_missing(editor: Browser) -> None:
    page = editor.page
    graph = json.loads(next(path for path in EXAMPLES if path.stem == "Pose from a photo").read_text("utf-8"))
    names = [entry["name"] for node in graph["nodes"] for entry in node["properties"].get("models", [])]
    page.evaluate(OPEN, graph)
    page.get_by_role("button", name="View details").first.click()
    expect(page.get_by_text("Missing Models")).to_be_visible()
    for name in names:
        expect(page.get_by_text(name, exact=True)).to_be_visible()
    expect(page.get_by_text("Download", exact=True)).to_have_count(len(names))


def test_the_templates_view_has_a_picture_of_each(api: Api) -> None:
    listed = api.root("/api/workflow_templates").json()
    assert sorted(listed["avatarforge"]) == [path.stem for path in EXAMPLES]
    for path in EXAMPLES:
        answer = api.root(f"/api/workflow_templates/avatarforge/{path.stem}.jpg")
        assert answer.status_code == 200
        with Image.open(io.BytesIO(answer.content)) as shown:
            assert shown.format == "JPEG"
