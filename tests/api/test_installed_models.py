"""The list of model files, and what the user says about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from services import Product

from avatarforge.forge.families import FAMILIES
from avatarforge.forge.ports import ModelFile, PartFile
from avatarforge.routes import PREFIX

from .conftest import Client

MODELS, OVERRIDE = f"{PREFIX}/models", f"{PREFIX}/models/override"
NAME = "sub/mine.safetensors"
FLUX = ModelFile(NAME, "flux", folder="diffusion_models", variant="dev", size=7)
UNKNOWN = ModelFile("wan.safetensors", None, folder="diffusion_models", size=8)
BROKEN = ModelFile("bad.safetensors", None, folder="loras", problem="is empty")


@pytest.fixture(autouse=True)
def some_models(forge: Product) -> None:
    forge.host.installed = replace(
        forge.host.installed,
        diffusion_models=(FLUX, UNKNOWN),
        loras=(BROKEN,),
        text_encoders=(PartFile("qwen.safetensors", "qwen3_4b", "text_encoders"),),
        vaes=(PartFile("ae.safetensors", "flux", "vae"),),
    )


async def listed(client: Client, **query: str) -> dict[str, Any]:
    answer = await client.get(MODELS, params=query)
    assert answer.status == 200
    body: dict[str, Any] = await answer.json()
    return body


async def say(client: Client, **body: Any) -> tuple[int, Any]:
    answer = await client.put(OVERRIDE, json={"folder": "diffusion_models", "name": NAME, **body})
    return answer.status, await answer.json()


async def model(client: Client, name: str) -> dict[str, Any]:
    return next(one for one in (await listed(client))["models"] if one["name"] == name)


async def test_every_file_is_listed_with_what_it_is(client: Client) -> None:
    body = await listed(client)
    assert [one["name"] for one in body["models"]] == [
        "anime-sd15.safetensors",
        "realistic-sd15.safetensors",
        NAME,
        "wan.safetensors",
        "openpose-sd15.safetensors",
        "bad.safetensors",
    ]
    found = next(one for one in body["models"] if one["name"] == NAME)
    assert (found["folder"], found["family"], found["variant"]) == ("diffusion_models", "flux", "dev")
    assert (found["told_by"], found["variant_told_by"], found["override"]) == ("header", "name", None)
    assert (found["size"], found["family_label"]) == (7, FAMILIES["flux"].label)
    assert next(one for one in body["models"] if one["name"] == BROKEN.name)["problem"] == "is empty"
    assert [(one["folder"], one["kind"]) for one in body["parts"]] == [
        ("text_encoders", "qwen3_4b"),
        ("vae", "flux"),
    ]
    assert {"name": "krea", "label": "Krea"} in next(
        family["variants"] for family in body["families"] if family["name"] == "flux"
    )
    assert {"lightning", "none"} <= set(body["distillations"])


async def test_one_folder_can_be_listed(client: Client) -> None:
    body = await listed(client, folder="diffusion_models")
    assert ([one["name"] for one in body["models"]], body["parts"]) == ([NAME, "wan.safetensors"], [])
    body = await listed(client, folder="vae")
    assert (body["models"], [one["name"] for one in body["parts"]]) == ([], ["ae.safetensors"])


async def test_an_override_counts_at_the_next_request_and_can_be_removed(client: Client) -> None:
    status, body = await say(client, family="qwen_edit", variant="2511", distillation="lightning")
    assert status == 200
    assert (body["family"], body["variant"], body["told_by"]) == ("qwen_edit", "2511", "override")
    assert await model(client, NAME) == body
    assert body["override"] == {
        "family": "qwen_edit",
        "variant": "2511",
        "distillation": "lightning",
        "prediction": None,
    }
    answer = await client.delete(OVERRIDE, params={"folder": "diffusion_models", "name": NAME})
    assert answer.status == 200
    assert await model(client, NAME) == await answer.json()
    assert (await answer.json())["family"] == "flux"


async def test_names_may_have_backslashes(client: Client) -> None:
    status, body = await say(client, name=NAME.replace("/", "\\"), variant="krea")
    assert (status, body["name"], body["variant"]) == (200, NAME, "krea")
    answer = await client.delete(
        OVERRIDE, params={"folder": "diffusion_models", "name": NAME.replace("/", "\\")}
    )
    assert (await answer.json())["override"] is None


async def test_an_override_replaces_the_one_before(client: Client) -> None:
    await say(client, variant="krea", distillation="turbo")
    _, body = await say(client, variant="kontext")
    assert (body["variant"], body["distillation"]) == ("kontext", None)


async def test_a_file_of_no_family_can_be_given_one(client: Client) -> None:
    status, body = await say(client, name=UNKNOWN.name, variant="krea")
    assert (status, body["detail"][0]["loc"]) == (422, ["body", "variant"])
    status, body = await say(client, name=UNKNOWN.name, family="flux", variant="krea")
    assert (status, body["family"]) == (200, "flux")


@pytest.mark.parametrize(
    "change",
    [
        {"name": "gone.safetensors"},
        {"name": "../../../etc/passwd"},
        {"name": "C:\\windows\\system.ini"},
        {"folder": "loras"},
    ],
)
async def test_a_file_that_is_not_installed_is_not_found(
    client: Client, forge: Product, change: dict[str, str]
) -> None:
    status, body = await say(client, family="flux", **change)
    assert (status, body["code"]) == (404, "not_found")
    query = {"folder": "diffusion_models", "name": NAME, **change}
    answer = await client.delete(OVERRIDE, params=query)
    assert answer.status == 404
    assert forge.overrides.load() == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"family": "nothing"}, "family"),
        ({"variant": "2511"}, "variant"),
        ({"distillation": "magic"}, "distillation"),
        ({"prediction": "x0"}, "prediction"),
        ({"folder": "vae"}, "folder"),
        ({"folder": "../checkpoints"}, "folder"),
        ({"name": ""}, "name"),
        ({"name": "a" * 513}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"family": ["flux"]}, "family"),
        ({"other": 1}, "other"),
    ],
)
async def test_a_wrong_value_is_refused_by_its_name(
    client: Client, forge: Product, change: dict[str, Any], field: str
) -> None:
    status, body = await say(client, **change)
    assert (status, body["code"]) == (422, "invalid_request")
    assert body["detail"][0]["loc"] == ["body", field]
    assert forge.overrides.load() == {}
