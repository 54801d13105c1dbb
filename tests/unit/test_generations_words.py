"""What the words of a request hold and ComfyUI does not know is in the generation's warnings."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from queueing import KNIGHT, fail
from services import Product, product

from avatarforge.db.records import GenerationRecord
from avatarforge.forge.spec.views import SHEET_VIEWS

pytestmark = pytest.mark.slow

FIELDS = ("prompt", "clothing", "style", "negative_prompt")
MISSING = "'embedding:ink': no such embedding is installed, so ComfyUI leaves it out."


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


def warnings(record: GenerationRecord) -> list[str]:
    found: list[str] = json.loads(record.receipt_json)["warnings"]
    return found


def install(forge: Product, *embeddings: str) -> None:
    forge.host.installed = replace(forge.host.installed, embeddings=embeddings)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("kind", "views"), [("avatar", None), ("pose", ("back",)), ("all_poses", SHEET_VIEWS)]
)
async def test_every_field_of_words_is_looked_at_on_every_route(
    forge: Product, field: str, kind: str, views: tuple[str, ...] | None
) -> None:
    words: Any = {field: "a <lora:ink:1> embedding:ink"}
    request = replace(KNIGHT, **words)
    record = await forge.generations.submit(request, kind, views)  # type: ignore[arg-type]
    assert [item for item in warnings(record) if "'" in item] == [
        "'<lora:ink:1>': no LoRA is loaded from the words of a prompt; it is read as words.",
        MISSING,
    ]


async def test_the_words_themselves_stay_as_they_were(forge: Product) -> None:
    record = await forge.generations.submit(replace(KNIGHT, prompt="{a|b} embedding:ink"), "avatar", None)
    texts = [node["inputs"].get("prompt", "") for node in forge.host.prompts[record.prompt_id].values()]
    assert any("{a|b} embedding:ink" in text for text in texts)


async def test_an_installed_embedding_is_no_warning(forge: Product) -> None:
    install(forge, "ink.pt")
    record = await forge.generations.submit(replace(KNIGHT, prompt="embedding:ink"), "avatar", None)
    assert warnings(record) == []


async def test_a_retry_tells_what_is_installed_now(forge: Product) -> None:
    request = replace(KNIGHT, prompt="embedding:ink AND embedding:paint")
    install(forge, "paint.pt")
    record = await fail(forge, await forge.generations.submit(request, "avatar", None))
    before = warnings(record)
    install(forge, "ink.pt")
    retried = await forge.generations.retry(record.id)
    assert warnings(retried) == [before[1], MISSING.replace("ink", "paint")]
    forge.host.succeed(retried.prompt_id)
    assert warnings(await forge.until(record.id, "completed")) == warnings(retried)


async def test_a_reroll_adds_what_is_missing_now(forge: Product) -> None:
    install(forge, "ink.pt")
    request = replace(KNIGHT, prompt="embedding:ink AND")
    record = await forge.generations.submit(request, "all_poses", SHEET_VIEWS)
    forge.host.succeed(record.prompt_id)
    before = warnings(await forge.until(record.id, "completed"))
    install(forge)
    rerolled = await forge.generations.reroll(record.id, "back", 3)
    assert warnings(rerolled) == [*before, MISSING]
    forge.host.succeed(rerolled.prompt_id)
    assert warnings(await forge.until(record.id, "completed")) == [*before, MISSING]
