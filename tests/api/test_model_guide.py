"""Which model to start with, and what a client needs to know before it sends a file, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from services import Product

from avatarforge.forge.families.guide import CHOICES
from avatarforge.forge.pictures.openpose_json import MAX_BYTES
from avatarforge.forge.ports import InstalledModels
from avatarforge.forge.spec.expressions import EXPRESSION_NAMES
from avatarforge.routes import PREFIX

from .conftest import Client

GIGABYTE = 2**30


async def get(client: Client, path: str) -> dict[str, Any]:
    answer = await client.get(f"{PREFIX}{path}")
    assert answer.status == 200, await answer.text()
    body: dict[str, Any] = await answer.json()
    return body


async def test_without_a_gpu_nothing_is_said_to_fit(client: Client) -> None:
    guide = await get(client, "/model_guide")
    assert guide["gpu"] is None
    assert [choice["fits"] for choice in guide["choices"]] == [None] * len(CHOICES)
    first = guide["choices"][0]
    assert set(first) == {"family", "label", "memory", "fits", "files"}
    assert first["files"][0] == {
        "use": "model",
        "name": "v1-5-pruned-emaonly-fp16.safetensors",
        "folder": "checkpoints",
        "size": 2.1,
        "page": "https://huggingface.co/Comfy-Org/stable-diffusion-v1-5-archive",
    }


async def test_with_a_gpu_the_choices_up_to_its_memory_fit(
    forge: Product, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stats() -> Mapping[str, Any]:
        return {"devices": [{"name": "cuda:0 Card : native", "type": "cuda", "vram_total": 12 * GIGABYTE}]}

    monkeypatch.setattr(forge.host, "system_stats", stats)
    guide = await get(client, "/model_guide")
    assert guide["gpu"] == {"name": "Card", "memory": 12.0}
    assert {choice["memory"]: choice["fits"] for choice in guide["choices"]} == {
        choice.memory: choice.memory <= 12 for choice in CHOICES
    }


async def test_statistics_that_cannot_be_read_are_no_error(
    forge: Product, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stats() -> Mapping[str, Any]:
        raise RuntimeError("no")

    monkeypatch.setattr(forge.host, "system_stats", stats)
    assert (await get(client, "/model_guide"))["gpu"] is None


async def test_the_limits_of_uploads_are_said(forge: Product, client: Client) -> None:
    limits = (await get(client, "/request_fields"))["limits"]
    assert limits == {"file_bytes": forge.settings.max_file_size, "pose_json_bytes": MAX_BYTES}


async def test_the_built_in_expressions_are_said(client: Client) -> None:
    assert (await get(client, "/request_fields"))["expressions"] == list(EXPRESSION_NAMES)


async def test_every_reason_has_the_code_of_its_refusal(forge: Product, client: Client) -> None:
    forge.host.installed = InstalledModels((), (), ("euler",), ("normal",), embeddings=())
    table = await get(client, "/capabilities")
    details = table["reason_details"]
    assert [item["detail"] for item in details] == table["reasons"]
    assert [item["code"] for item in details] == ["checkpoint_missing", "pose_extractor_missing"]
    answer = await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "a knight"})
    refused = await answer.json()
    assert (refused["code"], refused["parameters"]) == (details[0]["code"], details[0]["parameters"])
