"""The synthetic models of each family run on a real ComfyUI, from words to pixels, and every input counts.

Nothing of the pack is used: this proves the files and the stand-in encoders that other tests build on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
from family_graphs import Graph, Wanted, graph
from pictures import picture

from lab import family_models
from lab.server import ComfyServer

#: For a machine with much else to do; the first test also makes the files.
RUN_DEADLINE = 300.0
pytestmark = pytest.mark.timeout(1200)


class Runner:
    """Runs graphs on a ComfyUI and keeps what came out."""

    def __init__(self, server: ComfyServer) -> None:
        self.server = server
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        response = self.session.request(method, self.server.url + path, timeout=60, **options)
        assert response.ok, response.text
        return response

    def free(self) -> None:
        """Have ComfyUI drop every model, as one family's files fill the memory that the next one needs."""
        self.call("POST", "/free", json={"unload_models": True, "free_memory": True})
        # It does so between two prompts, perhaps not before the next one.
        empty = {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}}
        self.run({"1": empty, "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}})

    def run(self, prompt: Mapping[str, Any]) -> bytes:
        """The pixels of the graph's preview. The sampler must have run, not come from the cache."""
        answer = self.call("POST", "/prompt", json={"prompt": prompt}).json()
        assert not answer["node_errors"]
        entry = self._ended(answer["prompt_id"])
        messages = entry["status"]["messages"]
        assert entry["status"]["status_str"] == "success", messages[-1]
        assert Graph.SAMPLER not in dict(messages)["execution_cached"]["nodes"]
        (image,) = (image for output in entry["outputs"].values() for image in output.get("images", ()))
        return self.call("GET", "/view", params=image).content

    def _ended(self, prompt_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + RUN_DEADLINE
        while time.monotonic() < deadline:
            history = self.call("GET", f"/history/{prompt_id}").json()
            if prompt_id in history:
                entry: dict[str, Any] = history[prompt_id]
                return entry
            time.sleep(0.05)
        raise TimeoutError(f"prompt {prompt_id} has not ended\n{self.server.log_tail()}")


@pytest.fixture(scope="module")
def runner(module_factory: Any) -> Iterator[Runner]:
    needed = family_models.of(*CASES)
    # ComfyUI's default cache keeps results of earlier prompts while there is memory.
    server = module_factory(models=needed.kinds, nodes=needed.nodes, args=("--cache-classic",))
    for name, seed in (("pose.png", 1), ("other-pose.png", 2), ("person.png", 3), ("dress.png", 4)):
        (server.base / "input" / name).write_bytes(picture(seed))
    yield Runner(server)


#: Name -> a request that must give a picture of its own.
Cases = dict[str, Wanted]

V_PRED = "sdxl-v_pred"
LORA: Cases = {"plain": Wanted(), "LoRA": Wanted(lora=1.0), "weaker LoRA": Wanted(lora=0.5)}
CLIP_LORA: Cases = {"LoRA for the words": Wanted(lora=0.0, clip_lora=1.0)}
EVERY_INPUT: Cases = {
    **LORA,
    "other words": Wanted(text="a castle by the sea"),
    "other seed": Wanted(seed=6),
}
CASES: dict[str, Cases] = {
    # What else these two do is tested with the pack.
    "sd15": {**LORA, **CLIP_LORA},
    "sdxl": {
        "plain": Wanted(model=V_PRED),
        "LoRA": Wanted(model=V_PRED, lora=1.0, clip_lora=1.0),
    },
    "flux": {
        **EVERY_INPUT,
        **CLIP_LORA,
        "XLabs": Wanted(control="flux1-openpose-xlabs"),
        "XLabs, another pose": Wanted(control="flux1-openpose-xlabs", pose="other-pose.png"),
        "union, as a pose": Wanted(control="flux1-union", pose_kind="normal"),
        "union, as canny": Wanted(control="flux1-union", pose_kind="openpose"),
        "union, another pose": Wanted(control="flux1-union", pose_kind="normal", pose="other-pose.png"),
        "reference": Wanted(references=["person.png"], method="index"),
        "two references": Wanted(references=["person.png", "dress.png"], method="index"),
    },
    "flux2": {
        **EVERY_INPUT,
        "scaled fp8": Wanted(model="flux-2-klein-base-4b"),
        "klein 9B": Wanted(model="flux-2-klein-9b"),
        "dev": Wanted(model="flux2_dev"),
        "reference": Wanted(references=["person.png"]),
        "another reference": Wanted(references=["dress.png"]),
        "reference and pose": Wanted(references=["person.png", "pose.png"]),
        "reference and another pose": Wanted(references=["person.png", "other-pose.png"]),
    },
    "qwen_image": {
        **EVERY_INPUT,
        "union": Wanted(control="qwen_image-union"),
        "union, another pose": Wanted(control="qwen_image-union", pose="other-pose.png"),
    },
    "qwen_edit": {
        **EVERY_INPUT,
        "reference": Wanted(references=["person.png"]),
        "reference and pose": Wanted(references=["person.png", "pose.png"]),
        "reference and another pose": Wanted(references=["person.png", "other-pose.png"]),
        "2511 and a reference": Wanted(model="qwen_image_edit_2511", references=["person.png"]),
    },
    "z_image": {
        **EVERY_INPUT,
        "patch": Wanted(control="z_image_turbo-fun-controlnet-union"),
        "patch, another pose": Wanted(control="z_image_turbo-fun-controlnet-union", pose="other-pose.png"),
    },
    "anima": {
        **EVERY_INPUT,
        "patch": Wanted(control="anima-lllite-openpose"),
        "patch, another pose": Wanted(control="anima-lllite-openpose", pose="other-pose.png"),
    },
    "krea2": {
        **EVERY_INPUT,
        "reference": Wanted(references=["person.png"], method="index"),
        "another reference": Wanted(references=["dress.png"], method="index"),
    },
}
#: What ComfyUI logs when a file lacks tensors, has others, or a LoRA does not fit the model.
COMPLAINTS = ("lora key not loaded", "missing", "unexpected", "left over keys", "shape mismatch")


@pytest.mark.parametrize("family", CASES)
def test_a_family_runs_and_every_input_counts(runner: Runner, family: str) -> None:
    runner.free()
    logged = len(runner.server.log())
    cases = CASES[family]
    plain = cases["plain"]
    # ComfyUI keeps the models of the last prompt: what needs another one comes last.
    own = [name for name, wanted in cases.items() if wanted.model == plain.model]
    others = [name for name in cases if name not in own]
    pixels = {name: runner.run(graph(family, cases[name])) for name in own}
    assert runner.run(graph(family, plain)) == pixels["plain"]
    pixels |= {name: runner.run(graph(family, cases[name])) for name in others}
    by_pixels: dict[bytes, list[str]] = {}
    for name, content in pixels.items():
        by_pixels.setdefault(content, []).append(name)
    assert [names for names in by_pixels.values() if len(names) > 1] == []
    log = runner.server.log()[logged:]
    assert [line for line in log.splitlines() if any(words in line for words in COMPLAINTS)] == []
    assert family != "sdxl" or "model_type V_PREDICTION" in log
