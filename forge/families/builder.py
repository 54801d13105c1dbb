"""Builds prompts in ComfyUI's API format: `{node id: {"class_type", "inputs", "_meta"}}`.

Node ids are integers as strings, like the graph editor's, so that it opens a prompt unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..ports import Prompt

Link = list[Any]


@dataclass(frozen=True)
class Node:
    id: str

    def out(self, slot: int = 0) -> Link:
        """A link to an output of the node."""
        return [self.id, slot]


class PromptBuilder:
    def __init__(self) -> None:
        self.prompt: Prompt = {}
        #: Whether `add` returns an existing node with the same inputs, which would compute the same.
        self.reuses = False
        self._by_class: dict[str, list[Node]] = {}

    @classmethod
    def of(cls, prompt: Prompt) -> PromptBuilder:
        """Adds nodes to a copy of this prompt, with ids that it does not have."""
        build = cls()
        build.prompt = {node_id: {**node, "inputs": dict(node["inputs"])} for node_id, node in prompt.items()}
        return build

    def add(self, class_type: str, title: str, **inputs: Any) -> Node:
        alike = self._by_class.setdefault(class_type, [])
        if self.reuses:
            for node in alike:
                if self.prompt[node.id]["inputs"] == inputs:
                    return node
        number = len(self.prompt) + 1
        while str(number) in self.prompt:  # only in a graph of others, whose ids may be any
            number += 1
        node = Node(str(number))
        alike.append(node)
        self.prompt[node.id] = {"class_type": class_type, "inputs": inputs, "_meta": {"title": title}}
        return node

    def add_shared(self, class_type: str, title: str, **inputs: Any) -> Node:
        """Add a node, or return an existing one with the same inputs."""
        for node_id, node in self.prompt.items():
            if node["class_type"] == class_type and node["inputs"] == inputs:
                return Node(node_id)
        return self.add(class_type, title, **inputs)
