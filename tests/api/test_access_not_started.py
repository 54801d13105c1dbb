"""Who may call, and who learns why, while the pack could not start."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from avatarforge.forge.settings import Settings
from avatarforge.routes import PREFIX, Access, NetworkExposure, Unavailable, rules
from avatarforge.routes.access import rules_without_settings

from .callers import FOREIGN, KEY, NETWORK, ROUTES, status
from .conftest import Client, application

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
