"""Who may call: Host, Origin, the key, and how often."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from services import Product

from avatarforge.forge.access.signing import Signer
from avatarforge.forge.settings import Settings
from avatarforge.routes import ENDPOINTS, PREFIX, Access, NetworkExposure, Unavailable, rules
from avatarforge.routes.access import WRONG_KEYS, rules_without_settings
from avatarforge.routes.context import Endpoint

from .conftest import Client, application, generate, upload

KEY = "a-key-of-more-than-16-characters"
NETWORK = NetworkExposure(network=True, own_names=("Studio-PC", "studio-pc.local"))
PAGES = ("/docs", "/redoc", "/openapi.json", "/docs/assets/swagger-ui.css")
FOREIGN = (
    {"Host": "evil.example"},
    {"Host": "evil.example:8188"},
    {"Host": "localhost.evil.example"},
    {"Host": "user@localhost"},
    {"Host": ""},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "file://"},
)
Open = Callable[..., Awaitable[Client]]


@pytest.fixture
def opened(forge: Product, aiohttp_client: Callable[..., Awaitable[Client]]) -> Open:
    """``await opened(reach, **settings)``: the API on a ComfyUI of that reach, with these settings."""

    async def make(reach: NetworkExposure = NetworkExposure(), **settings: Any) -> Client:  # noqa: B008 - it is frozen
        access = Access(rules(Settings(**settings), reach), Signer("s" * 32))
        return await aiohttp_client(application(forge.services, access))

    return make


def paths_of(endpoint: Endpoint) -> list[str]:
    """Where an endpoint answers, with ids that fit."""
    some = {
        "file_id": "b1c29540-8712-4faf-8d5c-9ed86409ddce",
        "generation_id": "b1c29540-8712-4faf-8d5c-9ed86409ddce",
        "content_hash": "a" * 64,
        "name": "avatarforge_00001.png",
        "position": "0",
    }
    root = [endpoint.path.format_map(some)] if endpoint.root_path else []
    return [PREFIX + endpoint.path.format_map(some), *root]


ROUTES = [(endpoint, path) for endpoint in ENDPOINTS for path in paths_of(endpoint)]


async def status(client: Client, method: str, path: str, headers: Mapping[str, str]) -> int:
    answer = await client.request(method, path, headers=headers)
    if answer.content_type == "text/event-stream":  # it goes on until we leave
        answer.close()
        return answer.status
    body = await answer.read()
    if answer.status >= 400 and method != "HEAD":
        detail = json.loads(body)["detail"]
        assert detail, (method, path)
        assert KEY not in str(detail)
    return answer.status


# --- Host and Origin ---


async def test_every_route_refuses_a_foreign_host_and_a_foreign_origin(opened: Open) -> None:
    client = await opened()
    calls = [(endpoint.method, path) for endpoint, path in ROUTES]
    calls += [("HEAD", path) for endpoint, path in ROUTES if endpoint.method == "GET"]
    calls += [("GET", PREFIX + page) for page in (*PAGES, "/nothing", "/")]
    calls += [("PATCH", PREFIX + "/files"), ("DELETE", PREFIX + "/health")]
    for method, path in calls:
        for headers in FOREIGN:
            assert await status(client, method, path, headers) == 403, (method, path, headers)


async def test_changing_routes_refuse_what_a_browser_says_comes_from_elsewhere(opened: Open) -> None:
    client = await opened()
    for endpoint, path in ROUTES:
        if endpoint.method == "GET":
            continue
        for site in ("cross-site", "same-site", "nonsense"):
            for mode in ("no-cors", "navigate", "cors"):
                headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
                assert await status(client, endpoint.method, path, headers) == 403, (path, headers)


@pytest.mark.parametrize(
    ("site", "mode", "expected"),
    [
        ("same-origin", "cors", 200),
        ("none", "navigate", 200),
        ("same-site", "no-cors", 200),
        ("cross-site", "navigate", 200),  # a link from somewhere
        ("cross-site", "no-cors", 403),  # a picture in a page
        ("cross-site", "cors", 403),
    ],
)
async def test_a_page_of_another_site_may_link_to_a_read_but_not_load_it(
    opened: Open, site: str, mode: str, expected: int
) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    assert await status(await opened(), "GET", PREFIX + "/poses", headers) == expected


async def test_a_refused_request_has_done_nothing(opened: Open, forge: Product) -> None:
    client = await opened()
    file_id = (await upload(client))["file_id"]
    for headers in (*FOREIGN, {"Sec-Fetch-Site": "same-site"}):
        assert await status(client, "DELETE", f"{PREFIX}/files/{file_id}", headers) == 403
        assert await status(client, "POST", f"{PREFIX}/cleanup/orphaned-files?days=0", headers) == 403
        answer = await client.post(PREFIX + "/generate/avatar", json={"prompt": "x"}, headers=headers)
        assert answer.status == 403
    assert (await client.get(f"{PREFIX}/files/{file_id}")).status == 200
    assert forge.host.submitted == []


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["127.0.0.1", "evil.example"],
        ["127.0.0.1", "127.0.0.1"],
        ["evil.example\t"],
        ["127.0.0.1:8188:1"],
        ["[::1]evil"],
        ["127.0.0.1\x00"],
    ],
)
async def test_a_missing_a_doubled_and_a_broken_host_are_refused(opened: Open, hosts: list[str]) -> None:
    client = await opened()
    lines = [
        f"GET {PREFIX}/poses HTTP/1.1",
        *(f"Host: {host}" for host in hosts),
        "Connection: close",
        "",
        "",
    ]
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = await reader.read()
    writer.close()
    # aiohttp itself answers 400 to some of them.
    assert answer.split(b" ", 2)[1] in (b"400", b"403"), answer
    assert b'"poses"' not in answer


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.:8188", "a.localhost", "127.9.9.9:1", "[::1]:8188"])
async def test_every_name_of_the_machine_itself_is_known(opened: Open, host: str) -> None:
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert await status(await opened(), "POST", PREFIX + "/cleanup/orphaned-files", headers) == 200


@pytest.mark.parametrize(
    ("host", "alone", "network"),
    [
        ("192.168.0.2:8188", 403, 200),
        ("[fe80::1]", 403, 200),
        ("0.0.0.0", 403, 200),  # noqa: S104 - sent, never bound
        ("STUDIO-PC:80", 403, 200),
        ("studio-pc.local.", 403, 200),
        ("other-pc", 403, 403),
        ("studio-pc.local.evil.example", 403, 403),
        ("1.2.3", 403, 403),
        ("2130706433", 403, 403),
    ],
)
async def test_addresses_and_own_names_are_known_when_comfyui_listens_on_the_network(
    opened: Open, host: str, alone: int, network: int
) -> None:
    assert await status(await opened(), "GET", PREFIX + "/poses", {"Host": host}) == alone
    headers = {"Host": host, "X-API-Key": KEY}
    assert await status(await opened(NETWORK, api_key=KEY), "GET", PREFIX + "/poses", headers) == network


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("avatars.example.org", 200),
        ("AVATARS.example.org.:8443", 200),
        ("a.avatars.example.org", 403),
        ("internal.example", 200),
        ("a.b.internal.example", 200),
        ("notinternal.example", 403),
        ("192.0.2.1:80", 200),
        ("192.0.2.2", 403),
    ],
)
async def test_allowed_hosts_are_names_domains_and_addresses(opened: Open, host: str, expected: int) -> None:
    client = await opened(allowed_hosts="Avatars.example.org:80, .internal.example,192.0.2.1")
    assert await status(client, "GET", PREFIX + "/poses", {"Host": host}) == expected


@pytest.mark.parametrize(
    ("host", "origin", "expected"),
    [
        ("localhost:8188", "http://localhost:8188", 200),
        ("localhost", "http://localhost", 200),
        ("localhost:80", "http://localhost", 200),
        ("localhost", "https://localhost", 200),  # behind a proxy that ends TLS
        ("localhost", "https://localhost:443", 200),
        ("localhost:8188", "http://localhost", 403),
        ("localhost:8188", "http://localhost:3000", 403),
        ("localhost:8188", "http://127.0.0.1:8188", 403),
        ("localhost:443", "http://localhost", 403),
        ("localhost", "http://evil.localhost", 403),
    ],
)
async def test_an_origin_must_be_the_host_with_its_port(
    opened: Open, host: str, origin: str, expected: int
) -> None:
    client = await opened()
    for method, path in (("GET", "/poses"), ("POST", "/cleanup/orphaned-files")):
        assert await status(client, method, PREFIX + path, {"Host": host, "Origin": origin}) == expected


async def test_an_allowed_origin_may_call_and_read(opened: Open) -> None:
    client = await opened(allowed_origins="https://studio.example.org, http://other.example:3000")
    file_id = (await upload(client))["file_id"]
    for origin in ("https://studio.example.org", "http://other.example:3000"):
        headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
        for method, path in (
            ("POST", PREFIX + "/cleanup/orphaned-files"),
            ("GET", f"/files/{file_id}"),  # sent as a stream
            ("GET", f"/files/{file_id}/thumbnail"),
            ("GET", PREFIX + "/files/unknown"),
        ):
            answer = await client.request(method, path, headers=headers)
            assert answer.status == (404 if "unknown" in path else 200)
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert answer.headers["Vary"] == "Origin"
    for origin in (
        "http://studio.example.org",
        "https://studio.example.org:444",
        "https://a.studio.example.org",
    ):
        assert await status(client, "GET", PREFIX + "/poses", {"Origin": origin}) == 403


async def test_two_origins_are_none(opened: Open) -> None:
    client = await opened()
    port = client.port
    lines = [
        f"POST {PREFIX}/cleanup/orphaned-files HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Origin: http://127.0.0.1:{port}",
        "Origin: http://evil.example",
        "Content-Length: 0",
        "Connection: close",
    ]
    reader, writer = await asyncio.open_connection(client.host, port)
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = await reader.read()
    writer.close()
    assert answer.split(b" ", 2)[1] in (b"400", b"403"), answer


async def test_refusals_in_the_log_are_bounded(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    client = await opened()
    caplog.set_level(logging.WARNING)
    for _ in range(100):
        assert await status(client, "GET", PREFIX + "/poses", {"Host": "evil.example"}) == 403
    lines = [record for record in caplog.records if "evil.example" in record.getMessage()]
    assert 1 <= len(lines) <= 62


# --- the key ---


@pytest.mark.parametrize("reach", [NetworkExposure(), NETWORK])
async def test_with_a_key_every_route_wants_it_but_health_and_the_documentation(
    opened: Open, reach: NetworkExposure
) -> None:
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


# --- how often ---


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


# --- while the pack could not start ---

REASON = "MAX_FILE_SIZE='x' cannot be used."


async def _stats() -> dict[str, Any]:
    return {"system": {"argv": ["--secret"]}}


async def broken(aiohttp_client: Callable[..., Awaitable[Client]], access: Access) -> Client:
    return await aiohttp_client(application(Unavailable(REASON, "http://c", _stats), access))


async def test_with_wrong_settings_the_reason_is_for_the_machine_itself(
    aiohttp_client: Callable[..., Awaitable[Client]],
) -> None:
    client = await broken(aiohttp_client, Access(rules_without_settings(NetworkExposure())))
    answer = await client.get(PREFIX + "/poses")
    assert (answer.status, (await answer.json())["detail"]) == (503, REASON)
    assert (await (await client.get(PREFIX + "/health")).json())["reason"] == REASON
    for headers in (*FOREIGN, {"Host": "192.0.2.1"}):
        for path in ("/poses", "/health"):
            answer = await client.get(PREFIX + path, headers=headers)
            assert answer.status == 403
            assert REASON not in await answer.text()
    answer = await client.get(PREFIX + "/poses", headers={"X-Forwarded-For": "192.0.2.1"})
    assert (answer.status, REASON in await answer.text()) == (503, False)


async def test_with_wrong_settings_on_the_network_nobody_learns_more_than_that(
    aiohttp_client: Callable[..., Awaitable[Client]],
) -> None:
    client = await broken(aiohttp_client, Access(rules_without_settings(NETWORK)))
    for endpoint, path in ROUTES:
        for headers in ({}, {"X-API-Key": KEY}):
            answer = await client.request(endpoint.method, path, headers=headers)
            text = await answer.text()
            assert REASON not in text
            if endpoint.path == "/health" and not headers:
                assert (answer.status, json.loads(text)) == (200, {"api_status": "unavailable"})
            else:
                assert answer.status == 503


async def test_with_a_broken_database_the_key_still_counts(
    aiohttp_client: Callable[..., Awaitable[Client]],
) -> None:
    access = Access(rules(Settings(api_key=KEY), NETWORK))
    client = await broken(aiohttp_client, access)
    assert await status(client, "GET", PREFIX + "/poses", {}) == 401
    answer = await client.get(PREFIX + "/poses", headers={"X-API-Key": KEY})
    assert (answer.status, (await answer.json())["detail"]) == (503, REASON)
    link = f"{PREFIX}/files/b1c29540-8712-4faf-8d5c-9ed86409ddce?expires=1&signature=0"
    assert await status(client, "GET", link, {}) == 503
