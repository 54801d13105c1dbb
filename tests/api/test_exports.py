"""Exports of pictures over HTTP: of a generation, a batch and a character, in ranges, and what is refused."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, web
from batching import finish
from exporting import BLUE, RED, Drawn, manifest_in, unpacked
from services import Product, product

from avatarforge.forge.access.signing import Signer
from avatarforge.forge.export.material import ExportOptions
from avatarforge.forge.export.picture_manifest import EXPORT_FORMATS, ExportFormat
from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX, Access, NetworkExposure, rules

from .characters import save
from .conftest import Client, application, generate

KEY = "a-key-of-more-than-16-characters"
NOWHERE = "00000000-0000-4000-8000-000000000000"
VIEWS = ["front", "left", "back", "right"]


def painted(number: int) -> bytes:
    """Each picture another one, so that they are told apart."""
    return Drawn(colour=(200, 30, number % 256)).png()


@pytest.fixture(autouse=True)
def figures(request: pytest.FixtureRequest) -> None:
    if "forge" in request.fixturenames:
        request.getfixturevalue("forge").host.paint = painted


async def completed(client: Client, forge: Product, **body: Any) -> str:
    made = await generate(client, "/generate_all_poses", **{"views": VIEWS, **body})
    forge.host.succeed(made["comfyui_prompt_id"])
    await forge.until(made["generation_id"], "completed")
    generation_id: str = made["generation_id"]
    return generation_id


async def exported(client: Client, path: str, query: str = "") -> bytes:
    answer = await client.get(f"{PREFIX}{path}/export{query}")
    assert answer.status == 200, await answer.text()
    data = await answer.read()
    assert len(data) == int(answer.headers["Content-Length"])
    return data


async def refused(client: Client, path: str, query: str, status: int, code: str) -> str:
    answer = await client.get(f"{PREFIX}{path}/export{query}")
    body = await answer.json()
    assert (answer.status, body["code"]) == (status, code), body
    detail = body["detail"]
    return str(detail if isinstance(detail, str) else detail[0]["msg"])


async def schema(client: Client) -> Any:
    answer = await client.get(f"{PREFIX}/export/schema")
    assert (answer.status, answer.content_type) == (200, "application/schema+json")
    # schemathesis brings it, which only the development environment has.
    schemas = pytest.importorskip("jsonschema_rs")
    return schemas.validator_for(await answer.json(content_type=None))


@pytest.mark.parametrize("kind", EXPORT_FORMATS)
async def test_every_format_has_a_manifest_that_fits_the_schema_and_the_same_bytes_each_time(
    client: Client, forge: Product, kind: ExportFormat
) -> None:
    path = f"/generations/{await completed(client, forge)}"
    data = await exported(client, path, f"?format={kind}")
    assert await exported(client, path, f"?format={kind}") == data
    manifest = json.loads(data) if kind == "manifest" else manifest_in(unpacked(data))
    (await schema(client)).validate(manifest)
    assert manifest["export"] == kind
    assert [picture["name"] for picture in manifest["pictures"]] == VIEWS
    assert manifest["subject"] == {"kind": "generation", "id": path[-36:], "name": "avatar", "unfinished": 0}
    members = {} if kind == "manifest" else unpacked(data)
    named = [picture["member"] for picture in manifest["pictures"] if picture["member"]]
    named += [image["member"] for image in manifest["images"]]
    assert {*named} <= members.keys()
    for picture in manifest["pictures"]:
        if picture["member"]:
            assert hashlib.sha256(members[picture["member"]]).hexdigest() == picture["sha256"]


async def test_a_batch_is_named_by_what_varies_and_tells_what_is_unfinished(
    client: Client, forge: Product
) -> None:
    requests = [{"prompt": "a knight", "expression": expression} for expression in ("happy", "sad", "angry")]
    answer = await client.post(f"{PREFIX}/batch", json={"requests": requests, "name": "Moods: a 1st try"})
    batch = await answer.json()
    assert answer.status == 200, batch
    await finish(forge, 2)
    data = await exported(client, f"/batch/{batch['batch_id']}")
    members = unpacked(data)
    assert [*members] == ["manifest.json", "pictures/happy_front.png", "pictures/sad_front.png"]
    subject = manifest_in(members)["subject"]
    assert (subject["name"], subject["unfinished"]) == ("Moods: a 1st try", 1)


async def test_a_character_without_a_format_is_the_character_and_with_one_its_pictures(
    client: Client, forge: Product
) -> None:
    character = await save(client)
    path = f"/characters/{character['character_id']}"
    await completed(client, forge, character_id=character["character_id"])
    favourite = await completed(client, forge, character_id=character["character_id"], views=["front"])
    await client.post(f"{PREFIX}/gallery/marks", json={"generation_ids": [favourite], "favourite": True})
    assert manifest_in(unpacked(await exported(client, path)))["format"] == "avatarforge-character"
    of_all = manifest_in(unpacked(await exported(client, path, "?format=zip")))
    assert (of_all["format"], of_all["subject"]["name"]) == ("avatarforge-pictures", "Mira")
    assert [item["name"] for item in of_all["pictures"]] == ["front", "front_2", "left", "back", "right"]
    chosen = manifest_in(unpacked(await exported(client, path, "?format=zip&favourites=true")))
    assert [item["generation_id"] for item in chosen["pictures"]] == [favourite]


@pytest.mark.parametrize("kind", ["zip", "lora", "atlas"])
async def test_any_range_of_an_export_is_those_bytes(client: Client, forge: Product, kind: str) -> None:
    path = f"/generations/{await completed(client, forge, views=['front', 'back'])}"
    data = await exported(client, path, f"?format={kind}")
    url = f"{PREFIX}{path}/export?format={kind}"
    boundaries = {0, 1, len(data) - 1, len(data)}
    for mark in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"):
        at = data.find(mark)
        while at >= 0:
            boundaries |= {at, at + 4, at + 30}
            at = data.find(mark, at + 1)
    places = sorted(place for place in boundaries if place <= len(data))
    tag = (await client.head(url)).headers["ETag"]
    for start, stop in zip(places, places[2:], strict=False):
        headers = {"Range": f"bytes={start}-{stop - 1}", "If-Range": tag}
        answer = await client.get(url, headers=headers)
        assert (answer.status, await answer.read()) == (206, data[start:stop]), (start, stop)
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(data)}"
    answer = await client.get(url, headers={"Range": f"bytes={len(data)}-"})
    assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{len(data)}")


async def test_the_tag_answers_without_making_anything_and_changes_with_a_picture(
    client: Client, forge: Product
) -> None:
    generation_id = await completed(client, forge, views=["front", "back"])
    url = f"{PREFIX}/generations/{generation_id}/export?format=atlas"
    head = await client.head(url)
    assert head.headers["Content-Disposition"].startswith('attachment; filename="avatar-atlas.zip"')
    tag = head.headers["ETag"]
    assert (await client.get(url, headers={"If-None-Match": tag})).status == 304
    assert (await client.get(url, headers={"If-Match": '"another"'})).status == 412
    assert (await client.get(f"{url}&height=16")).headers["ETag"] != tag
    rerolled = await client.post(f"{PREFIX}/generations/{generation_id}/reroll?pose=back")
    forge.host.succeed((await rerolled.json())["comfyui_prompt_id"])
    await forge.until(generation_id, "completed")
    assert (await client.get(url, headers={"If-None-Match": tag})).status == 200


@pytest.mark.parametrize(
    ("path", "query", "status", "code", "says"),
    [
        ("/generations/{0}", "?format=tiff", 422, "invalid_request", "'rpgmaker'"),
        ("/characters/{0}", "?format=tiff", 422, "invalid_request", "'character'"),
        ("/generations/{0}", "?height=15&format=atlas", 422, "invalid_request", "16"),
        ("/generations/{0}", "?height=64", 422, "field_not_applicable", "height"),
        ("/generations/{0}", "?format=atlas&trigger=mira", 422, "field_not_applicable", "lora"),
        ("/generations/{0}", "?format=lora&trigger=a,b", 422, "invalid_request", ""),
        ("/generations/{0}", "?format=lora&repeats=101", 422, "invalid_request", "100"),
        ("/characters/{0}", "?format=zip&licence=mine", 422, "field_not_applicable", "licence"),
        ("/characters/{0}", "?height=64", 422, "field_not_applicable", "height"),
        ("/characters/{0}", "?favourites=true", 422, "field_not_applicable", "favourites"),
        ("/generations/{0}", "", 404, "generation_not_found", NOWHERE),
        ("/batch/{0}", "", 404, "batch_not_found", NOWHERE),
        ("/characters/{0}", "?format=zip", 404, "character_not_found", NOWHERE),
    ],
)
async def test_what_makes_no_sense_is_refused_with_the_reason(
    client: Client, path: str, query: str, status: int, code: str, says: str
) -> None:
    assert says in await refused(client, path.format(NOWHERE), query, status, code)


async def test_what_has_no_picture_cannot_be_exported(client: Client) -> None:
    waiting = await generate(client)
    path = f"/generations/{waiting['generation_id']}"
    assert "no finished picture" in await refused(client, path, "", 409, "nothing_to_export")
    character = await save(client)
    path = f"/characters/{character['character_id']}"
    await refused(client, path, "?format=lora", 409, "nothing_to_export")


async def test_a_signed_link_leads_to_the_export_that_it_names_and_to_no_other(
    forge: Product, aiohttp_client: Callable[..., Awaitable[Client]]
) -> None:
    access = Access(rules(Settings(api_key=KEY), NetworkExposure()), Signer("s" * 32))
    owner = await aiohttp_client(application(forge.services, access), headers={"X-API-Key": KEY})
    stranger = await aiohttp_client(owner.server)
    character = await save(owner)
    generation_id = await completed(owner, forge, character_id=character["character_id"])
    for url in (
        f"{PREFIX}/generations/{generation_id}/export?format=atlas&height=32",
        f"{PREFIX}/characters/{character['character_id']}/export?format=zip",
        f"{PREFIX}/characters/{character['character_id']}/export",
    ):
        assert (await stranger.get(url)).status == 401
        signed = await owner.post(f"{PREFIX}/signed_urls", json={"urls": [url]})
        (link,) = [item["signed_url"] for item in (await signed.json())["urls"]]
        answer = await stranger.get(link, headers={"Range": "bytes=0-3"})
        assert (answer.status, await answer.read()) == (206, b"PK\x03\x04")
        altered = link.replace("format=atlas", "format=lora").replace("format=zip", "format=sheet")
        if altered != link:
            assert (await stranger.get(altered)).status == 403
    broken = f"{PREFIX}/generations/{generation_id}/export?format=tiff"
    assert (await owner.post(f"{PREFIX}/signed_urls", json={"urls": [broken]})).status == 422


async def test_lost_pictures_are_named_or_left_out(client: Client, forge: Product) -> None:
    generation_id = await completed(client, forge)
    record = await forge.generations.get(generation_id)
    lost = [forge.outputs.file_of(output) for output in record.outputs[:2]]
    lost[0].unlink()
    lost[1].write_bytes(b"another")
    path = f"/generations/{generation_id}"
    detail = await refused(client, path, "?format=atlas", 404, "file_lost")
    assert "2 of 4 pictures" in detail and lost[0].name in detail
    manifest = manifest_in(unpacked(await exported(client, path, "?skip_lost=true")))
    assert manifest["left_out"] == [f"{generation_id}/{file.name}" for file in lost]
    assert [item["name"] for item in manifest["pictures"]] == ["left", "right"]
    for output in record.outputs:
        forge.outputs.file_of(output).unlink(missing_ok=True)
    await refused(client, path, "?skip_lost=true", 404, "file_lost")


async def test_bytes_that_were_altered_end_the_download_early(client: Client, forge: Product) -> None:
    generation_id = await completed(client, forge, views=["front"])
    (output,) = (await forge.generations.get(generation_id)).outputs
    file = forge.outputs.file_of(output)
    file.write_bytes(bytes(output.size))
    answer = await client.get(f"{PREFIX}/generations/{generation_id}/export")
    assert answer.status == 200
    with pytest.raises(ClientError, match=r"(?i)payload|closed|reset|disconnect"):
        await answer.read()
    detail = await refused(client, f"/generations/{generation_id}", "?format=atlas", 404, "file_lost")
    assert output.filename in detail


async def test_3d_names_the_views_that_are_missing_and_backgrounds_that_cannot_be_cut(
    client: Client, forge: Product
) -> None:
    path = f"/generations/{await completed(client, forge, views=['front', 'side'])}"
    assert "Missing: back, right" in await refused(client, path, "?format=3d", 409, "views_missing")
    forge.host.paint = lambda number: Drawn(size=(64, 96), body=(0, 0, 64, 80), foot=(0, 80, 64, 96)).png()
    path = f"/generations/{await completed(client, forge)}"
    assert "front" in await refused(client, path, "?format=3d", 409, "background_not_plain")


async def test_an_export_beyond_the_limits_is_refused(
    tmp_path: Path, aiohttp_client: Callable[..., Awaitable[Client]], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Settings(max_export_size=1024 * 1024)
    async with product(tmp_path, settings=limits) as small:
        client = await aiohttp_client(application(small.services))
        small.host.paint = lambda number: Drawn(background=None).png() + bytes(600_000)
        path = f"/generations/{await completed(client, small)}"
        assert "MAX_EXPORT_SIZE" in await refused(client, path, "", 413, "export_too_large")
        monkeypatch.setattr("avatarforge.forge.export.selection.MOST_PICTURES", 3)
        assert "at most 3 pictures" in await refused(client, path, "?format=atlas", 413, "export_too_large")
        monkeypatch.undo()
        monkeypatch.setattr("avatarforge.forge.export.atlas.MOST_SIDE", 64)
        assert "Send height=" in await refused(client, path, "?format=atlas", 413, "export_too_large")


async def test_a_client_that_hangs_up_stops_the_work(
    client: Client, forge: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = ["front", "left", "back", "right", "quarter"]
    generation_id = await completed(client, forge, views=views)
    first, gone = asyncio.Event(), asyncio.Event()
    measured: list[Any] = []
    original = forge.workers.decode

    async def slowly(*args: Any) -> Any:
        measured.append(args)
        first.set()
        await gone.wait()
        return await original(*args)

    monkeypatch.setattr(forge.workers, "decode", slowly)
    # As ComfyUI runs it: aiohttp's server for tests cancels handlers, and this one does not.
    runner = web.AppRunner(application(forge.services))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}{PREFIX}/generations/{generation_id}/export"
        async with ClientSession() as session:
            asking = asyncio.ensure_future(session.get(f"{url}?format=atlas"))
            await first.wait()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        while any(connection.transport for connection in runner.server.connections):  # type: ignore[union-attr]  # noqa: ASYNC110
            await asyncio.sleep(0)
        gone.set()
        while forge.services.exports.busy:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
    finally:
        await runner.cleanup()
    assert len(measured) == 1


async def test_what_nobody_waits_for_stops_while_it_is_measured_and_while_it_is_drawn(
    client: Client, forge: Product
) -> None:
    exports = forge.services.exports
    subject = await exports.selector.generation(await completed(client, forge))
    prepared = await exports.prepare(subject, ExportOptions("renpy"))
    for allowed in (2, 3):  # four pictures are measured once; the second time some are only drawn
        asked: list[int] = []

        def go_on(asked: list[int] = asked, allowed: int = allowed) -> None:
            asked.append(1)
            if len(asked) > allowed:
                raise ConnectionResetError("The client has gone.")

        with pytest.raises(ConnectionResetError):
            async with exports.open(prepared, go_on):
                raise AssertionError("the export was made")
        assert len(asked) == allowed + 1
        assert exports.busy == 0
        assert not list(forge.blobs.incoming.iterdir())


async def test_colours_and_places_of_an_export_are_those_of_the_pictures(
    client: Client, forge: Product
) -> None:
    forge.host.paint = lambda number: Drawn(colour=RED if number % 2 else BLUE).png()
    path = f"/generations/{await completed(client, forge, views=['front', 'back'])}"
    manifest = manifest_in(unpacked(await exported(client, path, "?format=sheet")))
    assert sorted(manifest["palette"]) == ["#1e3cc8", "#c81e1e"]
    assert manifest["frames"] == {"width": 24, "height": 80, "pivot": [12, 80], "pivot_share": [0.5, 1.0]}
    assert [item["figure"]["box"] for item in manifest["pictures"]] == [[20, 10, 44, 90]] * 2
    assert {item["figure"]["found_by"] for item in manifest["pictures"]} == {"background"}
