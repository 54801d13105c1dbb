"""Parses ComfyUI's progress and preview messages into the types of `forge.ports`.

Written for the messages of ComfyUI 0.30 (comfy_execution/progress.py, server.py: `send_image_with_metadata`);
messages in another format are ignored.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from ..forge.ports import NodeState, PreviewPicture, PromptProgress

# protocol.py: BinaryEventTypes.PREVIEW_IMAGE_WITH_METADATA
_PREVIEW_WITH_METADATA = 4
_HEAD = struct.Struct(">II")  # event type, length of the JSON that follows
_JPEG = b"\xff\xd8\xff"


def progress_of(data: Mapping[str, Any]) -> PromptProgress | None:
    """Parse the data of a `progress_state` message. None if it has another format."""
    nodes = data.get("nodes")
    if not isinstance(nodes, Mapping):
        return None
    states = {}
    for node_id, state in nodes.items():
        try:
            value, maximum = float(state["value"]), float(state["max"])
            states[str(node_id)] = NodeState(state["state"] == "running", value, maximum)
        except (KeyError, TypeError, ValueError):
            continue
    return PromptProgress(str(data.get("prompt_id", "")), states)


def preview_of(message: bytes | bytearray | memoryview) -> PreviewPicture | None:
    """Parse a binary preview message, which shows the first row of a batch. None if it is anything else."""
    view = memoryview(message)
    if len(view) < _HEAD.size:
        return None
    kind, length = _HEAD.unpack_from(view)
    start = _HEAD.size + length
    if kind != _PREVIEW_WITH_METADATA or start > len(view):
        return None
    try:
        metadata = json.loads(bytes(view[_HEAD.size : start]))
        prompt_id, node_id = str(metadata["prompt_id"]), str(metadata["node_id"])
    except (ValueError, KeyError, TypeError):
        return None
    jpeg = bytes(view[start:])
    return PreviewPicture(prompt_id, node_id, 0, jpeg) if jpeg.startswith(_JPEG) else None
