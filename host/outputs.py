"""Outputs of a node that have no value for what is linked to them."""

from __future__ import annotations

from typing import Any

from comfy_execution.graph_utils import ExecutionBlocker


def without_value(reason: str) -> Any:
    """What a node gives for an output that it has nothing for. ComfyUI then does not run the nodes that are
    linked to it, nor what follows them, and shows the reason as an error."""
    return ExecutionBlocker(reason)
