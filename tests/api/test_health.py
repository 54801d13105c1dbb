"""Health answers whatever is wrong, and the table of what works says which files were skipped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from services import Product

from avatarforge.forge.ports import ModelFile, SkippedFile
from avatarforge.routes import PREFIX, Unavailable

from .conftest import Client, application, generate

ERRORS = [OSError("no"), IndexError("tuple index out of range"), RuntimeError("no"), MemoryError()]


async def health(client: Client) -> dict[str, Any]:
    answer = await client.get(f"{PREFIX}/health")
    assert answer.status == 200
    body: dict[str, Any] = await answer.json()
    return body


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("installed_models", "The installed models cannot be listed."),
        ("system_stats", "ComfyUI's statistics cannot be read."),
        ("queue_state", "ComfyUI's queue cannot be read."),
        ("stopped", "ComfyUI's queue cannot be read."),
    ],
)
async def test_health_answers_when_a_part_of_comfyui_raises(
    forge: Product,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    said: str,
    error: Exception,
) -> None:
    def fails(**_: object) -> None:
        raise error

    async def fails_later(**_: object) -> None:
        raise error

    immediate = part in ("queue_state", "stopped")
    monkeypatch.setattr(forge.host, part, fails if immediate else fails_later)
    body = await health(client)
    assert (body["api_status"], body["reason"]) == ("degraded", said)


@pytest.mark.parametrize("error", ERRORS, ids=repr)
async def test_health_answers_when_the_store_raises(
    forge: Product, client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(forge.blobs, "probe", fails)
    monkeypatch.setattr(forge.database, "read", fails)
    body = await health(client)
    assert body["api_status"] == "degraded"
    assert body["database"] == {"status": "unhealthy", "reason": "The database cannot be read."}
    assert body["storage"]["reason"] == "The storage cannot be checked."


# The byte 0xe9 as Python reads it from arguments and file names (PEP 383).
BYTES = {"system": {"argv": ["main.py", "--base-directory", "/caf\udce9"]}}


async def test_health_answers_when_comfyui_runs_in_a_folder_whose_name_is_no_text(
    forge: Product, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stats() -> Mapping[str, Any]:
        return BYTES

    monkeypatch.setattr(forge.host, "system_stats", stats)
    assert (await health(client))["comfyui"]["stats"]["system"]["argv"][2] == "/caf?"


async def fails_always() -> Mapping[str, Any]:
    raise IndexError("no")


async def gives_bytes() -> Mapping[str, Any]:
    return BYTES


@pytest.mark.parametrize("stats", [fails_always, gives_bytes])
async def test_health_answers_while_unavailable(
    aiohttp_client: Callable[..., Awaitable[Client]], stats: Callable[[], Awaitable[Mapping[str, Any]]]
) -> None:
    body = await health(await aiohttp_client(application(Unavailable("It broke.", "http://c", stats))))
    assert (body["api_status"], body["reason"]) == ("unavailable", "It broke.")


async def test_the_table_says_what_was_skipped_and_what_was_guessed(forge: Product, client: Client) -> None:
    forge.host.installed = replace(
        forge.host.installed,
        checkpoints=(
            ModelFile("guess.ckpt", "sd15", guessed=True),
            ModelFile("read.safetensors", "sd15"),
            ModelFile("zero.ckpt", None, problem="is empty"),
        ),
        controlnets=(ModelFile("openpose.pth", "sd15", guessed=True),),
        skipped=(
            SkippedFile("checkpoints", "zero.ckpt", "is empty"),
            SkippedFile("ipadapter", None, "is away"),
        ),
    )
    answer = await client.get(f"{PREFIX}/capabilities")
    assert answer.status == 200
    table = await answer.json()
    assert [(item["name"], item["family_is_guess"], item["problem"]) for item in table["checkpoints"]] == [
        ("guess.ckpt", True, None),
        ("read.safetensors", False, None),
        ("zero.ckpt", False, "is empty"),
    ]
    assert table["checkpoints"][0]["pose"][0]["family_is_guess"] is True
    assert table["checkpoints"][0]["reference"][1]["family_is_guess"] is False
    assert table["skipped_files"] == [
        {"folder": "checkpoints", "name": "zero.ckpt", "reason": "is empty"},
        {"folder": "ipadapter", "name": None, "reason": "is away"},
    ]
    assert table["skipped_total"] == 2
    assert (await health(client))["api_status"] == "healthy"
    assert (await generate(client))["status"] == "queued"


async def test_the_table_shows_the_first_hundred_skipped_files_and_counts_all(
    forge: Product, client: Client
) -> None:
    skipped = tuple(SkippedFile("controlnet", f"{number}.pth", "is empty") for number in range(1000))
    forge.host.installed = replace(forge.host.installed, skipped=skipped)
    table = await (await client.get(f"{PREFIX}/capabilities")).json()
    assert [item["name"] for item in table["skipped_files"]] == [f"{number}.pth" for number in range(100)]
    assert table["skipped_total"] == 1000


async def test_a_request_for_a_broken_checkpoint_is_refused_with_what_it_is(
    forge: Product, client: Client
) -> None:
    broken = ModelFile("sub/a.ckpt", None, problem="is a web page, not a model")
    forge.host.installed = replace(forge.host.installed, checkpoints=(broken,))
    for name in ("sub/a.ckpt", "sub\\a.ckpt"):
        answer = await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "x", "checkpoint": name})
        assert answer.status == 422
        (problem,) = (await answer.json())["detail"]
        assert problem["loc"] == ["body", "checkpoint"]
        assert problem["msg"] == "The checkpoint 'sub/a.ckpt' cannot be used: it is a web page, not a model."


@pytest.mark.parametrize("name", ["caf\udce9.safetensors", "a\nb.safetensors", "a\x7f.safetensors"])
async def test_a_name_that_no_file_of_ours_can_have_is_refused(client: Client, name: str) -> None:
    answer = await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "x", "checkpoint": name})
    assert answer.status == 422
