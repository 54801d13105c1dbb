"""Signed links: pictures without the key."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from services import Product

from avatarforge.forge.access.signing import Signer
from avatarforge.forge.settings import Settings
from avatarforge.forge.store.thumbnails import LARGEST, SMALLEST
from avatarforge.routes import PREFIX, Access, NetworkExposure, rules
from avatarforge.routes.requests import SignedUrlsBody

from .conftest import Client, application, generate, upload

KEY = "a-key-of-more-than-16-characters"
HEADERS = {"X-API-Key": KEY}
FILE_ID = "b1c29540-8712-4faf-8d5c-9ed86409ddce"
START = 1_700_000_000.0


class Clock:
    now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(forge: Product, aiohttp_client: Any, clock: Clock) -> Client:
    """The API on a server that needs a key; what it is asked carries the key, unless a test takes it off."""
    access = Access(rules(Settings(api_key=KEY), NetworkExposure()), Signer("s" * 32, clock))
    made: Client = await aiohttp_client(application(forge.services, access), headers=HEADERS)
    return made


@pytest.fixture
async def stranger(client: Client, aiohttp_client: Any) -> Client:
    """Somebody else at the same server, without the key."""
    made: Client = await aiohttp_client(client.server)
    return made


async def sign(client: Client, *urls: str, **options: Any) -> list[dict[str, str]]:
    answer = await client.post(PREFIX + "/signed_urls", json={"urls": urls, **options})
    assert answer.status == 200, await answer.text()
    found: list[dict[str, str]] = (await answer.json())["urls"]
    return found


async def pictures(client: Client, forge: Product) -> list[str]:
    """A stored file, its thumbnail, and a picture that came out: as answers print them."""
    file = (await upload(client))["url"]
    generation = await generate(client)
    forge.host.succeed(generation["comfyui_prompt_id"])
    record = await forge.until(generation["generation_id"], "completed")
    output = f"/outputs/{record.id}/{record.outputs[0].filename}"
    return [file, f"{file}/thumbnail", f"{file}/thumbnail?size=64", output]


async def test_a_signed_link_shows_each_kind_of_picture_without_the_key(
    client: Client, stranger: Client, forge: Product
) -> None:
    urls = await pictures(client, forge)
    for base in ("", PREFIX):
        for url, found in zip(urls, await sign(client, *(base + url for url in urls)), strict=True):
            assert found["url"] == base + url
            assert found["signed_url"].startswith(base + url)
            assert found["expires_at"] == "2023-11-14T23:13:20.000Z"
            assert (await stranger.get(base + url)).status == 401
            answer = await stranger.get(found["signed_url"])
            assert answer.status == 200
            expected = await client.get(base + url)
            assert await answer.read() == await expected.read()
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert expected.headers["Cross-Origin-Resource-Policy"] == "same-site"


async def test_a_link_without_the_prefix_works_with_it_too(client: Client, stranger: Client) -> None:
    file = (await upload(client))["url"]
    (found,) = await sign(client, file)
    assert (await stranger.get(PREFIX + found["signed_url"])).status == 200


async def test_a_link_signed_under_api_keeps_its_path(client: Client, stranger: Client) -> None:
    file = (await upload(client))["url"]
    (found,) = await sign(client, f"/api{PREFIX}{file}/thumbnail?size=128")
    assert found["signed_url"].startswith(f"/api{PREFIX}{file}/thumbnail?size=128&expires=")
    # ComfyUI serves the same under /api; this application does not.
    assert (await stranger.get(found["signed_url"].removeprefix("/api"))).status == 200


async def test_head_ranges_and_conditions_work_on_a_link(client: Client, stranger: Client) -> None:
    file = (await upload(client))["url"]
    (found,) = await sign(client, file)
    link = found["signed_url"]
    answer = await stranger.head(link)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")
    etag = answer.headers["ETag"]
    assert (await stranger.get(link, headers={"If-None-Match": etag})).status == 304
    part = await stranger.get(link, headers={"Range": "bytes=0-3"})
    assert (part.status, await part.read()) == (206, b"\x89PNG")


async def test_a_link_is_good_for_reading_that_picture_alone(
    client: Client, stranger: Client, forge: Product
) -> None:
    urls = await pictures(client, forge)
    links = [found["signed_url"] for found in await sign(client, *urls)]
    for link in links:
        query = urlsplit(link).query
        for url in urls:
            other = f"{url.partition('?')[0]}?{query}"
            if other != link and not other.startswith(link.partition("?")[0] + "?"):
                assert (await stranger.get(other)).status == 403, (link, other)
    file = links[0]
    query = urlsplit(file).query
    for method, path in (
        ("DELETE", file),
        ("DELETE", PREFIX + file),
        ("GET", f"{PREFIX}/files?{query}"),
        ("GET", f"{PREFIX}/generations?{query}"),
        ("POST", f"{PREFIX}/cleanup/orphaned-files?{query}"),
        ("POST", f"{PREFIX}/signed_urls?{query}"),
    ):
        answer = await stranger.request(method, path)
        assert answer.status in (401, 405), (method, path)
    assert (await client.get(urls[0])).status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"size": "512"},
        {"size": None},
        {"more": "1"},
        {"expires": str(int(START) + 10**6)},
        {"expires": None},
        {"signature": None},
        {"signature": "0" * 64},
        {"signature": "%"},
    ],
)
async def test_an_altered_link_is_refused_with_a_sentence(
    client: Client, stranger: Client, change: dict[str, str | None]
) -> None:
    file = (await upload(client))["url"]
    (found,) = await sign(client, f"{file}/thumbnail?size=64")
    parts = urlsplit(found["signed_url"])
    query = {**dict(parse_qsl(parts.query)), **change}
    altered = f"{parts.path}?{urlencode({name: value for name, value in query.items() if value})}"
    for who in (stranger, client):  # the key does not hide that a link is broken
        answer = await who.get(altered)
        assert answer.status == 403
        assert "/signed_urls" in (await answer.json())["detail"]
    assert (await stranger.get(found["signed_url"])).status == 200


async def test_a_link_ends_at_its_moment(client: Client, stranger: Client, clock: Clock) -> None:
    file = (await upload(client))["url"]
    (found,) = await sign(client, file, expires_in=60)
    assert found["expires_at"] == "2023-11-14T22:14:20.000Z"
    clock.now = START + 59.9
    assert (await stranger.get(found["signed_url"])).status == 200
    clock.now = START + 60.0
    answer = await stranger.get(found["signed_url"])
    assert answer.status == 403
    assert "expired" in (await answer.json())["detail"]


async def test_a_link_is_no_way_round_host_and_origin(client: Client, stranger: Client) -> None:
    file = (await upload(client))["url"]
    (found,) = await sign(client, file)
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert (await stranger.get(found["signed_url"], headers=headers)).status == 403
    # But a page of another site may show it as a picture: that is what it is for.
    shown = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert (await stranger.get(found["signed_url"], headers=shown)).status == 200
    assert (await client.get(file, headers=shown)).status == 403


async def test_a_link_to_what_is_gone_is_404(client: Client, stranger: Client) -> None:
    file = (await upload(client))["url"]
    (found,) = await sign(client, file)
    assert (await client.delete(PREFIX + file)).status == 200
    assert (await stranger.get(found["signed_url"])).status == 404


async def test_signing_needs_the_key(stranger: Client) -> None:
    answer = await stranger.post(PREFIX + "/signed_urls", json={"urls": [f"/files/{FILE_ID}"]})
    assert answer.status == 401


async def test_links_work_where_no_key_is_needed(forge: Product, aiohttp_client: Any) -> None:
    client = await aiohttp_client(application(forge.services))
    file = (await upload(client))["url"]
    (found,) = await sign(client, file)
    assert (await client.get(found["signed_url"])).status == 200
    assert (await client.get(found["signed_url"] + "0")).status == 403


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/",
        "/files",
        "/files/unknown",
        f"/files/{FILE_ID.replace('-', '')}",
        f"/files/{FILE_ID}/",
        f"/files/{FILE_ID}\n",
        f"/files/{FILE_ID}#x",
        f"/files/{FILE_ID}?size=64",
        f"/files/{FILE_ID}/thumbnail?size=63",
        f"/files/{FILE_ID}/thumbnail?size=64&size=64",
        f"/files/{FILE_ID}/thumbnail?colour=red",
        f"/files/{FILE_ID}/thumbnail?size=64&expires=1",
        f"/files/{FILE_ID}/thumbnail?size",
        f"/files/hash/{'a' * 64}",
        f"/outputs/{FILE_ID}/a/b.png",
        f"/outputs/{FILE_ID}/..%2Fb.png",
        f"/outputs/{FILE_ID}/",
        f"//evil.example/files/{FILE_ID}",
        f"http://127.0.0.1/files/{FILE_ID}",
        f"/api/api/files/{FILE_ID}",
        f"{PREFIX}{PREFIX}/files/{FILE_ID}",
        f"{PREFIX}/generations",
        f"{PREFIX}/health",
        "/view?filename=secret.png",
        f"/files/{FILE_ID}".replace("/f", "/../f"),
        "x" * 600,
    ],
)
async def test_only_pictures_of_the_api_are_signed(client: Client, url: str) -> None:
    good = f"/files/{FILE_ID}"
    answer = await client.post(PREFIX + "/signed_urls", json={"urls": [good, url]})
    assert answer.status == 422, await answer.text()
    (problem,) = (await answer.json())["detail"]
    assert problem["loc"] == ["body", "urls", 1]
    assert problem["msg"]


def test_the_document_says_which_links_are_signed() -> None:
    schema = SignedUrlsBody.model_json_schema()["properties"]["urls"]["items"]
    described = re.compile(schema["pattern"])
    for url in (f"/files/{FILE_ID}", f"{PREFIX}/outputs/{FILE_ID}/a_1.png", f"/api{PREFIX}/files/{FILE_ID}"):
        assert described.search(url)
    for url in ("/files", f"/files/{FILE_ID}/", f"/files/{FILE_ID}?size=64", f"/x/files/{FILE_ID}"):
        assert not described.search(url)
    for size in range(1000):
        allowed = SMALLEST <= size <= LARGEST
        assert bool(described.search(f"/files/{FILE_ID}/thumbnail?size={size}")) == allowed, size


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "urls"),
        ({"urls": []}, "urls"),
        ({"urls": [f"/files/{FILE_ID}"] * 201}, "urls"),
        ({"urls": f"/files/{FILE_ID}"}, "urls"),
        ({"urls": [f"/files/{FILE_ID}"], "expires_in": 0}, "expires_in"),
        ({"urls": [f"/files/{FILE_ID}"], "expires_in": 604_801}, "expires_in"),
        ({"urls": [f"/files/{FILE_ID}"], "expires_in": 1.5}, "expires_in"),
        ({"urls": [f"/files/{FILE_ID}"], "more": 1}, "more"),
    ],
)
async def test_a_bad_request_for_links_is_told(client: Client, body: dict[str, Any], field: str) -> None:
    answer = await client.post(PREFIX + "/signed_urls", json=body)
    assert answer.status == 422
    assert (await answer.json())["detail"][0]["loc"][:2] == ["body", field]


async def test_as_many_links_as_the_limit_says_and_for_as_long(client: Client) -> None:
    found = await sign(client, *[f"/files/{FILE_ID}"] * 200, expires_in=604_800)
    assert len(found) == 200
    assert found[0]["expires_at"] == "2023-11-21T22:13:20.000Z"
