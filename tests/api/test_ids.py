"""Ids are UUIDs, and a UUID is the same in capitals: on every route, in every field."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import pytest
from graphs import plain
from pictures import picture
from pose_formats import FRAME
from pydantic import BaseModel
from services import Product

from avatarforge.forge.ports import PreviewPicture, PromptEvent
from avatarforge.routes import ENDPOINTS, PREFIX
from avatarforge.routes.context import Endpoint
from avatarforge.routes.requests import AvatarBody

from .conftest import Client, generate, upload

ID = "b1c29540-8712-4faf-8d5c-9ed86409ddce"
NEVER_ISSUED = "00000000-0000-4000-8000-000000000000"
#: A value for each field that a model wants, and for each query that a route wants.
REQUIRED = {
    "prompt": "a knight",
    "name": "Mira",
    "description": "a knight",
    "urls": [f"/files/{ID}"],
    "pose": "front",
    "generation_id": ID,
    "generation_ids": [ID],
}
#: Holds a position in the event log, not a UUID; it has a test of its own.
NO_UUID = {"last_event_id"}
#: Forms of a UUID that are no id here, and were none before.
OTHER_FORMS = [ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}", f" {ID}", ID.replace("d", "\uff44")]


def mixed(text: str) -> str:
    """Every second letter as a capital: nearly every id has letters, wherever they are."""
    letters = [index for index, character in enumerate(text) if character.isalpha()]
    return "".join(
        character.upper() if index in letters[::2] else character for index, character in enumerate(text)
    )


CASES: dict[str, Callable[[str], str]] = {"upper": str.upper, "mixed": mixed}


def placeholders(endpoint: Endpoint) -> list[str]:
    return re.findall(r"{(\w+)}", endpoint.path)


WITH_IDS = [
    endpoint for endpoint in ENDPOINTS if any(name.endswith("_id") for name in placeholders(endpoint))
]


def paths(endpoint: Endpoint) -> list[str]:
    """The route under the prefix, and under the server's root where it has an alias there."""
    return [PREFIX + endpoint.path, *([endpoint.path] if endpoint.root_path else [])]


class Stage:
    """Makes what a request is about, again for each request."""

    def __init__(self, forge: Product, client: Client) -> None:
        self.forge = forge
        self.client = client
        self._pictures = 0

    async def file(self) -> str:
        self._pictures += 1
        file_id: str = (await upload(self.client, picture(self._pictures)))["file_id"]
        return file_id

    async def template(self) -> str:
        self._pictures += 1
        body = {"name": f"template {self._pictures}", "prompt": plain()}
        answer = await self.client.post(f"{PREFIX}/templates", json=body)
        template_id: str = (await answer.json())["template_id"]
        return template_id

    async def pose(self) -> str:
        self._pictures += 1
        body = {"name": f"pose {self._pictures}", "pose": FRAME}
        answer = await self.client.post(f"{PREFIX}/poses/library", json=body)
        pose_id: str = (await answer.json())["pose_id"]
        return pose_id

    async def character(self) -> str:
        self._pictures += 1
        body = {"name": f"character {self._pictures}", "description": "a knight"}
        answer = await self.client.post(f"{PREFIX}/characters", json=body)
        character_id: str = (await answer.json())["character_id"]
        return character_id

    async def shown(self, character_id: str) -> str:
        """A completed generation of a character."""
        answer = await generate(self.client, "/generate_pose?pose=front", character_id=character_id)
        self.forge.host.succeed(answer["generation_id"])
        await self.forge.until(answer["generation_id"], "completed")
        generation_id: str = answer["generation_id"]
        return generation_id

    async def finished_batch(self) -> str:
        batch_id = await self.batch(failed=False)
        (item,) = (await self.forge.batches.get(batch_id)).items
        while item.generation_id not in self.forge.host.queued:
            await self.forge.generations.get(item.generation_id)  # each read lets other tasks run
        self.forge.host.succeed(item.generation_id)
        await self.forge.until(item.generation_id, "completed")
        return batch_id

    async def batch(self, *, failed: bool) -> str:
        answer = await self.client.post(f"{PREFIX}/batch", json={"requests": [{"prompt": "a knight"}]})
        batch_id: str = (await answer.json())["batch_id"]
        if failed:
            await self.client.post(f"{PREFIX}/batch/{batch_id}/cancel")
        return batch_id

    async def queued(self) -> str:
        generation_id: str = (await generate(self.client))["generation_id"]
        return generation_id

    async def running(self) -> str:
        """With a preview."""
        generation_id = await self.queued()
        self.forge.host.start(generation_id)
        await self.forge.until(generation_id, "processing")
        self.forge.host.show(PreviewPicture(generation_id, self._sampler(generation_id), 0, b"\xff\xd8\xff"))
        return generation_id

    async def completed(self) -> str:
        generation_id = await self.queued()
        self.forge.host.succeed(generation_id)
        await self.forge.until(generation_id, "completed")
        return generation_id

    async def rerolled(self) -> str:
        """With two takes of its picture: the second one is current."""
        generation_id = await self.completed()
        again = await self.forge.generations.reroll(generation_id, None, 3, position=1)
        self.forge.host.succeed(again.prompt_id)
        await self.forge.until(generation_id, "completed")
        return generation_id

    async def failed(self) -> str:
        generation_id = await self.queued()
        self.forge.host.start(generation_id)
        self.forge.host.end(PromptEvent("failed", generation_id, "no"))
        await self.forge.until(generation_id, "failed")
        return generation_id

    def _sampler(self, prompt_id: str) -> str:
        prompt = self.forge.host.prompts[prompt_id]
        return next(key for key, node in prompt.items() if node["class_type"] == "KSampler")

    async def values(self, endpoint: Endpoint) -> dict[str, str]:
        """What the placeholders of its path stand for; of a new route, a completed generation."""
        states: dict[str, Callable[[], Awaitable[str]]] = {
            "cancel": self.queued,
            "retry": self.failed,
            "{position}": self.running,
        }
        made: dict[str, str] = {"position": "0", "name": "avatar_00001_.png", "view": "1", "take": "1"}
        for name in placeholders(endpoint):
            if name == "file_id":
                made[name] = await self.file()
            elif name == "template_id":
                made[name] = await self.template()
            elif name == "pose_id":
                made[name] = await self.pose()
            elif name == "character_id":
                made[name] = await self.character()
            elif name == "batch_id" and endpoint.path.endswith("/export"):
                made[name] = await self.finished_batch()
            elif name == "batch_id":
                made[name] = await self.batch(failed=endpoint.path.endswith("/retry"))
            elif name == "generation_id" and "take" in placeholders(endpoint):
                made[name] = await self.rerolled()
            elif name == "generation_id":
                made[name] = await states.get(endpoint.path.rsplit("/")[-1], self.completed)()
                if "name" in placeholders(endpoint):
                    record = await self.forge.generations.get(made[name])
                    made["name"] = record.outputs[0].filename
            assert name in made, f"{endpoint.path}: this test does not know what {name} stands for"
        return made


@pytest.fixture
def stage(forge: Product, client: Client) -> Stage:
    return Stage(forge, client)


def test_the_walk_covers_files_and_generations() -> None:
    assert {name for endpoint in WITH_IDS for name in placeholders(endpoint)} >= {"file_id", "generation_id"}
    assert len(WITH_IDS) >= 12


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("endpoint", WITH_IDS, ids=lambda item: f"{item.method} {item.path}")
async def test_every_route_finds_an_id_in_capitals(
    client: Client, stage: Stage, endpoint: Endpoint, case: str
) -> None:
    for path in paths(endpoint):
        values = await stage.values(endpoint)
        ids = [value for name, value in values.items() if name.endswith("_id")]
        sent = {name: CASES[case](value) if value in ids else value for name, value in values.items()}
        # So that a test of a route with digits alone does not pass by itself.
        assert all(sent[name] != values[name] for name in placeholders(endpoint) if name.endswith("_id"))
        query = {
            name: REQUIRED[name]
            for name, field in (endpoint.query.model_fields if endpoint.query else {}).items()
            if field.is_required() or (endpoint.path.endswith("/reroll") and name == "pose")
        }
        body: dict[str, Any] = {}
        if endpoint.body is not None:
            fields = set(endpoint.body.model_fields)
            named = {"name": f"new name {case}"} if fields >= {"name", "description"} else {}
            body = {"json": {"prompt": plain()} if "prompt" in fields else named}
            if endpoint.path.startswith("/poses/library"):
                body = {"json": {"pose": FRAME}}
        if endpoint.path.endswith("/expressions"):
            body = {"json": {"generation_id": CASES[case](await stage.shown(values["character_id"]))}}
        answer = await client.request(endpoint.method, path.format_map(sent), params=query, **body)
        if endpoint.stream:
            first = await answer.content.readuntil(b"\n\n")
            text = (first + await answer.content.readuntil(b"\n\n")).decode()
            answer.close()
        else:
            text = (await answer.read()).decode("latin-1")
        assert answer.status == 200, (path, text)
        if answer.content_type in ("application/json", "text/event-stream"):
            assert all(CASES[case](item) not in text for item in ids)


def id_fields(models: Iterable[type[BaseModel] | None]) -> list[tuple[type[BaseModel], str]]:
    return [
        (model, name)
        for model in dict.fromkeys(models)
        if model is not None
        for name in model.model_fields
        if name.endswith(("_id", "_ids")) and name not in NO_UUID
    ]


FIELDS = [
    *id_fields(endpoint.body for endpoint in ENDPOINTS),
    *id_fields(endpoint.query for endpoint in ENDPOINTS),
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("model", "name"), FIELDS, ids=lambda item: getattr(item, "__name__", item))
def test_every_field_gives_the_id_as_it_is_stored(model: type[BaseModel], name: str, case: str) -> None:
    needed = {item: REQUIRED[item] for item, field in model.model_fields.items() if field.is_required()}
    sent: Any = CASES[case](ID)
    wanted: Any = ID
    if name.endswith("_ids"):
        sent, wanted = [sent], [wanted]
    assert getattr(model.model_validate({**needed, name: sent}), name) == wanted


def test_the_fields_of_a_generation_are_among_them() -> None:
    assert {(AvatarBody, "pose_file_id"), (AvatarBody, "reference_file_id")} <= set(FIELDS)


@pytest.mark.parametrize("case", CASES)
async def test_a_generation_takes_ids_in_capitals_and_answers_the_stored_ones(
    client: Client, stage: Stage, case: str
) -> None:
    pose, reference = await stage.file(), await stage.file()
    change = CASES[case]
    made = await generate(client, pose_file_id=change(pose), reference_file_id=change(reference))
    parameters = made["parameters"]
    assert (parameters["pose_file_id"], parameters["reference_file_id"]) == (pose, reference)
    assert {line["file_id"] for line in made["inputs"]} >= {pose, reference}
    # The same file in two ways of writing is one file, which counts once.
    await generate(client, pose_file_id=pose, reference_file_id=change(pose))
    files = (await (await client.get(f"{PREFIX}/files")).json())["files"]
    assert {file["file_id"]: file["references"] for file in files} == {pose: 2, reference: 1}


async def shown(client: Client, url: str) -> int:
    async with client.get(url) as answer:
        return answer.status


@pytest.mark.parametrize("prefix", ["", PREFIX])
@pytest.mark.parametrize("case", CASES)
async def test_a_signed_link_is_that_of_the_picture_in_either_way_of_writing(
    client: Client, stage: Stage, prefix: str, case: str
) -> None:
    file_id, generation_id = await stage.file(), await stage.completed()
    name = (await stage.forge.generations.get(generation_id)).outputs[0].filename
    change = CASES[case]
    for stored, written in (
        (f"/files/{file_id}", f"/files/{change(file_id)}"),
        (f"/files/{file_id}/thumbnail?size=64", f"/files/{change(file_id)}/thumbnail?size=64"),
        (f"/outputs/{generation_id}/{name}", f"/outputs/{change(generation_id)}/{name}"),
    ):
        requested = {"urls": [prefix + stored, prefix + written]}
        answer = await client.post(f"{PREFIX}/signed_urls", json=requested)
        assert answer.status == 200, await answer.text()
        item, other = (await answer.json())["urls"]
        assert (item["url"], other["url"]) == (prefix + stored, prefix + written)
        # An answer gives the stored id.
        assert urlsplit(other["signed_url"]).path == prefix + urlsplit(stored).path
        query = urlsplit(item["signed_url"]).query
        assert await shown(client, item["signed_url"]) == 200
        assert await shown(client, f"{prefix}{urlsplit(written).path}?{query}") == 200
        # The name of a picture keeps its case.
        assert await shown(client, f"{prefix}{urlsplit(written).path[:-1]}x?{query}") in (403, 404)


async def test_a_signed_link_to_a_preview_too(client: Client, stage: Stage) -> None:
    generation_id = await stage.running()
    path = f"{PREFIX}/generations/{generation_id.upper()}/previews/0"
    answer = await client.post(f"{PREFIX}/signed_urls", json={"urls": [path]})
    (link,) = (await answer.json())["urls"]
    assert generation_id in link["signed_url"]
    assert await shown(client, link["signed_url"]) == 200


async def test_a_repeated_request_may_write_the_id_otherwise(client: Client, stage: Stage) -> None:
    generation_id, file_id = await stage.completed(), await stage.file()
    headers = {"Idempotency-Key": "again"}
    path = f"{PREFIX}/generations/{{}}/reroll?pose=front"
    first = await client.post(path.format(generation_id), headers=headers)
    again = await client.post(path.format(generation_id.upper()), headers=headers)
    assert (first.status, again.status) == (200, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await first.text() == await again.text()
    headers = {"Idempotency-Key": "body"}
    for written in (file_id, file_id.upper()):
        body = {"prompt": "a knight", "reference_file_id": written}
        last = await client.post(f"{PREFIX}/generate/avatar", json=body, headers=headers)
        assert last.status == 200, await last.text()
    assert last.headers["Idempotent-Replayed"] == "true"


async def test_a_cursor_and_an_event_id_in_capitals(client: Client, stage: Stage) -> None:
    for _ in range(3):
        await stage.file()
    first = await (await client.get(f"{PREFIX}/files?limit=1")).json()
    cursor = first["next_cursor"]
    pages = [
        await (await client.get(f"{PREFIX}/files?limit=1&cursor={item}")).json()
        for item in (cursor, cursor.upper())
    ]
    assert pages[0] == pages[1]
    assert pages[0]["files"][0]["file_id"] != first["files"][0]["file_id"]

    generation_id = await stage.completed()
    log = stage.forge.live.log
    log.id = "fa1fb7fa"  # at random it may be digits alone, which have no case
    seen = log.event_id(1)
    path = f"{PREFIX}/generations/{generation_id.upper()}/events"
    given: tuple[dict[str, Any], ...] = (
        {"headers": {"Last-Event-ID": seen.upper()}},
        {"params": {"last_event_id": seen.upper()}},
    )
    for options in given:
        answer = await client.get(path, **options)
        assert answer.status == 200, await answer.text()
        await answer.content.readuntil(b"\n\n")  # how soon to come again
        received = (await answer.content.readuntil(b"\n\n")).decode()
        answer.close()
        # The event after the one that was seen, and not how things stand.
        assert received.startswith(f"id: {log.event_id(2)}\nevent: started\n")


@pytest.mark.parametrize("case", CASES)
async def test_a_hash_in_capitals_is_the_same_hash(client: Client, case: str) -> None:
    content = picture(1)
    digest = hashlib.sha256(content).hexdigest()
    stored = await upload(client, content)
    assert stored["content_hash"] == digest
    answer = await client.get(f"{PREFIX}/files/hash/{CASES[case](digest)}")
    assert (await answer.json())["file_id"] == stored["file_id"]
    headers = {"X-Content-SHA256": CASES[case](digest), "Content-Type": "application/json"}
    refused = await client.post(f"{PREFIX}/upload/pose_image", data=b"{}", headers=headers)
    assert refused.status == 400  # another content than was announced, and not a broken header


@pytest.mark.parametrize("form", OTHER_FORMS)
async def test_other_ways_to_write_a_uuid_stay_unknown(client: Client, form: str) -> None:
    assert await shown(client, f"{PREFIX}/files/{form}") == 404
    assert await shown(client, f"/files/{form}") == 404
    body = {"prompt": "a knight", "pose_file_id": form}
    assert (await client.post(f"{PREFIX}/generate/avatar", json=body)).status == 404


async def test_an_unknown_id_in_capitals_is_a_404_in_words(client: Client) -> None:
    for path in (f"/files/{NEVER_ISSUED}", f"/generations/{ID.upper()}"):
        answer = await client.get(PREFIX + path)
        assert answer.status == 404
        assert "exists" in (await answer.json())["detail"]
