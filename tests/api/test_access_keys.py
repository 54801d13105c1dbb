"""Who may call: the key, how often it may be guessed, and how often anybody may call."""

from __future__ import annotations

import asyncio
import logging

import pytest

from avatarforge.routes import PREFIX, NetworkExposure, access
from avatarforge.routes.access import WRONG_KEYS

from .callers import KEY, NETWORK, PAGES, ROUTES, Open, status
from .conftest import generate, upload


@pytest.mark.parametrize("reach", [NetworkExposure(), NETWORK])
async def test_with_a_key_every_route_wants_it_but_health_and_the_documentation(
    opened: Open, reach: NetworkExposure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "WRONG_KEYS", len(ROUTES))  # each route sees one
    client = await opened(reach, api_key=KEY)
    for endpoint, path in ROUTES:
        expected = 200 if endpoint.path == "/health" else 401
        answer = await client.request(endpoint.method, path)
        assert answer.status == expected, path
        if expected == 401:
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert "X-API-Key" in (await answer.json())["detail"]
            assert await status(client, endpoint.method, path, {"X-API-Key": KEY[:-1] + "x"}) == 401
        assert await status(client, endpoint.method, path, {"X-API-Key": KEY}) != 401
    for page in PAGES:
        assert (await client.get(PREFIX + page)).status == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-API-Key": KEY}, 200),
        ({"x-api-key": KEY}, 200),
        ({"Authorization": f"Bearer {KEY}"}, 200),
        ({"Authorization": f"bearer  {KEY} "}, 200),
        ({"Authorization": "Basic dXNlcjpwYXNz", "X-API-Key": KEY}, 200),  # a proxy's own
        ({"Authorization": f"Bearer {KEY}", "X-API-Key": KEY}, 200),
        ({"Authorization": f"Bearer {KEY}", "X-API-Key": "another"}, 401),
        ({"Authorization": "Bearer another", "X-API-Key": KEY}, 401),
        ({"Authorization": KEY}, 401),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"X-API-Key": ""}, 401),
        ({"X-API-Key": KEY.upper()}, 401),
        ({"X-API-Key": KEY + "x"}, 401),
        ({"X-API-Key": "schlüssel"}, 401),
        ({"Cookie": f"api_key={KEY}"}, 401),
    ],
)
async def test_the_key_comes_in_one_of_two_headers(
    opened: Open, headers: dict[str, str], expected: int
) -> None:
    client = await opened(api_key=KEY)
    assert await status(client, "GET", PREFIX + "/poses", headers) == expected
    assert await status(client, "GET", f"{PREFIX}/poses?api_key={KEY}", {}) == 401


async def test_a_key_of_bytes_that_are_no_text_is_wrong_and_no_fault(opened: Open) -> None:
    client = await opened(api_key=KEY)
    head = f"GET {PREFIX}/poses HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-API-Key: "
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(head.encode() + b"\xff\xfe\x80\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.split(b" ", 2)[1] == b"401", answer


async def test_on_the_network_without_a_key_nobody_is_let_in_and_told_why(opened: Open) -> None:
    client = await opened(NETWORK)
    for headers in ({}, {"X-API-Key": ""}, {"X-API-Key": KEY}):
        answer = await client.post(PREFIX + "/generate/avatar", json={"prompt": "x"}, headers=headers)
        assert answer.status == 401
        detail = (await answer.json())["detail"]
        assert "API_KEY" in detail
        assert "ALLOW_ANONYMOUS" in detail
    assert (await client.get(PREFIX + "/health")).status == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
async def test_what_came_through_a_proxy_on_this_machine_counts_as_from_elsewhere(
    opened: Open, header: str
) -> None:
    client = await opened()
    assert await status(client, "GET", PREFIX + "/poses", {header: "127.0.0.1"}) == 401
    assert await status(client, "GET", PREFIX + "/poses", {}) == 200


async def test_anonymous_on_purpose_needs_no_key_but_still_the_right_page(opened: Open) -> None:
    client = await opened(NETWORK, allow_anonymous=True)
    assert await status(client, "GET", PREFIX + "/generations", {"X-Forwarded-For": "192.0.2.1"}) == 200
    assert await status(client, "GET", PREFIX + "/generations", {"X-API-Key": "stale"}) == 200
    assert await status(client, "GET", PREFIX + "/generations", {"Origin": "https://evil.example"}) == 403
    assert (await (await client.get(PREFIX + "/health")).json())["reason"] is None


async def test_a_stranger_learns_of_health_only_the_status(opened: Open) -> None:
    client = await opened(NETWORK, api_key=KEY)
    answer = await client.get(PREFIX + "/health")
    assert (answer.status, await answer.json()) == (200, {"api_status": "healthy"})
    known = await client.get(PREFIX + "/health", headers={"X-API-Key": KEY})
    assert (await known.json())["comfyui"]["stats"]["system"]["comfyui_version"] == "0.30.0"
    assert await status(client, "GET", PREFIX + "/health", {"X-API-Key": "wrong"}) == 401


async def test_guessing_the_key_is_slow_also_for_the_right_one(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    client = await opened(api_key=KEY)
    caplog.set_level(logging.WARNING)
    for _ in range(WRONG_KEYS):
        assert await status(client, "GET", PREFIX + "/poses", {"X-API-Key": "guess-of-16-letters"}) == 401
    for headers in ({"X-API-Key": "another-guess"}, {"X-API-Key": KEY}):
        answer = await client.get(PREFIX + "/poses", headers=headers)
        assert answer.status == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert await status(client, "GET", PREFIX + "/poses", {}) == 401  # no guess
    assert "a wrong key came from 127.0.0.1" in caplog.text
    assert "guess-of-16-letters" not in caplog.text
    assert KEY not in caplog.text


async def test_changing_requests_are_counted_and_reads_are_not(opened: Open) -> None:
    client = await opened(rate_limit=3)
    await generate(client)
    await upload(client)
    assert await status(client, "DELETE", PREFIX + "/files/unknown", {}) == 404
    for path in ("/cleanup/orphaned-files", "/generate/avatar"):
        answer = await client.post(PREFIX + path)
        assert answer.status == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 20
        assert "RATE_LIMIT" in (await answer.json())["detail"]
    for _ in range(5):
        assert await status(client, "GET", PREFIX + "/generations", {}) == 200
        signed = await client.post(
            PREFIX + "/signed_urls", json={"urls": ["/files/b1c29540-8712-4faf-8d5c-9ed86409ddce"]}
        )
        assert signed.status == 200


async def test_an_address_in_a_header_gives_no_second_budget(opened: Open) -> None:
    client = await opened(NETWORK, allow_anonymous=True, rate_limit=2)
    found = [
        await status(client, "POST", PREFIX + "/cleanup/orphaned-files", {"X-Forwarded-For": f"192.0.2.{n}"})
        for n in range(4)
    ]
    assert found == [200, 200, 429, 429]


async def test_refused_requests_use_up_nobodys_budget(opened: Open) -> None:
    client = await opened(api_key=KEY, rate_limit=1)
    for _ in range(5):
        assert await status(client, "POST", PREFIX + "/cleanup/orphaned-files", {}) == 401
        headers = {"X-API-Key": KEY, "Origin": "null"}
        assert await status(client, "POST", PREFIX + "/cleanup/orphaned-files", headers) == 403
    assert await status(client, "POST", PREFIX + "/cleanup/orphaned-files", {"X-API-Key": KEY}) == 200
