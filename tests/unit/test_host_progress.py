"""ComfyUI's messages about progress and previews."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from avatarforge.forge.ports import NodeState, PreviewPicture, PromptProgress
from avatarforge.host.events import EventSocket

JPEG = b"\xff\xd8\xff\xe0 and so on"


def preview(metadata: Any = None, picture: bytes = JPEG, kind: int = 4) -> bytes:
    header = json.dumps({"prompt_id": "p", "node_id": "7"} if metadata is None else metadata).encode()
    return struct.pack(">II", kind, len(header)) + header + picture


async def shown(*messages: bytes | dict[str, Any]) -> list[PromptProgress | PreviewPicture]:
    socket = EventSocket()
    seen: list[PromptProgress | PreviewPicture] = []
    socket.watch(seen.append)
    for message in messages:
        if isinstance(message, bytes):
            await socket.send_bytes(message)
        else:
            await socket.send_json(message)
    return seen


def progress(nodes: Any) -> dict[str, Any]:
    return {"type": "progress_state", "data": {"prompt_id": "p", "nodes": nodes}}


async def test_the_state_of_every_node_is_told() -> None:
    nodes = {
        "1": {"value": 1.0, "max": 1.0, "state": "finished", "node_id": "1"},
        "7": {"value": 3, "max": 20, "state": "running", "node_id": "7"},
    }
    assert await shown(progress(nodes)) == [
        PromptProgress("p", {"1": NodeState(False, 1, 1), "7": NodeState(True, 3, 20)})
    ]


async def test_a_preview_is_of_the_first_row_of_its_node() -> None:
    assert await shown(preview()) == [PreviewPicture("p", "7", 0, JPEG)]


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00",
        preview(kind=1),
        preview(picture=b"\x89PNG"),
        preview(metadata=[]),
        preview(metadata={"prompt_id": "p"}),
        struct.pack(">II", 4, 9999) + b"{}",
        struct.pack(">II", 4, 3) + b"{x}" + JPEG,
    ],
)
async def test_other_binary_messages_are_passed_over(message: bytes) -> None:
    assert await shown(message) == []


@pytest.mark.parametrize("nodes", [None, [], "x"])
async def test_progress_without_nodes_is_passed_over(nodes: Any) -> None:
    assert await shown(progress(nodes)) == []


async def test_a_node_in_a_form_of_another_version_is_left_out() -> None:
    nodes = {"1": {}, "2": None, "3": {"value": "x", "max": 1, "state": "running"}}
    assert await shown(progress(nodes)) == [PromptProgress("p", {})]
