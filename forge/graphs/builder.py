"""A small builder of API prompts: `{node id: {"class_type", "inputs", "_meta"}}`.

Node ids are whole numbers in text form, as the graph editor gives them, so that a prompt opens
there as it is.
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
        """A link to one of the node's outputs."""
        return [self.id, slot]


class PromptBuilder:
    def __init__(self) -> None:
        self.prompt: Prompt = {}

    def add(self, class_type: str, title: str, **inputs: Any) -> Node:
        node = Node(str(len(self.prompt) + 1))
        self.prompt[node.id] = {"class_type": class_type, "inputs": inputs, "_meta": {"title": title}}
        return node
