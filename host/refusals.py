"""Parses why ComfyUI refuses a prompt: which nodes and models are missing, and what else is wrong."""

from __future__ import annotations

import copy
from collections.abc import Container, Mapping, Sequence
from typing import Any

import execution

from ..forge.errors import NodeProblem
from ..forge.ports import Prompt
from .events import cleaned

#: Endings of the files that loaders list.
_MODEL_FILES = (".safetensors", ".sft", ".ckpt", ".pt", ".pt2", ".pth", ".bin", ".gguf", ".onnx", ".pkl")


def missing_nodes(prompt: Prompt, installed: Container[str]) -> tuple[NodeProblem, ...]:
    """The nodes whose class no installed pack has."""
    return tuple(
        NodeProblem(
            node_id,
            _title(node),
            str(node["class_type"]),
            "missing_node",
            None,
            None,
            f"The node {_title(node)!r} (node {node_id}) needs {node['class_type']}, which no installed pack "
            "has.",
        )
        for node_id, node in prompt.items()
        if isinstance(node, Mapping) and isinstance(node.get("class_type"), str)
        if node["class_type"] not in installed
    )


async def missing_models(
    prompt_id: str, prompt: Prompt, missing: Sequence[NodeProblem], folders: Sequence[str]
) -> tuple[NodeProblem, ...]:
    """The missing models of a prompt that also lacks nodes. Each other node is validated without its links
    to those, so only what is said about files counts."""
    gone = {problem.node for problem in missing}
    rest = {
        node_id: copy.deepcopy(node)
        for node_id, node in prompt.items()
        if node_id not in gone and isinstance(node, dict)
    }
    for node in rest.values():
        inputs = node.get("inputs")
        if isinstance(inputs, dict):
            node["inputs"] = {name: value for name, value in inputs.items() if _leads_into(value, rest)}
    failures: dict[str, Any] = {}
    validated: dict[str, Any] = {}
    for node_id in rest:
        try:
            _, errors, _ = await execution.validate_inputs(prompt_id, rest, node_id, validated)
        except Exception:  # noqa: BLE001, S112 - nodes of other packs raise anything, and the prompt is refused anyway
            continue
        failures[node_id] = {"errors": errors}
    found = node_problems(rest, failures, folders)
    return tuple(problem for problem in found if problem.kind == "missing_model")


def node_problems(prompt: Prompt, node_errors: object, folders: Sequence[str]) -> tuple[NodeProblem, ...]:
    """One for each node and reason of ComfyUI's `node_errors`."""
    problems = []
    for node_id, failure in node_errors.items() if isinstance(node_errors, Mapping) else ():
        node = prompt.get(node_id, {})
        class_type = str(node.get("class_type", ""))
        for error in failure.get("errors") or ():
            info = error.get("extra_info") or {}
            value = info.get("received_value")
            name = info.get("input_name")
            model = error.get("type") == "value_not_in_list" and _is_model(value)
            if model:
                detail = (
                    f"{value!r} is not installed: {name} of {_title(node)!r} ({class_type}, node {node_id})."
                )
            else:
                detail = f"{class_type or 'A node'} (node {node_id}): {reason_of(error)}"
            problems.append(
                NodeProblem(
                    str(node_id),
                    _title(node),
                    class_type,
                    "missing_model" if model else "other",
                    str(name) if name is not None else None,
                    cleaned(str(value), folders) if isinstance(value, str) else None,
                    cleaned(detail, folders),
                )
            )
    return tuple(problems)


def reason_of(problem: Mapping[str, Any]) -> str:
    """Message and details. Without details, the class name of the exception is used."""
    details = str(problem.get("details") or "").strip()
    kind = str((problem.get("extra_info") or {}).get("exception_type") or "")
    message = str(problem.get("message") or "").strip()
    reason = details or kind.rpartition(".")[2]
    if message and reason:
        return f"{message}{'' if message.endswith('.') else ':'} {reason}"
    return message or reason


def _leads_into(value: object, prompt: Prompt) -> bool:
    """Whether a value is none of a link, or a link to a node of this prompt."""
    return not isinstance(value, list) or (len(value) == 2 and str(value[0]) in prompt)


def _is_model(value: object) -> bool:
    return isinstance(value, str) and value.lower().endswith(_MODEL_FILES)


def _title(node: Mapping[str, Any]) -> str:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return str(title or node.get("class_type", ""))
