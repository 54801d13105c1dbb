"""Every model family through the API on a real ComfyUI, from a request to pixels: every input counts.

Two pictures of a family may be equal only where that is said. A synthetic model proves that the inputs
arrive, not that they look good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from family_requests import family_requests
from generating import pixels
from installed_models import everything
from pictures import picture
from referring import each_counts, versions_repeat

from avatarforge.forge.families import FAMILIES
from avatarforge.forge.families.family import Family, ReferenceLimits
from avatarforge.forge.spec.reference import ReferenceMethod
from avatarforge.forge.spec.template import SLOTS
from lab import family_models
from lab.api import Api
from lab.server import ComfyServer
from lab.synthetic import ZERO_LAYERS

VIEWS = ["front", "back", "side", "quarter"]
SHEET, VIEW, AVATAR = "/generate_all_poses", "/generate_pose?pose={}", "/generate/avatar"
#: What ComfyUI logs when a file lacks tensors, has others, or a LoRA does not fit the model.
COMPLAINTS = ("lora key not loaded", "missing", "unexpected", "left over keys", "shape mismatch")
TIMEOUT = 300.0
NO_POSE: dict[str, Any] = {"pose_strength": 0.0}
#: The variants that take references in another way than their family.
VARIANTS = {"flux1-kontext-dev": "kontext"}
pytestmark = pytest.mark.timeout(900)  # the first run makes the models


@dataclass(frozen=True)
class Host:
    """The ComfyUI with the models of all families, and what was uploaded to it."""

    server: ComfyServer
    api: Api
    poses: tuple[str, str]
    references: tuple[str, str]

    def run(self, route: str = AVATAR, **body: Any) -> dict[str, Any]:
        """Generate a small picture, and check that the receipt is what ComfyUI ran."""
        return self._finish(self.api.generate(route, **{"seed": 5, **body}), body)

    def send(self, **body: Any) -> dict[str, Any]:
        """Do the same with exactly this body."""
        response = self.api.post(AVATAR, json=body)
        assert response.status_code == 200, response.text
        return self._finish(response.json(), body)

    def _finish(self, generation: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        done = self.api.wait(generation["generation_id"], TIMEOUT)
        assert done["status"] == "completed", (body, done["error"])
        for line in done["inputs"]:
            history = self.api.root(f"/history/{line['comfyui_prompt_id']}").json()
            node = history[line["comfyui_prompt_id"]]["prompt"][2][line["node"]]
            assert node["class_type"] == line["node_type"]
        return done

    def pixels(self, generation: dict[str, Any]) -> tuple[str, ...]:
        return tuple(pixels(self.api, generation))

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
    server = module_factory(models=needed.kinds, nodes=[ZERO_LAYERS, *needed.nodes])
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

    compiled = {(each.family, each.variant, each.name): each.compile().prompt for each in family_requests()}
    # No weights of SDPose can be had here, and an empty file is not taken for them.
    graphs = {
        name: prompt for name, prompt in compiled.items() if "sdpose.safetensors" not in str(prompt.values())
    }
    assert 0 < len(compiled) - len(graphs) < 10
    some = next(iter(graphs.values()))
    wrong = {key: {**node, "inputs": {}} for key, node in some.items()}
    accepted = refusals(some)
    assert accepted[:2] == ([], [])
    assert len(accepted[2]) < len(refusals(wrong)[2])  # what ComfyUI refuses would be here
    refused = {name: found for name, prompt in graphs.items() if (found := refusals(prompt)) != accepted}
    assert refused == {}


def single_pictures(host: Host, family: Family, lora: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Name -> (route, fields) of requests for one picture, no two of which give the same pixels."""
    pose = {"pose_file_id": host.poses[0], "pose_mode": "raw"}
    cases: dict[str, tuple[str, dict[str, Any]]] = {
        "other words": (AVATAR, {**NO_POSE, "prompt": "a castle by the sea"}),
        "LoRA": (AVATAR, {**NO_POSE, "loras": [{"name": lora}]}),
        "back": (VIEW.format("back"), {}),
    }
    if family.pose:
        cases["pose"] = (AVATAR, pose)
        cases["other pose"] = (AVATAR, {**pose, "pose_file_id": host.poses[1]})
        cases["pose and reference"] = (AVATAR, {**pose, "reference_file_id": host.references[0]})
    return cases


#: SD1.5 and SDXL are tested in the modules of their subjects, and Qwen-Image's edit model runs the same
#: transformer.
TESTED = [name for name in family_models.FAMILIES if name not in ("sd15", "sdxl", "qwen_image")]


@pytest.mark.parametrize("name", TESTED)
def test_a_family_runs_from_request_to_pixels_and_every_input_counts(host: Host, name: str) -> None:
    files, family = family_models.FAMILIES[name], FAMILIES[name]
    host.free()
    logged = len(host.server.log())
    model = {"model": family_models.file_name(files.models[0])}
    lora = family_models.file_name(files.lora)
    found = {"plain": host.pixels(host.run(**model, **NO_POSE))}
    absent: dict[str, Any] = {
        "loras": [{"name": lora, "strength": 0.0}],
        "reference_file_id": host.references[0],
        "reference_strength": 0.0,
    }
    without = host.run(**model, **NO_POSE, **absent)
    assert host.pixels(without) == found["plain"]
    assert without["inputs"] == []

    for case, (route, fields) in single_pictures(host, family, lora).items():
        done = host.run(route, **{**model, **fields})
        found[case] = host.pixels(done)
        applied = {line["role"] for line in done["inputs"]}
        assert ("pose" in applied) == ("pose_file_id" in fields), case
        assert ("reference" in applied) == ("reference_file_id" in fields), case
        assert ("lora" in applied) == ("loras" in fields), case
    found |= pictures_with_references(host, model, family.references)
    check_sheet(host, family, model)
    for kind in files.models[1:]:
        model = {"model": family_models.file_name(kind)}
        # What makes a variant can show only with a reference picture.
        shown = {"reference_file_id": host.references[0]} if "picture" in family.references else {}
        found[kind] = host.pixels(host.run(**model, **shown, **NO_POSE))
        variant = family.variant(VARIANTS.get(kind))
        own = {name: limits for name, limits in variant.references.items() if name not in family.references}
        found |= pictures_with_references(host, model, own)
    by_pixels: dict[tuple[str, ...], list[str]] = {}
    for case, picture_of_it in found.items():
        by_pixels.setdefault(picture_of_it, []).append(case)
    assert [cases for cases in by_pixels.values() if len(cases) > 1] == []
    check_log(host, logged)


def pictures_with_references(
    host: Host, model: dict[str, Any], methods: Mapping[ReferenceMethod, ReferenceLimits]
) -> dict[str, tuple[str, ...]]:
    """Check the methods that need no model of their own with two references. Returns the pixels by case."""
    found: dict[str, tuple[str, ...]] = {}
    for method, limits in methods.items():
        if method in ("redux", "ipadapter"):
            continue  # of these, only the graphs are tested
        # The first step of a flow model is pure noise, which shows nothing of a reference in attention.
        steps = 2 if method == "attention" else 1
        size = {"width": 64, "height": 64}
        body = {"prompt": "a knight", "seed": 5, **model, **NO_POSE, **size, "steps": steps}
        body["reference_method"] = method
        if method == "attention":
            body["cfg"] = 1.0  # without the run for the negative prompt
        roles = (limits.roles[0], limits.roles[-1])
        given = [{"file_id": id, "role": role} for id, role in zip(host.references, roles, strict=True)]
        if found:
            pictures = each_counts(host.api, host.send, given, **body)
        else:
            pictures = versions_repeat(host.api, host.send, given, **body)
        if "outfit" in limits.roles:
            given[1]["role"] = "outfit"
            pictures["other role"] = host.pixels(host.send(**body, references=given))
        found |= {f"{case}, by {method}, {model['model']}": each for case, each in pictures.items()}
    return found


def check_sheet(host: Host, family: Family, model: dict[str, Any]) -> None:
    """Check all views, and one of them again."""
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
    changed = [old != new for old, new in zip(before, after, strict=True)]
    assert changed == [view == "back" for view in VIEWS]


def test_a_v_prediction_checkpoint_of_sdxl_runs_as_one_and_each_reference_counts(host: Host) -> None:
    host.free()
    logged = len(host.server.log())
    model = {"model": family_models.file_name("sdxl-v_pred")}
    done = host.run(**model, **NO_POSE)
    prompt = host.api.get(f"/generations/{done['generation_id']}/prompt").json()["prompt"]
    assert "RescaleCFG" in {node["class_type"] for node in prompt.values()}
    assert "model_type V_PREDICTION" in check_log(host, logged)
    pictures_with_references(host, model, FAMILIES["sdxl"].references)


def test_each_reference_counts_on_qwen_image(host: Host) -> None:
    host.free()
    logged = len(host.server.log())
    family = FAMILIES["qwen_image"]
    pictures_with_references(host, {"model": family_models.file_name("qwen_image")}, family.references)
    check_log(host, logged)


def check_log(host: Host, start: int) -> str:
    """ComfyUI's log since `start`, in which no file is complained about."""
    log: str = host.server.log()[start:]
    assert [line for line in log.splitlines() if any(words in line for words in COMPLAINTS)] == []
    return log
