"""Posts workflows, which the real editor converts, as templates, and judges the answers.

A graph is saved, or refused with everything that it lacks by name. What it lacks is also worked out here,
from the list of nodes that ComfyUI itself gives. To check that nothing was left out, the missing files are
then created and the graph is posted again.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .api import Api
from .server import ComfyServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

CONVERT = """async (graph) => {
    await app.loadGraphData(graph);
    const { readGraph } = await import("/extensions/avatarforge/templates/graph.mjs");
    return JSON.stringify(await readGraph(app));
}"""
MODEL_FILES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".onnx")
PICTURE_FILES = (".png", ".jpg", ".jpeg", ".webp")
SIZE = 64  # pixels of a picture that stands in for one that a workflow loads
OK, SERVER_ERROR = 200, 500
INCOMPLETE = "template_incomplete"
#: Codes of a refusal whose sentences say what is wrong.
CLEAR_CODES = (INCOMPLETE, "template_invalid", "prompt_refused")


@dataclass
class Outcome:
    """What became of one workflow.

    Attributes:
        name: of the workflow in the package.
        nodes: nodes in the API prompt.
        status: the HTTP status of POST /templates; 0 if the editor could not convert the workflow.
        code: of a refusal, else "".
        problems: sentences about what else is wrong.
        slots: names of the slots that were found.
        missing_nodes: classes that no pack has.
        missing_files: names of model files that are not installed.
        fault: why this is a failure of the pack; "" if it is none.
        filled: the same after the missing files were created; None if there was nothing to create.
    """

    name: str
    nodes: int = 0
    status: int = 0
    code: str = ""
    problems: list[str] = field(default_factory=list)
    slots: list[str] = field(default_factory=list)
    missing_nodes: list[str] = field(default_factory=list)
    missing_files: list[str] = field(default_factory=list)
    fault: str = ""
    filled: Outcome | None = None

    @property
    def saved(self) -> bool:
        return self.status == OK

    @property
    def last(self) -> Outcome:
        """The outcome once all files that could be created are there."""
        return self.filled or self

    @property
    def faults(self) -> list[str]:
        return [item.fault for item in (self, self.filled) if item is not None and item.fault]


class Poster:
    """Converts workflows in an open editor and posts them to the API of the same server."""

    def __init__(self, server: ComfyServer, page: Page) -> None:
        self._server = server
        self._api = Api(server.url)
        self._page = page
        self._nodes: dict[str, Any] = self._api.root("/object_info").json()
        self._folders: list[str] = self._api.root("/models").json()

    def post(self, name: str, workflow: dict[str, Any]) -> Outcome:
        """Convert and post one workflow; if files are missing, create them and post it again."""
        try:
            graph = json.loads(self._page.evaluate(CONVERT, workflow))
        except Exception as error:  # noqa: BLE001 - whatever the editor throws is the finding
            return Outcome(name, fault=f"the editor could not convert it: {str(error).splitlines()[0]}")
        body = {key: graph[key] for key in ("prompt", "workflow", "slots")}
        outcome = self._post(name, body)
        if not outcome.saved and self._create_files(workflow, body["prompt"], outcome):
            self._nodes = self._api.root("/object_info").json()
            outcome.filled = self._post(name, body)
        return outcome

    def _post(self, name: str, body: dict[str, Any]) -> Outcome:
        inspected = self._api.post("/templates/inspect", json=body)
        answer = self._api.post("/templates", json={**body, "name": name[:100]})
        outcome = Outcome(name, nodes=len(body["prompt"]), status=answer.status_code)
        if inspected.status_code != OK or answer.status_code >= SERVER_ERROR:
            outcome.fault = (
                f"{inspected.status_code} {inspected.text[:200]}; {answer.status_code} {answer.text[:200]}"
            )
            return outcome
        found, content = inspected.json(), answer.json()
        outcome.slots = sorted(found["slots"])
        outcome.missing_nodes = sorted({item["class_type"] for item in found["missing_nodes"]})
        outcome.missing_files = sorted({item["value"] for item in found["missing_models"]})
        outcome.problems = found["problems"]
        outcome.code = str(content.get("code", ""))
        if outcome.saved:
            self._api.delete(f"/templates/{content['template_id']}")
        outcome.fault = self._judge(outcome, body["prompt"], answer.text)
        return outcome

    def _judge(self, outcome: Outcome, prompt: dict[str, Any], answer: str) -> str:
        """Why an answer is wrong or says too little; "" if it is right."""
        nodes, files = self._lacking(prompt)
        if outcome.saved:
            if nodes or files:
                return f"saved without {', '.join([*nodes, *files])}"
            return "" if "output" in outcome.slots else "saved without an output"
        if outcome.code not in CLEAR_CODES:
            return f"refused with {outcome.status} {outcome.code or answer[:200]}"
        if outcome.code == "template_invalid":
            return "" if outcome.problems else "refused without a reason"
        unnamed = [name for name in (*nodes, *files) if json.dumps(name)[1:-1] not in answer]
        if unnamed:
            return f"the refusal does not name {', '.join(unnamed)}"
        named = outcome.missing_nodes or outcome.missing_files or outcome.problems
        return "" if named else "refused without a reason"

    def _lacking(self, prompt: dict[str, Any]) -> tuple[list[str], list[str]]:
        """The classes of a prompt that ComfyUI does not list, and the model files of what it would run."""
        nodes = {node["class_type"] for node in prompt.values() if node["class_type"] not in self._nodes}
        files = {
            value
            for node in self._run(prompt)
            for name, value in node["inputs"].items()
            if isinstance(value, str) and value.lower().endswith(MODEL_FILES)
            if (listed := self._listed(node["class_type"], name)) is not None and value not in listed
        }
        return sorted(nodes), sorted(files)

    def _run(self, prompt: dict[str, Any]) -> list[dict[str, Any]]:
        """The nodes that lead to an output; ComfyUI looks at no others."""
        found = [
            node_id
            for node_id, node in prompt.items()
            if self._nodes.get(node["class_type"], {}).get("output_node")
        ]
        seen = set(found)
        for node_id in found:  # grows while it is walked
            for value in prompt[node_id]["inputs"].values():
                source = str(value[0]) if isinstance(value, list) and len(value) == 2 else ""
                if source in prompt and source not in seen:
                    seen.add(source)
                    found.append(source)
        return [prompt[node_id] for node_id in found]

    def _listed(self, class_type: str, name: str) -> list[Any] | None:
        """The values of a menu of a node; None if it is no menu."""
        inputs = self._nodes.get(class_type, {}).get("input", {})
        spec = {**inputs.get("optional", {}), **inputs.get("required", {})}.get(name)
        if not spec:
            return None
        if isinstance(spec[0], list):
            return spec[0]
        options = spec[1].get("options") if len(spec) > 1 and spec[0] == "COMBO" else None
        return options if isinstance(options, list) else None

    def _create_files(self, workflow: dict[str, Any], prompt: dict[str, Any], outcome: Outcome) -> bool:
        """Create what is missing, in the folders that the workflow names. Returns whether anything was."""
        folders = dict(model_folders(workflow))
        created = False
        for name in outcome.missing_files:
            plain = name.replace("\\", "/")
            for folder in [folders[name]] if folders.get(name) in self._folders else self._folders:
                created |= _create(self._server.base / "models" / folder / plain, EMPTY_MODEL)
        for node in prompt.values():
            for value in node["inputs"].values():
                if isinstance(value, str) and value.lower().endswith(PICTURE_FILES):
                    created |= _create(self._server.base / "input" / value, PICTURE)
        return created


def model_folders(value: object) -> Iterator[tuple[str, str]]:
    """(file name, folder under models/) of each model that a workflow says it needs."""
    if isinstance(value, dict):
        properties = value.get("properties")
        models = properties.get("models") if isinstance(properties, dict) else None
        for model in models if isinstance(models, list) else ():
            if isinstance(model, dict) and isinstance(model.get("name"), str):
                yield model["name"], str(model.get("directory"))
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(item, (dict, list)):
            yield from model_folders(item)


def _create(path: Path, content: bytes) -> bool:
    if path.exists() or ".." in path.parts:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True


def _picture() -> bytes:
    """A grey PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\x80" * SIZE) * SIZE
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


PICTURE = _picture()
#: A safetensors file without tensors: a name in ComfyUI's menus, which is all that validation looks at.
EMPTY_MODEL = struct.pack("<Q", 2) + b"{}"
