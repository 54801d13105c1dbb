"""Error codes that depend on settings, on what is stored or on which models are installed."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from services import Product, product

from avatarforge.forge.access.signing import Signer
from avatarforge.forge.ports import ModelFile
from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX, Access, NetworkExposure, rules
from avatarforge.routes.access import WRONG_KEYS

from .conftest import Client, application, generate, upload
from .refusals import AVATAR, POSE, SECRET, UNKNOWN, UPLOAD, body, form

KEY = "a-key-of-more-than-16-characters"


@pytest.fixture
async def opened(tmp_path: Path, aiohttp_client: Any) -> Any:
    """``await opened(**settings)``: the API with these settings, and what is behind it."""
    async with AsyncExitStack() as stack:

        async def make(**settings: Any) -> tuple[Client, Product]:
            chosen = Settings(**settings)
            forge = await stack.enter_async_context(product(tmp_path, settings=chosen))
            access = Access(rules(chosen, NetworkExposure()), Signer(SECRET))
            return await aiohttp_client(application(forge.services, access)), forge

        yield make


async def refused(
    client: Client, status: int, path: str, method: str = "POST", **options: Any
) -> dict[str, Any]:
    """The body of an error answer, without its `detail`."""
    answer = await client.request(method, PREFIX + path, **options)
    found: dict[str, Any] = await answer.json()
    assert answer.status == status, found
    assert found.pop("detail")
    return found


async def test_keys(opened: Any) -> None:
    client, _ = await opened(api_key=KEY)
    assert await refused(client, 401, "/files", "GET") == {"code": "key_required"}
    wrong = {"headers": {"X-API-Key": "wrong"}}
    for _ in range(WRONG_KEYS):
        assert await refused(client, 401, "/files", "GET", **wrong) == {"code": "wrong_key"}
    found = await refused(client, 429, "/files", "GET", **wrong)
    assert found["code"] == "too_many_wrong_keys"
    assert found["parameters"]["seconds"] > 0


async def test_a_server_that_needs_a_key_and_has_none(forge: Product, aiohttp_client: Any) -> None:
    access = Access(rules(Settings(), NetworkExposure(network=True)), Signer(SECRET))
    client: Client = await aiohttp_client(application(forge.services, access))
    assert await refused(client, 401, "/files", "GET") == {"code": "key_not_configured"}


async def test_limits_are_in_the_parameters(opened: Any) -> None:
    client, _ = await opened(max_file_size=2000, rate_limit=3)
    found = await refused(client, 413, UPLOAD, **form(bytes(2001)))
    assert found == {"code": "file_too_large", "parameters": {"limit": 2000}}
    large = await refused(client, 413, AVATAR, **body(pose_image="A" * 200_000))
    assert large["code"] == "body_too_large"
    assert 2000 < large["parameters"]["limit"] < 200_000
    await refused(client, 404, f"/files/{UNKNOWN}", "DELETE")
    found = await refused(client, 429, f"/files/{UNKNOWN}", "DELETE")
    assert (found["code"], found["parameters"]["limit"]) == ("rate_limited", 3)
    assert found["parameters"]["seconds"] > 0


async def test_downloads(client: Client) -> None:
    url = (await upload(client))["url"]
    other = {"headers": {"If-Match": '"other"'}}
    assert await refused(client, 412, url, "GET", **other) == {"code": "precondition_failed"}
    beyond = {"headers": {"Range": "bytes=99999999-"}}
    assert await refused(client, 416, url, "GET", **beyond) == {"code": "range_not_satisfiable"}


async def test_states_of_a_generation(client: Client, forge: Product) -> None:
    file_id = (await upload(client))["file_id"]
    generation_id = (await generate(client, reference_file_id=file_id))["generation_id"]
    path = f"/generations/{generation_id}"
    assert await refused(client, 409, f"{path}/reroll?pose=front") == {"code": "generation_not_completed"}
    assert await refused(client, 409, f"{path}/retry") == {"code": "generation_not_failed"}
    assert (await client.post(f"{PREFIX}{path}/cancel")).status == 200
    assert await refused(client, 409, f"{path}/cancel") == {"code": "generation_not_active"}
    assert (await client.delete(f"{PREFIX}/files/{file_id}?force=true")).status == 200
    assert await refused(client, 409, f"{path}/retry") == {"code": "input_file_deleted"}
    other = (await generate(client))["generation_id"]
    forge.host.succeed(other)
    await forge.until(other, "completed")
    assert await refused(client, 422, f"/generations/{other}/reroll?pose=back") == {"code": "view_not_found"}


async def test_fields_that_do_not_fit_together(client: Client) -> None:
    picture_id = (await upload(client))["file_id"]
    pose_id = (await upload(client, json.dumps(POSE).encode()))["file_id"]
    both = body(pose_file_id=picture_id, pose_image="QUJD")
    assert await refused(client, 422, AVATAR, **both) == {
        "code": "conflicting_fields",
        "parameters": {"field": "pose_image", "other": "pose_file_id"},
    }
    photo = body(pose_file_id=pose_id, pose_mode="photo")
    assert await refused(client, 422, AVATAR, **photo) == {
        "code": "field_not_applicable",
        "parameters": {"field": "pose_mode"},
    }
    reference = body(reference_file_id=pose_id)
    assert await refused(client, 422, AVATAR, **reference) == {"code": "picture_required"}


async def test_models(client: Client, forge: Product) -> None:
    everything = forge.host.installed
    file_id = (await upload(client))["file_id"]
    failed = (await generate(client))["generation_id"]
    assert (await client.post(f"{PREFIX}/generations/{failed}/cancel")).status == 200
    forge.host.installed = replace(
        everything,
        checkpoints=(
            ModelFile("cut.safetensors", None, problem="is empty"),
            ModelFile("flux.safetensors", None),
        ),
        controlnets=(),
    )
    assert await refused(client, 422, AVATAR, **body(checkpoint="cut.safetensors")) == {
        "code": "checkpoint_unusable",
        "parameters": {"checkpoint": "cut.safetensors"},
    }
    unsupported = await refused(client, 422, AVATAR, **body(checkpoint="flux.safetensors"))
    assert unsupported["code"] == "checkpoint_unsupported"
    assert unsupported["parameters"]["checkpoint"] == "flux.safetensors"
    missing = await refused(client, 503, AVATAR, **body())
    assert (missing["code"], missing["parameters"]) == (
        "checkpoint_missing",
        {"families": unsupported["parameters"]["families"]},
    )
    assert await refused(client, 503, f"/generations/{failed}/retry") == {
        "code": "model_unavailable",
        "parameters": {"model": "anime-sd15.safetensors", "folder": "models/checkpoints"},
    }
    forge.host.installed = replace(everything, controlnets=())
    assert await refused(client, 503, AVATAR, **body(pose_file_id=file_id)) == {
        "code": "pose_controlnet_missing",
        "parameters": {"family": "Stable Diffusion 1.5"},
    }
    forge.host.installed = everything
    photo = body(pose_file_id=file_id, pose_mode="photo")
    assert await refused(client, 503, AVATAR, **photo) == {"code": "pose_extractor_missing"}
    forge.host.refusal = "ComfyUI refused the prompt."
    assert await refused(client, 422, AVATAR, **body()) == {"code": "prompt_refused"}


async def test_settings_that_name_what_cannot_be_used(opened: Any) -> None:
    client, _ = await opened(
        checkpoint_anime="gone.safetensors",
        webhook_hosts="example.org",
        webhook_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",  # noqa: S106 - of the test alone
    )
    assert await refused(client, 503, AVATAR, **body()) == {
        "code": "configured_checkpoint_unusable",
        "parameters": {"checkpoint": "gone.safetensors", "setting": "CHECKPOINT_ANIME"},
    }
    elsewhere = body(callback_url="https://elsewhere.example/")
    assert await refused(client, 422, AVATAR, **elsewhere) == {"code": "callback_url_not_allowed"}
