"""Every refusal is JSON with a `detail`, whatever was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web
from services import Product
from sqlalchemy.exc import OperationalError

from avatarforge.forge import errors
from avatarforge.routes import ENDPOINTS, PREFIX
from avatarforge.routes.errors import STATUS, answer_for

from .conftest import Client, application, generate, uncoded, upload


def every_error() -> list[type[errors.AvatarForgeError]]:
    return sorted(errors.AvatarForgeError.__subclasses__(), key=lambda kind: kind.__name__)


def test_the_table_knows_every_error_and_nothing_else() -> None:
    assert set(STATUS) == set(every_error())


@pytest.mark.parametrize("kind", every_error())
def test_every_error_has_an_answer_of_its_status(kind: type[errors.AvatarForgeError]) -> None:
    place = [("body", "x")] if kind is errors.UnprocessableError else []
    error = kind("A sentence.", *place, code="busy", parameters={"limit": 5})
    answer = answer_for(error)
    assert answer.status == STATUS[kind]
    assert "A sentence." in str(answer.text)
    body = json.loads(str(answer.text))
    assert set(body) == {"detail", "code", "parameters"}
    assert (body["code"], body["parameters"]) == ("busy", {"limit": 5})


@pytest.mark.parametrize("kind", [kind for kind in every_error() if kind is not errors.ForbiddenError])
def test_every_error_has_a_code_of_its_own_and_no_empty_parameters(
    kind: type[errors.AvatarForgeError],
) -> None:
    place = [("body", "x")] if kind is errors.UnprocessableError else []
    body = json.loads(str(answer_for(kind("A sentence.", *place)).text))
    assert set(body) == {"detail", "code"}
    assert body["code"] == kind.default_code != errors.AvatarForgeError.default_code


async def test_an_answer_without_a_code_fails_any_test(
    client: Client, forge: Product, aiohttp_client: Any
) -> None:
    @web.middleware
    async def bare(request: web.Request, handler: Any) -> web.StreamResponse:
        return web.json_response({"detail": "no"}, status=403)

    bad: Client = await aiohttp_client(application(forge.services, middlewares=[bare]))
    assert (await client.get(f"{PREFIX}/nothing")).status == 404
    assert uncoded == []
    assert (await bad.get(f"{PREFIX}/files")).status == 403
    assert uncoded == [(f"GET {PREFIX}/files", '{"detail": "no"}')]
    uncoded.clear()


def test_a_bug_is_a_500_without_its_traceback_or_paths() -> None:
    answer = answer_for(KeyError("/home/me/secret"))
    assert answer.status == 500
    assert "secret" not in str(answer.text)
    body = json.loads(str(answer.text))
    assert ("log" in body["detail"], body["code"]) == (True, "internal_error")


def test_a_database_that_fails_is_a_503() -> None:
    answer = answer_for(OperationalError("SELECT secret", {}, Exception("disk I/O error")))
    assert answer.status == 503
    assert "SELECT" not in str(answer.text)


async def problem(client: Client, path: str, body: Any, **options: Any) -> dict[str, Any]:
    answer = await client.post(PREFIX + path, **(options or {"json": body}))
    assert answer.status == 422, await answer.text()
    (found,) = (await answer.json())["detail"]
    assert set(found) == {"loc", "msg", "type"}
    return dict(found)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "   "}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "x" * 10_001}, "prompt"),
        ({"prompt": "x", "realism": "yes"}, "realism"),
        ({"prompt": "x", "realism": 1}, "realism"),
        ({"prompt": "x", "width": 63}, "width"),
        ({"prompt": "x", "width": 4104}, "width"),
        ({"prompt": "x", "height": 100}, "height"),
        ({"prompt": "x", "height": "512"}, "height"),
        ({"prompt": "x", "steps": 0}, "steps"),
        ({"prompt": "x", "steps": 151}, "steps"),
        ({"prompt": "x", "steps": 2.5}, "steps"),
        ({"prompt": "x", "steps": True}, "steps"),
        ({"prompt": "x", "cfg": -1}, "cfg"),
        ({"prompt": "x", "cfg": 31}, "cfg"),
        ({"prompt": "x", "seed": -1}, "seed"),
        ({"prompt": "x", "seed": 2**64}, "seed"),
        ({"prompt": "x", "pose_strength": 2.1}, "pose_strength"),
        ({"prompt": "x", "reference_strength": 1.1}, "reference_strength"),
        ({"prompt": "x", "colour": "red"}, "colour"),
        ({"prompt": "x", "sampler": "nope"}, "sampler"),
        ({"prompt": "x", "scheduler": "nope"}, "scheduler"),
        ({"prompt": "x", "checkpoint": "nope"}, "checkpoint"),
    ],
)
async def test_a_bad_field_is_named(client: Client, body: dict[str, Any], field: str) -> None:
    for path in ("/generate/avatar", "/generate_pose?pose=front", "/generate_all_poses"):
        assert (await problem(client, path, body))["loc"] == ["body", field]


async def test_whole_numbers_may_be_written_with_a_point(client: Client) -> None:
    answer = await generate(client, steps=20.0, width=512.0, cfg=7)
    assert (answer["parameters"]["steps"], answer["parameters"]["width"]) == (20, 512)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"x"', '{"prompt": "x", "cfg": NaN}', '{"prompt": "\\ud800"}', "[" * 100_000]
)
async def test_a_body_that_is_no_json_object_is_refused(client: Client, text: str) -> None:
    found = await problem(
        client, "/generate/avatar", None, data=text, headers={"Content-Type": "application/json"}
    )
    assert found["loc"][0] == "body"


async def test_a_body_of_another_type_is_refused(client: Client) -> None:
    answer = await client.post(PREFIX + "/generate/avatar", data={"prompt": "x"})
    assert answer.status == 415
    assert "application/json" in (await answer.json())["detail"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/generations?limit=0", "limit"),
        ("/generations?limit=101", "limit"),
        ("/generations?limit=x", "limit"),
        ("/generations?offset=-1", "offset"),
        ("/generations?offset=8.8e28", "offset"),
        ("/generations?offset=99999999999999999999999", "offset"),
        ("/generations?status=cancelled", "status"),
        ("/generations?limit=5&limit=6", "limit"),
        ("/generations?page=2", "page"),
        ("/generations?cursor=abc", "cursor"),
    ],
)
async def test_a_bad_query_is_named(client: Client, path: str, field: str) -> None:
    answer = await client.get(PREFIX + path)
    assert answer.status == 422
    assert (await answer.json())["detail"][0]["loc"] == ["query", field]


@pytest.mark.parametrize("pose", ["?pose=top", "?pose=", "", "?pose=Front", "?pose=front&pose=back"])
async def test_an_unknown_view_is_refused(client: Client, pose: str) -> None:
    assert (await problem(client, f"/generate_pose{pose}", {"prompt": "x"}))["loc"] == ["query", "pose"]


@pytest.mark.parametrize("days", ["-1", "36501", "x", "1.5"])
async def test_bad_days_are_refused(client: Client, days: str) -> None:
    found = await problem(client, f"/cleanup/orphaned-files?days={days}", None, data=b"")
    assert found["loc"] == ["query", "days"]


async def test_both_forms_of_one_image_are_refused(client: Client) -> None:
    for role in ("pose", "reference"):
        file_id = (await upload(client))["file_id"]
        body = {"prompt": "x", f"{role}_file_id": file_id, f"{role}_image": "QUJD"}
        assert (await problem(client, "/generate/avatar", body))["loc"] == ["body", f"{role}_image"]


async def test_unknown_ids_are_404(client: Client) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    for method, path in (
        ("GET", f"/files/{unknown}"),
        ("DELETE", f"/files/{unknown}"),
        ("GET", f"/generations/{unknown}"),
        ("DELETE", f"/generations/{unknown}"),
        ("GET", f"/outputs/{unknown}/avatarforge_00001.png"),
        ("GET", "/files/..%2F..%2Fetc%2Fpasswd"),
        ("GET", "/files/%00"),
        ("GET", "/files/{file_id}"),
        ("GET", "/nothing"),
    ):
        answer = await client.request(method, PREFIX + path)
        assert answer.status == 404, path
        assert isinstance((await answer.json())["detail"], str)
        assert answer.headers["Cache-Control"] == "no-store"
    for role in ("pose", "reference"):
        answer = await client.post(
            PREFIX + "/generate/avatar", json={"prompt": "x", f"{role}_file_id": unknown}
        )
        assert answer.status == 404
        assert unknown in (await answer.json())["detail"]


async def test_a_hash_that_is_none_is_refused(client: Client) -> None:
    for bad in ("abc", "g" * 64, "a" * 63, "a" * 65):
        answer = await client.get(f"{PREFIX}/files/hash/{bad}")
        assert answer.status == 422
        assert (await answer.json())["detail"][0]["loc"] == ["path", "content_hash"]


async def test_a_wrong_method_says_which_is_right(client: Client) -> None:
    answer = await client.get(PREFIX + "/generate/avatar")
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    assert "POST" in (await answer.json())["detail"]


async def test_missing_models_are_503_with_file_and_folder(client: Client, forge: Product) -> None:
    file_id = (await upload(client))["file_id"]
    forge.host.installed = type(forge.host.installed)(forge.host.installed.checkpoints, (), (), ())
    answer = await client.post(PREFIX + "/generate/avatar", json={"prompt": "x", "pose_file_id": file_id})
    assert answer.status == 503
    assert "models/controlnet" in (await answer.json())["detail"]


async def test_while_unavailable_every_route_says_why_and_health_answers(broken: Client) -> None:
    for endpoint in ENDPOINTS:
        path = endpoint.path.replace("{", "").replace("}", "")
        answer = await broken.request(endpoint.method, PREFIX + path)
        body = await answer.json()
        if endpoint.path == "/health":
            assert answer.status == 200
            assert (body["api_status"], body["reason"]) == (
                "unavailable",
                "MAX_FILE_SIZE='x' cannot be used.",
            )
            assert body["comfyui"]["url"] == "http://c"
        else:
            assert (answer.status, body) == (
                503,
                {"detail": "MAX_FILE_SIZE='x' cannot be used.", "code": "unavailable"},
            ), endpoint
