"""What each code is sent for. Codes that need a fault of the disk, the database or the network are asserted
where that fault is made."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from pictures import picture
from PIL import Image
from services import Product, product

from avatarforge.forge.access.signing import Signer
from avatarforge.forge.error_codes import ERROR_CODES
from avatarforge.forge.ports import ModelFile
from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX, Access, NetworkExposure, rules
from avatarforge.routes.access import WRONG_KEYS
from avatarforge.routes.errors import answer_for

from .conftest import Client, application, generate, upload

KEY = "a-key-of-more-than-16-characters"
SECRET = "s" * 32
UNKNOWN = "00000000-0000-4000-8000-000000000000"
POSE = {
    "people": [{"pose_keypoints_2d": [20, 20, 1] + [30, 40, 1] * 17}],
    "canvas_width": 64,
    "canvas_height": 64,
}
JSON = {"Content-Type": "application/json"}
AVATAR = "/generate/avatar"
Open = Callable[..., Awaitable[Client]]
Sent = tuple[str, str, dict[str, Any]]


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


def form(data: bytes, name: str = "file") -> dict[str, Any]:
    made = FormData()
    made.add_field(name, data, filename="a.png")
    return {"data": made}


def animated() -> bytes:
    frames = [Image.open(io.BytesIO(picture(seed))) for seed in range(2)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def signed(expires: int) -> str:
    path = f"/files/{UNKNOWN}"
    return f"{PREFIX}{path}?expires={expires}&signature={Signer(SECRET).sign(path, [], expires)}"


def body(**fields: Any) -> dict[str, Any]:
    return {"json": {"prompt": "x", **fields}}


@dataclass(frozen=True)
class Case:
    """One request, and the code and parameters that it is refused with."""

    code: str
    status: int
    method: str
    path: str
    options: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)


def post(code: str, status: int, path: str, options: Mapping[str, Any], **parameters: Any) -> Case:
    return Case(code, status, "POST", path, options, parameters)


def get(code: str, status: int, path: str, **headers: str) -> Case:
    return Case(
        code, status, "GET", path, {"headers": {name.replace("_", "-"): headers[name] for name in headers}}
    )


UPLOAD = "/upload/pose_image"
SIMPLE = [
    post("invalid_upload", 400, UPLOAD, {"data": b"no form"}),
    post("invalid_upload", 400, UPLOAD, form(picture(), "picture")),
    post("empty_file", 400, UPLOAD, form(b"")),
    post("unsupported_image_format", 400, UPLOAD, form(b"GIF89a" + bytes(99))),
    post("damaged_image", 400, UPLOAD, form(picture()[:-25])),
    post("multiple_images", 400, UPLOAD, form(animated())),
    post(
        "image_size_out_of_range",
        400,
        UPLOAD,
        form(picture(size=(63, 64))),
        width=63,
        height=64,
        min=64,
        max=4096,
    ),
    post(
        "image_size_out_of_range",
        400,
        UPLOAD,
        {"json": {**POSE, "canvas_width": 40}},
        width=40,
        height=64,
        min=64,
        max=4096,
    ),
    post("invalid_pose", 400, UPLOAD, {"json": {"people": []}}),
    post("picture_required", 400, "/upload/reference_image", form(json.dumps(POSE).encode())),
    post("hash_mismatch", 400, UPLOAD, {**form(picture()), "headers": {"X-Content-SHA256": "0" * 64}}),
    post("invalid_base64", 400, AVATAR, body(pose_image="***")),
    post("invalid_base64", 400, AVATAR, body(pose_image="data:image/png,x")),
    get("host_not_allowed", 403, "/files", Host="evil.example"),
    get("origin_not_allowed", 403, "/files", Origin="https://evil.example"),
    get("invalid_signed_link", 403, f"/files/{UNKNOWN}?expires=1"),
    get("invalid_signed_link", 403, f"/files/{UNKNOWN}?expires=1&signature={'0' * 64}"),
    get("signed_link_expired", 403, signed(1).removeprefix(PREFIX)),
    get("route_not_found", 404, "/nothing"),
    get("route_not_found", 404, "/docs/assets/nothing"),
    get("route_not_found", 404, "/panel/panel/nothing"),
    get("file_not_found", 404, f"/files/{UNKNOWN}"),
    post("file_not_found", 404, AVATAR, body(reference_file_id=UNKNOWN)),
    get("generation_not_found", 404, f"/generations/{UNKNOWN}"),
    get("output_not_found", 404, f"/outputs/{UNKNOWN}/avatarforge_00001.png"),
    get("preview_not_found", 404, f"/generations/{UNKNOWN}/previews/0"),
    get("preview_not_found", 404, f"/generations/{UNKNOWN}/previews/first"),
    get("method_not_allowed", 405, AVATAR),
    post("unsupported_media_type", 415, AVATAR, {"data": {"prompt": "x"}}),
    post("unsupported_content_encoding", 415, AVATAR, {**body(), "headers": {"Content-Encoding": "br"}}),
    post("invalid_request", 422, AVATAR, {"json": {}}),
    get("invalid_request", 422, "/files?limit=0"),
    get("invalid_request", 422, "/files/hash/abc"),
    post("invalid_json", 422, AVATAR, {"data": b"{", "headers": JSON}),
    get("invalid_cursor", 422, "/files?cursor=x"),
    get("invalid_cursor", 422, "/generations?cursor=x"),
    post("unknown_option", 422, AVATAR, body(sampler="nope"), field="sampler", value="nope"),
    post("unknown_option", 422, AVATAR, body(scheduler="nope"), field="scheduler", value="nope"),
    post("checkpoint_not_found", 422, AVATAR, body(checkpoint="nope"), checkpoint="nope"),
    post("field_not_applicable", 422, AVATAR, body(consistency=1), field="consistency"),
    post("field_not_applicable", 422, AVATAR, body(pose_mode="raw"), field="pose_mode"),
    post("webhooks_disabled", 422, AVATAR, body(callback_url="https://example.org/")),
]


@pytest.mark.parametrize("case", SIMPLE, ids=lambda case: f"{case.code} {case.method} {case.path[:30]}")
async def test_a_refused_request_has_its_code(client: Client, case: Case) -> None:
    answer = await client.request(case.method, PREFIX + case.path, **case.options)
    found = await answer.json()
    assert (answer.status, found["code"]) == (case.status, case.code), found
    assert found.get("parameters", {}) == case.parameters


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


def test_a_connection_that_ends() -> None:
    answer = answer_for(ConnectionResetError())
    assert (answer.status, json.loads(str(answer.text))["code"]) == (400, "incomplete_body")


#: pydantic's type of a problem, a body that has it, and the first number of its message, which
#: the panel shows.
PROBLEMS = [
    ("missing", {}, ""),
    ("string_too_short", {"prompt": ""}, "1"),
    ("string_too_long", {"prompt": "x" * 10_001}, "10000"),
    ("too_long", {"prompt": "x", "style": "x" * 501}, "500"),
    ("greater_than_equal", {"prompt": "x", "width": 56}, "64"),
    ("less_than_equal", {"prompt": "x", "cfg": 31}, "30"),
    ("multiple_of", {"prompt": "x", "width": 100}, "8"),
    ("extra_forbidden", {"prompt": "x", "colour": "red"}, ""),
    ("control_character", {"prompt": "\u0000"}, ""),
]


@pytest.mark.parametrize(("kind", "sent", "limit"), PROBLEMS)
async def test_problems_that_the_panel_translates_are_called_so_and_name_their_limit(
    client: Client, kind: str, sent: dict[str, Any], limit: str
) -> None:
    answer = await client.post(PREFIX + AVATAR, json=sent)
    (problem,) = (await answer.json())["detail"]
    assert problem["type"] == kind
    numbers = re.findall("[0-9]+", problem["msg"])
    assert (numbers or [""])[0] == limit


def test_every_translated_problem_is_in_the_table() -> None:
    catalog = Path(__file__).resolve().parents[2] / "locales" / "zh" / "main.json"
    texts = json.loads(catalog.read_text(encoding="utf-8"))["avatarforge"]
    translated = {key.removeprefix("problem_") for key in texts if key.startswith("problem_")}
    assert translated == {kind for kind, _, _ in PROBLEMS}


async def test_the_document_of_the_api_lists_the_codes(client: Client) -> None:
    schemas = (await (await client.get(f"{PREFIX}/openapi.json")).json())["components"]["schemas"]
    for name in ("ErrorAnswer", "InvalidAnswer"):
        assert schemas[name]["properties"]["code"]["enum"] == list(ERROR_CODES)
        assert schemas[name]["required"] == ["code", "detail"]
        assert schemas[name]["properties"]["parameters"]["type"] == "object"
