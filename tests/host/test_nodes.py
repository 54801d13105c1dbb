"""The nodes on a real ComfyUI."""

from __future__ import annotations

import io
import json
import secrets
import uuid
from pathlib import Path
from typing import Any

from exporting import BLUE, RED, Drawn
from pictures import picture
from PIL import Image

from lab.api import Api

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "object_info.json").read_text(encoding="utf-8")
)


def kinds(inputs: dict[str, Any]) -> dict[str, Any]:
    """The type of each input; a list of choices, which depends on what is installed, counts as one."""
    found = {}
    for group in ("required", "optional"):
        for name, (kind, *_) in inputs.get(group, {}).items():
            found[name] = (group, "COMBO" if isinstance(kind, list) else kind)
    return found


def test_the_record_that_offline_tests_use_is_that_of_the_host(api: Api) -> None:
    live = api.root("/object_info").json()
    assert {name for name in live if name.startswith("AvatarForge")} == {
        name for name in RECORDED if name.startswith("AvatarForge")
    }
    for name, node in RECORDED.items():
        assert kinds(live[name]["input"]) == kinds(node["input"]), name
        assert live[name]["output"] == node["output"], name


def test_every_node_says_what_it_is(api: Api) -> None:
    live = api.root("/object_info").json()
    ours = [node for name, node in live.items() if name.startswith("AvatarForge")]
    assert ours
    for node in ours:
        assert node["display_name"].endswith("(AvatarForge)")
        assert node["description"]
        assert node["category"] == "AvatarForge"
        assert node["search_aliases"]


def run(api: Api, prompt: dict[str, Any], prompt_id: str) -> dict[str, Any]:
    """Queue a graph under this id; what ComfyUI's history says of it."""
    answer = api.request("POST", f"{api.server}/prompt", json={"prompt": prompt, "prompt_id": prompt_id})
    assert answer.status_code == 200, answer.text
    return api.history(prompt_id)


def test_nodes_take_ids_in_capitals(api: Api) -> None:
    file_id = api.upload(picture(secrets.randbits(64)), "reference")["file_id"]
    prompt_id = str(uuid.uuid4())
    loaders: tuple[tuple[str, dict[str, Any]], ...] = (
        ("AvatarForgeLoadReference", {"file_id": file_id.upper()}),
        ("AvatarForgeLoadPose", {"file_id": file_id.upper(), "width": 0, "height": 0, "bones": "standard"}),
        ("AvatarForgeLoadView", {"position": 1}),
    )
    for loader, named in loaders:
        last, prompt_id = prompt_id, str(uuid.uuid4())
        if loader == "AvatarForgeLoadView":
            named["generation_id"] = last.upper()  # what the prompt before has saved
        saved = {"images": ["load", 0], "generation_id": "", "position": 1}
        prompt = {
            "load": {"class_type": loader, "inputs": named},
            "save": {"class_type": "AvatarForgeSave", "inputs": saved},
        }
        record = run(api, prompt, prompt_id)
        assert record["status"]["status_str"] == "success", record["status"]
        assert api.get(f"/generations/{prompt_id}").json()["generation_id"] == prompt_id


def test_an_atlas_of_loaded_pictures_is_written_each_time_to_a_folder_of_its_own(api: Api) -> None:
    pictures = {"front": Drawn(), "back": Drawn(size=(80, 96), colour=BLUE)}
    graph: dict[str, Any] = {
        view: {
            "class_type": "AvatarForgeLoadReference",
            "inputs": {"file_id": api.upload(drawn.png(), "reference")["file_id"]},
        }
        for view, drawn in pictures.items()
    }
    name = f"atlas-{secrets.token_hex(4)}"
    inputs = {"name": name, "names": "", "format": "atlas", "height": 0}
    links = {view: [view, 0] for view in pictures}
    graph["atlas"] = {"class_type": "AvatarForgeExportAtlas", "inputs": {**inputs, **links}}
    (shown,) = run(api, graph, str(uuid.uuid4()))["outputs"]["atlas"]["images"]
    assert shown == {
        "filename": f"{name}.png",
        "subfolder": f"avatarforge_atlases/{name}_00001",
        "type": "output",
    }
    data = api.root("/view", params={**shown, "filename": f"{name}.json"}).json()
    texture = Image.open(io.BytesIO(api.root("/view", params=shown).content))
    assert [*data["frames"]] == ["front", "back"]
    for frame, colour in zip(data["frames"].values(), (RED, BLUE), strict=True):
        place = frame["frame"]
        feet = (place["x"] + place["w"] // 2, place["y"] + place["h"] - 1)
        assert texture.getpixel(feet) == (*colour, 255)
        assert frame["pivot"] == {"x": 0.5, "y": 1.0}
    inputs["height"] = 40
    graph["atlas"]["inputs"] = {**inputs, **links}
    (shown,) = run(api, graph, str(uuid.uuid4()))["outputs"]["atlas"]["images"]
    assert shown["subfolder"] == f"avatarforge_atlases/{name}_00002"
