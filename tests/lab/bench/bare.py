"""A turnaround with only ComfyUI's own nodes, and the same models, prompts, skeletons, batch and sampler."""

from __future__ import annotations

import copy
import json
from typing import Any

from .pictures import plain_png
from .quick import Quick

Graph = dict[str, dict[str, Any]]
VIEWS = 4


class BareSheets:
    """Runs a graph with the settings of one of our generations.

    ComfyUI has no node that gives each row of a batch its own prompt. So the graph encodes four texts for the
    positive and the negative side, but uses the first for all rows: ConditioningAverage with strength 1 needs
    both inputs and returns the first. Each row has its own picture as its skeleton.
    """

    def __init__(self, client: Quick, ours: Graph) -> None:
        self._client = client
        self._graph = _bare(ours, [_skeleton(client, ours, row) for row in range(VIEWS)])

    def run(self, seed: int) -> None:
        graph = copy.deepcopy(self._graph)
        graph["sampler"]["inputs"]["seed"] = seed
        queued = self._client.post("/prompt", {"prompt": graph, "client_id": "bench"})
        self._client.until_in_history(queued["prompt_id"])


def _skeleton(client: Quick, ours: Graph, row: int) -> str:
    """Upload a picture of the frame's size to ComfyUI's input folder. Returns its name."""
    frame = _only(ours, "AvatarForgeViewsLatent")
    png = plain_png(frame["width"], frame["height"], 10 + row)
    boundary = "----avatarforge-bench"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{row}-{frame["width"]}.png"'
    )
    body = f"{head}\r\n\r\n".encode() + png + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return str(json.loads(client.send("POST", "/upload/image", body, headers))["name"])


def _bare(ours: Graph, skeletons: list[str]) -> Graph:
    frame, sampler = _only(ours, "AvatarForgeViewsLatent"), _only(ours, "KSampler")
    pose, prompt = _only(ours, "AvatarForgeApplyPose"), _only(ours, "AvatarForgePrompt")
    graph: Graph = {
        "checkpoint": _node("CheckpointLoaderSimple", **_only(ours, "CheckpointLoaderSimple")),
        "controlnet": _node("ControlNetLoader", **_only(ours, "ControlNetLoader")),
        "canvas": _node(
            "EmptyLatentImage", width=frame["width"], height=frame["height"], batch_size=frame["views"]
        ),
        "apply": _node(
            "ControlNetApplyAdvanced",
            positive=["positive", 0],
            negative=["negative", 0],
            control_net=["controlnet", 0],
            image=["skeletons", 0],
            vae=["checkpoint", 2],
            **{name: pose[name] for name in ("strength", "start_percent", "end_percent")},
        ),
        "sampler": _node(
            "KSampler",
            **{
                **sampler,
                "model": ["checkpoint", 0],
                "positive": ["apply", 0],
                "negative": ["apply", 1],
                "latent_image": ["canvas", 0],
            },
        ),
        "decode": _node("VAEDecode", samples=["sampler", 0], vae=["checkpoint", 2]),
        "save": _node("SaveImage", images=["decode", 0], filename_prefix="bare"),
    }
    for side in ("positive", "negative"):
        texts = [f"{side} {prompt['prompt']} {row}, masterpiece, full body" for row in range(VIEWS)]
        _chain(graph, side, [_node("CLIPTextEncode", clip=["checkpoint", 1], text=text) for text in texts])
    _chain(graph, "skeletons", [_node("LoadImage", image=name) for name in skeletons])
    return graph


def _chain(graph: Graph, name: str, nodes: list[dict[str, Any]]) -> None:
    """Add the nodes, and nodes that join each with the result so far. The final result is called `name`."""
    last = f"{name} 0"
    graph[last] = nodes[0]
    for row, node in enumerate(nodes[1:], start=1):
        graph[f"{name} {row}"] = node
        joined = name if row == len(nodes) - 1 else f"{name} to {row}"
        if name == "skeletons":
            graph[joined] = _node("ImageBatch", image1=[last, 0], image2=[f"{name} {row}", 0])
        else:
            graph[joined] = _node(
                "ConditioningAverage",
                conditioning_to=[last, 0],
                conditioning_from=[f"{name} {row}", 0],
                conditioning_to_strength=1.0,
            )
        last = joined


def _node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def _only(graph: Graph, class_type: str) -> dict[str, Any]:
    (inputs,) = (node["inputs"] for node in graph.values() if node["class_type"] == class_type)
    typed: dict[str, Any] = inputs
    return typed
