"""References by role over HTTP: a list of them, its short form, and lists that are refused."""

from __future__ import annotations

import base64
import json
import uuid
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from pictures import picture
from pose_formats import encoded, person
from services import Product
from sqlalchemy import Connection, update

from avatarforge.db.files import get_any
from avatarforge.db.records import GenerationRecord
from avatarforge.db.tables import generations
from avatarforge.forge.errors import ConflictError, NotFoundError, UnprocessableError
from avatarforge.forge.generations.inputs import Inputs
from avatarforge.forge.generations.transactions import commit_new
from avatarforge.forge.spec.reference import REFERENCE_ROLES, RequestedReference
from avatarforge.forge.spec.request import MOST_REFERENCES, AvatarRequest
from avatarforge.routes import PREFIX

from .conftest import Client, generate, upload

DOLL = {"prompt": "a knight", "family": "doll"}
POSE = encoded({"canvas_width": 512, "canvas_height": 768, "people": [person()]})
SHORT = ("reference_file_id", "reference_image", "reference_strength")


async def stored(client: Client, count: int) -> list[str]:
    return [(await upload(client, picture(number), "reference"))["file_id"] for number in range(count)]


async def refused(client: Client, references: Any, status: int = 422, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"{PREFIX}/generate/avatar", json={**DOLL, "references": references, **body})
    problem: dict[str, Any] = await answer.json()
    assert answer.status == status, problem
    total = (await (await client.get(f"{PREFIX}/generations")).json())["total"]
    assert total == 0  # nothing was queued
    return problem


def location(problem: dict[str, Any]) -> list[Any]:
    found: list[Any] = problem["detail"][0]["loc"]
    return found


async def test_the_receipt_names_each_reference_with_its_role_and_view(client: Client) -> None:
    files = await stored(client, 3)
    wanted = [
        {"file_id": files[0].upper(), "role": "outfit", "strength": 0.5},
        {"file_id": files[1], "view": "front"},
        {"file_id": files[2], "role": "face"},
    ]
    answer = await generate(client, **DOLL, references=wanted)
    lines = [line for line in answer["inputs"] if line["role"] == "reference"]
    assert [(line["reference_role"], line["file_id"], line["strength"]) for line in lines] == [
        ("identity", files[1], 0.8),
        ("face", files[2], 0.8),
        ("outfit", files[0], 0.5),
    ]
    assert {line["reference_role"] for line in answer["inputs"] if line["role"] != "reference"} == {None}
    repeated = answer["parameters"]
    assert repeated["references"][0] == {
        "file_id": files[1],
        "role": "identity",
        "strength": 0.8,
        "view": "front",
    }
    assert [repeated[name] for name in ("reference_file_id", "reference_strength")] == [None, None]
    again = await client.post(f"{PREFIX}/generate/avatar", json=repeated)
    assert again.status == 200, await again.text()
    assert (await again.json())["parameters"] == repeated
    # Each of them counts as a use of its file.
    listed = (await (await client.get(f"{PREFIX}/files")).json())["files"]
    assert {item["file_id"]: item["references"] for item in listed} == dict.fromkeys(files, 2)


async def test_one_file_may_have_several_roles_and_is_used_once(client: Client) -> None:
    (file_id,) = await stored(client, 1)
    both = [{"file_id": file_id, "role": role} for role in ("face", "outfit")]
    answer = await generate(client, **DOLL, references=both)
    roles = [line["reference_role"] for line in answer["inputs"] if line["role"] == "reference"]
    assert roles == ["face", "outfit"]
    deleted = await client.delete(f"{PREFIX}/files/{file_id}")
    assert (await deleted.json())["deleted"] == "soft"
    path = f"{PREFIX}/generations/{answer['generation_id']}"
    assert (await client.delete(path)).status == 200
    assert (await client.get(f"{PREFIX}/files/{file_id}")).status == 404


async def test_the_short_form_is_one_reference_of_the_whole_person(client: Client) -> None:
    (file_id,) = await stored(client, 1)
    short = await generate(client, **DOLL, seed=1, reference_file_id=file_id, reference_strength=0.5)
    whole = [{"file_id": file_id, "role": "identity", "strength": 0.5}]
    long = await generate(client, **DOLL, seed=1, references=whole)
    assert short["parameters"] == long["parameters"]
    assert short["parameters"]["references"] is None
    (line,) = [line for line in short["inputs"] if line["role"] == "reference"]
    assert line["reference_role"] == "identity"


@pytest.mark.parametrize("name", SHORT)
async def test_a_list_and_its_short_form_are_not_both_taken(client: Client, name: str) -> None:
    first, second = await stored(client, 2)
    values: dict[str, Any] = {
        "reference_file_id": second,
        "reference_image": base64.b64encode(picture(5)).decode(),
        "reference_strength": 0.5,
    }
    problem = await refused(client, [{"file_id": first}], **{name: values[name]})
    assert (problem["code"], location(problem)) == ("conflicting_fields", ["body", name])
    # A picture that came with it is not kept.
    assert (await (await client.get(f"{PREFIX}/files")).json())["total"] == 2


async def test_a_file_twice_in_one_role_is_refused(client: Client) -> None:
    (file_id,) = await stored(client, 1)
    problem = await refused(client, [{"file_id": file_id}, {"file_id": file_id.upper(), "strength": 0.1}])
    assert problem["code"] == "conflicting_fields"
    assert location(problem) == ["body", "references", 1, "file_id"]


async def test_a_file_that_is_not_there_is_named(client: Client) -> None:
    first, deleted = await stored(client, 2)
    await client.delete(f"{PREFIX}/files/{deleted}")
    for other in (str(uuid.uuid4()), deleted, "../../etc/passwd", ""):
        problem = await refused(client, [{"file_id": first}, {"file_id": other, "role": "face"}], 404)
        assert problem["code"] == "file_not_found"
        assert problem["detail"].startswith("references[1]: ")


async def test_a_pose_in_json_is_no_reference(client: Client) -> None:
    (first,) = await stored(client, 1)
    pose = (await upload(client, POSE))["file_id"]
    problem = await refused(client, [{"file_id": first}, {"file_id": pose, "role": "outfit"}])
    assert (problem["code"], location(problem)) == (
        "picture_required",
        ["body", "references", 1, "file_id"],
    )


async def test_what_the_family_cannot_take_is_refused_by_name(client: Client) -> None:
    files = await stored(client, 2)
    problem = await refused(client, [{"file_id": files[0]}, {"file_id": files[1], "role": "style"}])
    assert (problem["code"], location(problem)) == (
        "not_supported_by_family",
        ["body", "references", 1, "role"],
    )
    problem = await refused(client, [{"file_id": file_id} for file_id in files])
    assert (problem["code"], location(problem)) == ("not_supported_by_family", ["body", "references", 1])
    assert "takes 3 reference pictures, 1 of each role" in problem["detail"][0]["msg"]


ONE = {"file_id": "11111111-1111-4111-8111-111111111111"}


NO_LISTS: list[Any] = [
    [],
    [{**ONE, "view": None} for _ in range(MOST_REFERENCES + 1)],
    ONE,
    [ONE["file_id"]],
    [None],
    [[ONE]],
    [{}],
    [{"role": "face"}],
    [{**ONE, "role": "person"}],
    [{**ONE, "role": None}],
    [{**ONE, "strength": 1.5}],
    [{**ONE, "strength": -0.1}],
    [{**ONE, "strength": "1"}],
    [{**ONE, "strength": True}],
    [{**ONE, "view": "top"}],
    [{**ONE, "path": "/etc/passwd"}],
    [{**ONE, "from_character": True}],
    [{"file_id": 7}],
    [{"file_id": "x" * 65}],
    [{"file_id": "a\x00b"}],
]


async def test_lists_that_are_none_are_refused_by_place(client: Client) -> None:
    for references in NO_LISTS:
        problem = await refused(client, references)
        assert problem["code"] == "invalid_request", references
        assert location(problem)[:2] == ["body", "references"], references


async def test_a_strength_that_is_no_number_is_refused(client: Client) -> None:
    for strength in ("NaN", "Infinity", "1e999"):
        item = f'{{"file_id": "{ONE["file_id"]}", "strength": {strength}}}'
        body = f'{{"prompt": "a", "references": [{item}]}}'
        answer = await client.post(
            f"{PREFIX}/generate/avatar", data=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status in (400, 422), await answer.text()


async def test_the_capabilities_list_what_each_method_takes(client: Client) -> None:
    models = (await (await client.get(f"{PREFIX}/capabilities")).json())["models"]
    assert models[-1]["references"] == [
        {"method": "palette", "most": 3, "each": 1, "roles": ["identity", "face", "outfit"]}
    ]


# What a character brings is no part of a body: it comes from the service of characters.


async def test_a_characters_references_come_after_those_of_the_request(
    client: Client, forge: Product
) -> None:
    own, shared, other = await stored(client, 3)
    request = AvatarRequest("a", references=(RequestedReference(own), RequestedReference(shared, "face")))
    of_character = [
        RequestedReference(shared, "face", 0.1),
        RequestedReference(shared, "outfit"),
        RequestedReference(other, "style", view="back"),
        RequestedReference(other, "style"),
    ]
    inputs = Inputs(forge.database, forge.files, forge.poses)
    async with AsyncExitStack() as undo:
        pose, found = await inputs.resolve(request, undo, of_character)
    assert pose is None
    assert [(item.record.id, item.role, item.strength, item.from_character) for item in found] == [
        (own, "identity", 0.8, False),
        (shared, "face", 0.8, False),
        (shared, "outfit", 0.8, True),
        (other, "style", 0.8, True),
    ]
    assert found[3].view == "back"
    assert {item.role for item in found} == set(REFERENCE_ROLES)


async def test_a_characters_file_that_is_gone_or_is_no_picture_is_refused(
    client: Client, forge: Product
) -> None:
    pose = (await upload(client, POSE))["file_id"]
    inputs = Inputs(forge.database, forge.files, forge.poses)
    async with AsyncExitStack() as undo:
        with pytest.raises(ConflictError) as gone:
            await inputs.resolve(AvatarRequest("a"), undo, [RequestedReference(str(uuid.uuid4()))])
        with pytest.raises(UnprocessableError) as wrong:
            await inputs.resolve(AvatarRequest("a"), undo, [RequestedReference(pose)])
    assert gone.value.code == "input_file_deleted"
    assert wrong.value.code == "picture_required"


async def test_a_deleted_file_works_on_for_what_keeps_it(client: Client, forge: Product) -> None:
    """Something else uses the file, as a character does: it is hidden, and not gone."""
    (file_id,) = await stored(client, 1)
    kept = await generate(client, **DOLL, reference_file_id=file_id)
    assert (await (await client.delete(f"{PREFIX}/files/{file_id}")).json())["deleted"] == "soft"
    inputs = Inputs(forge.database, forge.files, forge.poses)
    async with AsyncExitStack() as undo:
        _, (found,) = await inputs.resolve(AvatarRequest("a"), undo, [RequestedReference(file_id)])
        with pytest.raises(NotFoundError):
            await inputs.resolve(AvatarRequest("a", reference_file_id=file_id), undo)
    assert found.record.deleted_at is not None
    record = await forge.generations.get(kept["generation_id"])

    def commit(connection: Connection, hidden: list[str]) -> GenerationRecord:
        new_id = str(uuid.uuid4())
        return commit_new(
            connection, new_id, "avatar", record.spec, "{}", record.receipt, None, record.created_at, hidden
        )

    with pytest.raises(NotFoundError):
        await forge.database.write(partial(commit, hidden=[]))
    again = await forge.database.write(partial(commit, hidden=[file_id]))
    for generation_id in (kept["generation_id"], again.id):
        assert (await client.get(f"{PREFIX}/files/{file_id}")).status == 404
        assert await forge.database.read(partial(get_any, file_id=file_id)) is not None
        assert (await client.delete(f"{PREFIX}/generations/{generation_id}")).status == 200
    assert await forge.database.read(partial(get_any, file_id=file_id)) is None
    with pytest.raises(NotFoundError):
        await forge.database.write(partial(commit, hidden=[file_id]))


async def test_a_reference_of_a_row_without_roles_is_of_the_whole_person(
    client: Client, forge: Product
) -> None:
    (file_id,) = await stored(client, 1)
    answer = await generate(client, **DOLL, reference_file_id=file_id)
    record = await forge.generations.get(answer["generation_id"])
    old = json.loads(record.receipt.to_json())
    for line in old["inputs"]:
        line.pop("reference_role", None)

    def rewrite(connection: Connection) -> None:
        changed = update(generations).where(generations.c.id == record.id)
        connection.execute(changed.values(receipt=json.dumps(old)))

    await forge.database.write(rewrite)
    read = await (await client.get(f"{PREFIX}/generations/{record.id}")).json()
    assert {line["role"]: line["reference_role"] for line in read["inputs"]} == {
        "view": None,
        "reference": "identity",
    }
    assert (await forge.generations.get(record.id)).receipt.inputs == tuple(
        replace(line, reference_role=None) for line in record.receipt.inputs
    )
