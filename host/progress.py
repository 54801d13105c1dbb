"""ComfyUI's messages about progress and previews, read into what `forge.ports` calls them.

Written for what ComfyUI 0.30 sends (comfy_execution/progress.py, server.py: `send_image_with_metadata`);
what looks otherwise is passed over.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from ..forge.ports import NodeState, PreviewPicture, PromptProgress

# protocol.py: BinaryEventTypes.PREVIEW_IMAGE_WITH_METADATA
_PREVIEW_WITH_METADATA = 4
_HEAD = struct.Struct(">II")  # the type of the event, the length of the JSON that follows
_JPEG = b"\xff\xd8\xff"


def progress_of(data: Mapping[str, Any]) -> PromptProgress | None:
    """The data of a `progress_state` message."""
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
    """A binary message. A sampler's own preview is of the first row of its batch."""
    view = memoryview(message)
    if len(view) < _HEAD.size:
        return None
    kind, length = _HEAD.unpack_from(view)
    start = _HEAD.size + length
    if kind != _PREVIEW_WITH_METADATA or start > len(view):
        return None
    try:
        told = json.loads(bytes(view[_HEAD.size : start]))
        prompt_id, node_id = str(told["prompt_id"]), str(told["node_id"])
    except (ValueError, KeyError, TypeError):
        return None
    jpeg = bytes(view[start:])
    return PreviewPicture(prompt_id, node_id, 0, jpeg) if jpeg.startswith(_JPEG) else None
