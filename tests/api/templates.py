"""Sends requests about templates."""

from __future__ import annotations

from typing import Any

from graphs import Graph, plain

from avatarforge.routes import PREFIX

from .conftest import Client

TEMPLATES = f"{PREFIX}/templates"
Body = dict[str, Any]


async def send(client: Client, method: str, path: str, **options: Any) -> tuple[int, Body]:
    answer = await client.request(method, PREFIX + path, **options)
    return answer.status, await answer.json()


async def save(client: Client, name: str = "mine", graph: Graph | None = None, **more: Any) -> Body:
    body = {"name": name, "prompt": graph or plain(), **more}
    status, answer = await send(client, "POST", "/templates", json=body)
    assert status == 200, answer
    return answer


async def refused(client: Client, method: str, path: str, **options: Any) -> tuple[int, str, str]:
    """(status, code, sentences)"""
    status, answer = await send(client, method, path, **options)
    detail = answer["detail"]
    text = detail if isinstance(detail, str) else " ".join(item["msg"] for item in detail)
    return status, answer["code"], text
