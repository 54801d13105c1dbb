"""A finished picture dropped onto ComfyUI's real graph editor: its graph opens there, and runs."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, open_browser
from editor import load_editor
from pictures import picture
from PIL import Image
from playwright.sync_api import Page

from lab.api import Api

POSE_PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "pose.png"
PROMPT = "a knight in the rain, so quiet"
SEED, OTHER_SEED, STEPS = 2**53 - 3, 12_345, 2

DROP = """([bytes, name]) => {
    const content = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([content], name, { type: "image/png" }));
    const canvas = document.querySelector("#graph-canvas");
    const at = { clientX: innerWidth / 2, clientY: innerHeight / 2 };
    for (const kind of ["dragenter", "dragover", "drop"])
        canvas.dispatchEvent(
            new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer, ...at }));
}"""
NODES = """() => window.app.rootGraph.nodes.map((node) => ({
    id: String(node.id), type: node.type, title: node.title, failed: Boolean(node.has_errors),
    box: [...node.pos, ...node.size],
    values: Object.fromEntries((node.widgets ?? []).map((widget) => [widget.name, widget.value])),
    // Round sockets are optional: the model of AvatarForgePrompt.
    unlinked: (node.inputs ?? []).some((input) => !input.widget && input.link === null && input.shape !== 7),
}))"""
SET_SEED = """(seed) => {
    for (const node of window.app.rootGraph.nodes)
        for (const widget of node.widgets ?? [])
            if (widget.name === "seed") widget.value = seed;
}"""
ENDED = """async (id) => {
    for (;;) {
        const history = await (await fetch(`/history/${id}`)).json();
        if (id in history) return history[id];
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
}"""


@dataclass(frozen=True)
class Finished:
    """A completed generation of one picture.

    Attributes:
        generation: the API's answer.
        content: the picture's bytes.
        prompt: the API prompt in its metadata.
    """

    generation: dict[str, Any]
    content: bytes
    prompt: dict[str, Any]

    @property
    def url(self) -> str:
        url: str = self.generation["output_files"][0]["url"]
        return url


@pytest.fixture(scope="module")
def finished(api: Api) -> Finished:
    """A generation that uses each kind of node that the API's graphs have."""
    accepted = api.generate(
        "/generate_pose?pose=side",
        prompt=PROMPT,
        seed=SEED,
        steps=STEPS,
        pose_file_id=api.upload(POSE_PICTURE.read_bytes())["file_id"],
        reference_file_id=api.upload(picture(72), "reference")["file_id"],
    )
    generation = api.wait(accepted["generation_id"])
    assert generation["status"] == "completed", generation["error"]
    content = api.get(generation["output_files"][0]["url"]).content
    with Image.open(io.BytesIO(content)) as opened:
        return Finished(generation, content, json.loads(opened.info["prompt"]))


@pytest.fixture(scope="module")
def editor(api: Api, finished: Finished) -> Iterator[Browser]:
    """The editor with the picture dropped onto it."""
    # At its first start the editor would lay a dialog with templates over the canvas.
    assert api.request("POST", f"{api.server}/settings", json={"Comfy.TutorialCompleted": True}).ok
    with open_browser() as browser:
        page = browser.page
        load_editor(page, api.server)
        page.evaluate(DROP, [base64.b64encode(finished.content).decode(), "avatarforge_00001.png"])
        page.wait_for_function(
            "(count) => window.app.rootGraph.nodes.some((node) => node.type === 'AvatarForgeSave')"
            " && window.app.rootGraph.nodes.length >= count",
            arg=len(finished.prompt),
        )
        yield browser


def on_canvas(editor: Browser) -> dict[str, dict[str, Any]]:
    """Node id -> what the editor made of the node."""
    return {node["id"]: node for node in editor.page.evaluate(NODES)}


def run(page: Page) -> dict[str, Any]:
    """Press Run and wait until ComfyUI is done with it; what its history says of the prompt."""
    with page.expect_response("**/prompt") as answered:
        # The second of that name opens a menu.
        page.get_by_role("button", name="Run", exact=True).first.click()
    assert answered.value.ok, answered.value.text()
    record: dict[str, Any] = page.evaluate(ENDED, answered.value.json()["prompt_id"])
    return record


def bare(prompt: dict[str, Any]) -> dict[str, Any]:
    """A prompt without the titles of its nodes."""
    return {key: {name: node[name] for name in ("class_type", "inputs")} for key, node in prompt.items()}


def test_every_node_is_on_the_canvas_with_its_title(editor: Browser, finished: Finished) -> None:
    shown = on_canvas(editor)
    assert {key: (node["type"], node["title"]) for key, node in shown.items()} == {
        key: (node["class_type"], node["_meta"]["title"]) for key, node in finished.prompt.items()
    }
    assert {node["type"] for node in shown.values() if node["type"].startswith("AvatarForge")} == {
        "AvatarForgePrompt",
        "AvatarForgeLoadPose",
        "AvatarForgeApplyPose",
        "AvatarForgeLoadReference",
        "AvatarForgeReferenceLatent",
        "AvatarForgeApplyReference",
        "AvatarForgeViewsLatent",
        "AvatarForgeSave",
    }


def test_nothing_is_missing_or_unlinked(editor: Browser) -> None:
    shown = on_canvas(editor)
    assert [node["title"] for node in shown.values() if node["failed"] or node["unlinked"]] == []
    assert editor.page.get_by_role("dialog").count() == 0


def test_no_node_lies_on_another(editor: Browser) -> None:
    boxes = [node["box"] for node in on_canvas(editor).values()]
    overlaps = [
        (item, other)
        for index, item in enumerate(boxes)
        for other in boxes[:index]
        if item[0] < other[0] + other[2]
        and other[0] < item[0] + item[2]
        and item[1] < other[1] + other[3]
        and other[1] < item[1] + item[3]
    ]
    assert overlaps == []


def test_the_widgets_show_what_was_asked_for(editor: Browser, finished: Finished) -> None:
    shown = on_canvas(editor).values()
    (sampler,) = [node["values"] for node in shown if node["type"] == "KSampler"]
    assert (sampler["seed"], sampler["steps"]) == (SEED, STEPS)
    used = finished.generation["parameters"]
    assert (sampler["cfg"], sampler["sampler_name"], sampler["scheduler"]) == (
        used["cfg"],
        used["sampler"],
        used["scheduler"],
    )
    (words,) = [node["values"] for node in shown if node["type"] == "AvatarForgePrompt"]
    assert (words["prompt"], words["view"], words["family"]) == (PROMPT, "side", "sd15")
    (checkpoint,) = [node["values"] for node in shown if node["type"] == "CheckpointLoaderSimple"]
    assert checkpoint["ckpt_name"] == used["checkpoint"]


def test_it_runs_as_the_api_ran_it(editor: Browser, finished: Finished) -> None:
    drawn = editor.page.evaluate("async () => (await window.app.graphToPrompt()).output")
    assert bare(drawn) == bare(finished.prompt)

    record = run(editor.page)
    assert record["status"]["status_str"] == "success"
    assert bare(record["prompt"][2]) == bare(finished.prompt)


def test_a_changed_graph_leaves_the_finished_picture_alone(
    editor: Browser, api: Api, finished: Finished
) -> None:
    editor.page.evaluate(SET_SEED, OTHER_SEED)
    record = run(editor.page)

    assert record["status"]["status_str"] == "success"
    (image,) = [image for output in record["outputs"].values() for image in output["images"]]
    made = api.root("/view", params=image).content
    with Image.open(io.BytesIO(made)) as opened:
        prompt = json.loads(opened.info["prompt"])
    assert [node["inputs"]["seed"] for node in prompt.values() if node["class_type"] == "KSampler"] == [
        OTHER_SEED
    ]
    assert api.get(finished.url).content == finished.content
