"""Who may call: Host and Origin."""

from __future__ import annotations

import asyncio
import logging

import pytest
from services import Product

from avatarforge.routes import PREFIX

from .callers import FOREIGN, KEY, NETWORK, PAGES, ROUTES, Open, status
from .conftest import upload


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
