"""Checks of a compiled prompt against a recorded `object_info` of ComfyUI 0.30 with this pack.

`tests/host/test_nodes.py` holds the record equal to the live host.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from avatarforge.forge.graphs.compile import CompiledPrompt
from avatarforge.forge.ports import Prompt

OBJECT_INFO: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "object_info.json").read_text(encoding="utf-8")
)
_TYPES: dict[str, type | tuple[type, ...]] = {
    "INT": int,
    "FLOAT": (int, float),
    "STRING": str,
    "COMBO": str,
    "BOOLEAN": bool,
}


def check_fits_the_host(compiled: CompiledPrompt) -> None:
    """Every node has its required inputs and no unknown ones, every value and link has the right type and
    range, what each node gives is used or saved, and every line of the receipt names a node."""
    prompt = compiled.prompt
    for node in prompt.values():
        offered = OBJECT_INFO[node["class_type"]]["input"]
        required, optional = offered.get("required", {}), offered.get("optional", {})
        assert set(required) <= set(node["inputs"]) <= {*required, *optional}, node
        for name, value in node["inputs"].items():
            kind, *options = {**optional, **required}[name]
            if isinstance(value, list):
                source = prompt[value[0]]["class_type"]
                assert OBJECT_INFO[source]["output"][value[1]] == kind, (node, name)
            elif isinstance(kind, str):
                assert isinstance(value, _TYPES[kind]), (node, name)
                if options and "min" in options[0]:
                    assert options[0]["min"] <= value <= options[0]["max"], (node, name)
    used = {
        value[0] for node in prompt.values() for value in node["inputs"].values() if isinstance(value, list)
    }
    idle = {id_: node["class_type"] for id_, node in prompt.items() if id_ not in used}
    assert [kind for kind in idle.values() if not OBJECT_INFO[kind]["output_node"]] == []
    for line in compiled.inputs:
        assert prompt[line.node]["class_type"] == line.node_type


def nodes(prompt: Prompt, class_type: str) -> list[dict[str, Any]]:
    """The inputs of the prompt's nodes of a class, in order."""
    return [node["inputs"] for node in prompt.values() if node["class_type"] == class_type]
