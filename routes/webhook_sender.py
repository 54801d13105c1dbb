"""Sends webhooks, and refuses targets that only this server can reach (SSRF)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from ..forge.webhooks.delivery import SendingError
from ..forge.webhooks.targets import Targets

SECONDS = 15.0  # for a whole attempt
AGENT = "AvatarForge"
REFUSED = "its host resolves to an address that webhooks may not go to"


class GuardedResolver(AbstractResolver):
    """Resolves a name to addresses that may be called. aiohttp connects to exactly these, so that there is no
    second lookup, which could return others."""

    def __init__(self, targets: Targets, scheme: str, threads: ThreadPoolExecutor) -> None:
        self._targets = targets
        self._scheme = scheme
        self._threads = threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        lookup = partial(socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM)
        infos = await asyncio.get_running_loop().run_in_executor(self._threads, lookup)
        results: list[ResolveResult] = []
        for resolved_family, _, protocol, _, address in infos:
            if not _may_be_called(str(address[0]), self._scheme, self._targets):
                raise OSError(REFUSED)
            results.append(
                ResolveResult(
                    hostname=host,
                    host=str(address[0]),
                    port=port,
                    family=resolved_family,
                    proto=protocol,
                    flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                )
            )
        return results

    async def close(self) -> None:
        """Nothing to close."""


class WebhookSender:
    """Implements `forge.webhooks.delivery.Sender`. Each message uses a new connection."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        # Own threads, so that an unresponsive name server delays only webhooks.
        self._threads = ThreadPoolExecutor(2, "avatarforge-dns")

    async def send(self, url: str, headers: dict[str, str], body: str) -> int:
        parts = urlsplit(url)
        # aiohttp does not call the resolver if the host is an address.
        if not _may_be_called(parts.hostname or "", parts.scheme, self._targets):
            raise SendingError(REFUSED)
        resolver = GuardedResolver(self._targets, parts.scheme, self._threads)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True),
                    timeout=aiohttp.ClientTimeout(total=SECONDS),
                    headers={"User-Agent": AGENT, "Content-Type": "application/json"},
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                    trust_env=False,
                ) as session,
                # The body of the response is not read.
                session.post(url, data=body.encode(), headers=headers, allow_redirects=False) as response,
            ):
                return response.status
        except (TimeoutError, asyncio.TimeoutError) as error:
            raise SendingError(f"no answer within {SECONDS:.0f} s") from error
        except aiohttp.ClientConnectorError as error:
            reason = error.os_error
            raise SendingError(str(reason) if str(reason) == REFUSED else "it cannot be reached") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SendingError(f"it cannot be called ({type(error).__name__})") from error


def _may_be_called(host: str, scheme: str, targets: Targets) -> bool:
    try:
        address = ipaddress.ip_address(host.split("%")[0])  # without a zone such as %eth0
    except ValueError:
        return True  # a name, whose addresses are checked when it is resolved
    return targets.may_connect(address, scheme)
