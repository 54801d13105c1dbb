"""What each code is sent for, one request each. Codes that need a fault of the disk, the database or the
network are asserted where that fault is made.
"""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pictures import picture
from PIL import Image

from avatarforge.forge.access.signing import Signer
from avatarforge.forge.error_codes import ERROR_CODES
from avatarforge.routes import PREFIX
from avatarforge.routes.errors import answer_for

from .conftest import Client
from .refusals import AVATAR, POSE, SECRET, UNKNOWN, UPLOAD, body, form

JSON = {"Content-Type": "application/json"}
# The one coding that every aiohttp reads: for others it wants packages that not everyone has.
GZIP = {**JSON, "Content-Encoding": "gzip"}


def animated() -> bytes:
    frames = [Image.open(io.BytesIO(picture(seed))) for seed in range(2)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def signed(expires: int) -> str:
    path = f"/files/{UNKNOWN}"
    return f"{PREFIX}{path}?expires={expires}&signature={Signer(SECRET).sign(path, [], expires)}"


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
    post("unsupported_content_encoding", 415, AVATAR, {"data": gzip.compress(b"{}"), "headers": GZIP}),
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
