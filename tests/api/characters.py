"""Sends requests about characters."""

from __future__ import annotations

from typing import Any

from .conftest import Client
from .templates import Body, send

MIRA: Body = {"name": "Mira", "description": "a young woman, red hair, freckles"}


async def save(client: Client, **more: Any) -> Body:
    """The answer to a new character: Mira, with these fields."""
    status, answer = await send(client, "POST", "/characters", json={**MIRA, **more})
    assert status == 200, answer
    return answer


async def change(client: Client, character: Body, **changes: Any) -> Body:
    path = f"/characters/{character['character_id']}"
    status, answer = await send(client, "PATCH", path, json=changes)
    assert status == 200, answer
    return answer
