"""Every model family through the API on a real ComfyUI, from a request to pixels: every input counts.

Two pictures of a family may be equal only where that is said. A synthetic model proves that the inputs
arrive, not that they look good.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from family_requests import family_requests
from installed_models import everything
from pictures import picture
from PIL import Image

from avatarforge.forge.families import FAMILIES
from avatarforge.forge.families.family import Family
from avatarforge.forge.spec.template import SLOTS
from lab import family_models
from lab.api import Api
from lab.server import ComfyServer

VIEWS = ["front", "back", "side", "quarter"]
SHEET, VIEW, AVATAR = "/generate_all_poses", "/generate_pose?pose={}", "/generate/avatar"
#: What ComfyUI logs when a file lacks tensors, has others, or a LoRA does not fit the model.
COMPLAINTS = ("lora key not loaded", "missing", "unexpected", "left over keys", "shape mismatch")
TIMEOUT = 300.0
WITH_PICTURES = ("qwen_edit", "flux2")
pytestmark = pytest.mark.timeout(900)  # the first run makes the models


@dataclass(frozen=True)
class Host:
    """The ComfyUI with the models of all families, and what was uploaded to it."""

    server: ComfyServer
    api: Api
    poses: tuple[str, str]
    references: tuple[str, str]

    def run(self, route: str = AVATAR, **body: Any) -> dict[str, Any]:
        """Generate, and check that the receipt is what ComfyUI ran."""
        wanted = {"seed": 5, "width": 64, "height": 64, **body}
        generation = self.api.generate(route, **wanted)
        done = self.api.wait(generation["generation_id"], TIMEOUT)
        assert done["status"] == "completed", (body, done["error"])
        for line in done["inputs"]:
            history = self.api.root(f"/history/{line['comfyui_prompt_id']}").json()
            node = history[line["comfyui_prompt_id"]]["prompt"][2][line["node"]]
            assert node["class_type"] == line["node_type"]
        return done

    def pixels(self, generation: dict[str, Any]) -> tuple[str, ...]:
        """A hash of each picture, without its metadata."""
        found = []
        for output in generation["output_files"]:
            with Image.open(io.BytesIO(self.api.root(output["url"]).content)) as image:
                found.append(hashlib.sha256(image.convert("RGB").tobytes()).hexdigest())
        return tuple(found)

    def free(self) -> None:
        """Have ComfyUI drop the models of the last family."""
        server = self.api.server
        wanted = {"unload_models": True, "free_memory": True}
        assert self.api.request("POST", f"{server}/free", json=wanted).ok
        # It does so between two prompts, perhaps not before the next one.
        empty = {"width": 8, "height": 8, "batch_size": 1, "color": 0}
        prompt = {
            "1": {"class_type": "EmptyImage", "inputs": empty},
            "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        }
        assert self.api.request("POST", f"{server}/prompt", json={"prompt": prompt}).ok


@pytest.fixture(scope="module")
def host(module_factory: Any) -> Iterator[Host]:
    needed = family_models.of(*family_models.FAMILIES)
    server = module_factory(models=needed.kinds, nodes=needed.nodes)
    api = Api(server.url)
    yield Host(
        server,
        api,
        (api.upload(picture(1))["file_id"], api.upload(picture(2))["file_id"]),
        (api.upload(picture(3), "reference")["file_id"], api.upload(picture(4), "reference")["file_id"]),
    )


@pytest.fixture
def named_files(host: Host) -> Iterator[None]:
    """Empty files with the names that the recorded graphs use, so that ComfyUI's loaders offer them."""
    installed = everything()
    folders = {
        "style_models": installed.style_models,
        "clip_vision": installed.clip_visions,
        **{
            folder: tuple(file.name for file in files if file.folder == folder)
            for files in (
                installed.models,
                installed.text_encoders,
                installed.vaes,
                installed.loras,
                installed.controlnets,
                installed.model_patches,
            )
            for folder in {file.folder for file in files}
        },
    }
    paths = [
        host.server.base / "models" / folder / name for folder, names in folders.items() for name in names
    ]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    yield
    for path in paths:
        path.unlink()


@pytest.mark.usefixtures("named_files")
def test_comfyui_accepts_every_graph_of_every_family(host: Host) -> None:
    """`validate_prompt`, which the inspection of a graph asks, on every kind of request."""
    no_slots: dict[str, list[str]] = {slot: [] for slot in SLOTS}

    def refusals(prompt: dict[str, Any]) -> tuple[Any, ...]:
        answer = host.api.post("/templates/inspect", json={"prompt": prompt, "slots": no_slots})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        return found["missing_nodes"], found["missing_models"], found["problems"]

    # No weights of SDPose can be had here, and an empty file is not taken for them.
    graphs = {
        (each.family, each.variant, each.name): each.compile().prompt
        for each in family_requests()
        if "photo" not in each.name
    }
    some = next(iter(graphs.values()))
    wrong = {key: {**node, "inputs": {}} for key, node in some.items()}
    accepted = refusals(some)
    assert accepted[:2] == ([], [])
    assert len(accepted[2]) < len(refusals(wrong)[2])  # what ComfyUI refuses would be here
    refused = {name: found for name, prompt in graphs.items() if (found := refusals(prompt)) != accepted}
    assert refused == {}


def single_pictures(
    host: Host, family: Family, lora: str, *, is_slow: bool
) -> dict[str, tuple[str, dict[str, Any]]]:
    """Name -> (route, fields) of requests for one picture, no two of which give the same pixels."""
    words: dict[str, Any] = {"pose_strength": 0.0}
    pose = {"pose_file_id": host.poses[0], "pose_mode": "raw"}
    cases: dict[str, tuple[str, dict[str, Any]]] = {
        "plain": (AVATAR, words),
        "other words": (AVATAR, {**words, "prompt": "a castle by the sea"}),
        "LoRA": (AVATAR, {**words, "loras": [{"name": lora}]}),
        "back": (VIEW.format("back"), {}),
    }
    if family.pose:
        cases["pose"] = (AVATAR, pose)
        cases["other pose"] = (AVATAR, {**pose, "pose_file_id": host.poses[1]})
        cases["both"] = (AVATAR, {**pose, "reference_file_id": host.references[0]})
    for method in family.references:
        if method in ("redux", "ipadapter"):
            continue  # their models are tested by themselves
        # The first step of a flow model is pure noise, which shows nothing of a reference.
        steps = 2 if method == "attention" else 1
        references = host.references[:1] if method == "attention" and is_slow else host.references
        for number, file_id in enumerate(references, 1):
            fields = {**words, "reference_file_id": file_id, "reference_method": method, "steps": steps}
            cases[f"reference {number} by {method}"] = (AVATAR, fields)
    for case in ("other words", "both") if is_slow else ():
        del cases[case]
    return cases


#: Qwen-Image takes half a minute for a picture with a pose; its edit model runs the same transformer.
TESTED = [name for name in family_models.FAMILIES if name not in ("sd15", "sdxl", "qwen_image")]
#: Half as many requests for those of which a picture takes ten seconds.
SLOW = ("qwen_edit", "z_image")


@pytest.mark.parametrize("name", TESTED)
def test_a_family_runs_from_request_to_pixels_and_every_input_counts(host: Host, name: str) -> None:
    files, family = family_models.FAMILIES[name], FAMILIES[name]
    host.free()
    logged = len(host.server.log())
    model = {"model": family_models.file_name(files.models[0]), "steps": 1}
    lora = family_models.file_name(files.lora)
    by_pixels: dict[tuple[str, ...], list[str]] = {}
    pixels: dict[str, tuple[str, ...]] = {}
    for case, (route, fields) in single_pictures(host, family, lora, is_slow=name in SLOW).items():
        done = host.run(route, **{**model, **fields})
        pixels[case] = host.pixels(done)
        by_pixels.setdefault(pixels[case], []).append(case)
        roles = {line["role"] for line in done["inputs"]}
        assert ("pose" in roles) == ("pose_file_id" in fields), case
        assert ("reference" in roles) == ("reference_file_id" in fields), case
        assert ("lora" in roles) == ("loras" in fields), case
    assert [cases for cases in by_pixels.values() if len(cases) > 1] == []

    absent = {
        "pose_strength": 0.0,
        "loras": [{"name": lora, "strength": 0.0}],
        "reference_file_id": host.references[0],
        "reference_strength": 0.0,
    }
    again = host.run(AVATAR, **model, **absent)
    assert host.pixels(again) == pixels["plain"]
    assert again["inputs"] == []

    turnaround = "batch" if family.batch else "sequential"
    sheet = host.run(SHEET, **model, turnaround=turnaround)
    assert [output["pose_type"] for output in sheet["output_files"]] == VIEWS
    before = host.pixels(sheet)
    assert len(set(before)) == len(VIEWS)
    assert sheet["parameters"]["turnaround"] == turnaround
    anchored = {line["pose_type"] for line in sheet["inputs"] if line["role"] == "anchor"}
    assert anchored == (set(VIEWS[1:]) if family.anchor else set())
    rerolled = host.api.post(f"/generations/{sheet['generation_id']}/reroll?pose=back&seed=9")
    assert rerolled.status_code == 200, rerolled.text
    done = host.api.wait(sheet["generation_id"], TIMEOUT)
    assert done["status"] == "completed"
    assert "reroll_failed" not in {warning["code"] for warning in done["warning_details"]}
    after = host.pixels(done)
    assert [old == new for old, new in zip(before, after, strict=True)] == [
        True,
        False,
        True,
        True,
    ]
    # What makes a variant can show only with a reference picture.
    seen = {"reference_file_id": host.references[0]} if name in WITH_PICTURES else {}
    for kind in files.models[1:]:
        model = {"model": family_models.file_name(kind), "steps": 1}
        variant = host.run(AVATAR, **model, **seen, pose_strength=0.0)
        assert host.pixels(variant) not in pixels.values()
    check_log(host, logged)


def test_a_v_prediction_checkpoint_of_sdxl_runs_as_one(host: Host) -> None:
    """The other requests for SD1.5 and SDXL are tested in the modules of their subjects."""
    host.free()
    logged = len(host.server.log())
    done = host.run(AVATAR, model=family_models.file_name("sdxl-v_pred"), steps=1, pose_strength=0.0)
    prompt = host.api.get(f"/generations/{done['generation_id']}/prompt").json()["prompt"]
    assert "RescaleCFG" in {node["class_type"] for node in prompt.values()}
    assert "model_type V_PREDICTION" in check_log(host, logged)


def check_log(host: Host, start: int) -> str:
    """ComfyUI's log since `start`, in which no file is complained about."""
    log: str = host.server.log()[start:]
    assert [line for line in log.splitlines() if any(words in line for words in COMPLAINTS)] == []
    return log
