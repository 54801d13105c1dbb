"""Access control, applied once to each request before its query and body are read.

1. Host, Origin and Sec-Fetch-Site must show that the request is for this server and not from a foreign page.
2. A signed link needs only a valid signature.
3. Everything else needs the key, if the rules demand one.
4. Requests that change something count towards the rate limit.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Network
from types import MappingProxyType

from aiohttp import web

from ..forge.access.rate import RateLimit
from ..forge.access.signing import EXPIRES, SIGNATURE, Signer
from ..forge.errors import (
    ForbiddenError,
    SettingsError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
)
from ..forge.settings import Settings
from .context import Caller, Endpoint, path_values
from .errors import answer_for
from .origins import SAFE_METHODS, AllowedOrigins, NetworkExposure, read_address, read_allowed_origins

KEY_HEADER = "X-API-Key"
# A minute, from one address: more than typing errors, and too few to guess 16 characters.
WRONG_KEYS = 60
LOGGED = 60  # refusals a minute
_KEYED, _ANYONE = "key", "anyone"  # clients of the rate limits
# Added by proxies. A client gains nothing by adding one: its request then counts as from another machine.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
_ANYWHERE: Mapping[str, str] = MappingProxyType({"Cross-Origin-Resource-Policy": "cross-origin"})
_SAME_SITE: Mapping[str, str] = MappingProxyType({"Cross-Origin-Resource-Policy": "same-site"})
_SET_KEY = (
    "Set API_KEY in the .env of the pack and restart ComfyUI (or ALLOW_ANONYMOUS=true, if everyone who "
    "reaches the port may do everything)."
)

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class Rules:
    """The access rules.

    `key_needed`: every caller needs the key, because one is set or ComfyUI listens on the network.
    `anonymous`: no caller needs it. `readable`: False if the settings are invalid, so that the key is
    unknown. `rate_limit` is the number of changing requests a minute.
    """

    origins: AllowedOrigins
    api_key: str = field(default="", repr=False)
    key_needed: bool = False
    anonymous: bool = False
    readable: bool = True
    rate_limit: int = 0


def rules(settings: Settings, exposure: NetworkExposure) -> Rules:
    """The rules according to the settings. Raises SettingsError."""
    if not all("!" <= character <= "~" for character in settings.api_key):
        raise SettingsError(
            "API_KEY cannot be used: it must be made of ASCII letters, digits and signs, without spaces; "
            "others do not survive in an HTTP header."
        )
    return Rules(
        read_allowed_origins(settings.allowed_hosts, settings.allowed_origins, exposure),
        settings.api_key,
        key_needed=(bool(settings.api_key) or exposure.network) and not settings.allow_anonymous,
        anonymous=settings.allow_anonymous,
        rate_limit=settings.rate_limit,
    )


def rules_without_settings(exposure: NetworkExposure) -> Rules:
    """The strictest rules, for as long as the settings are not read."""
    return Rules(read_allowed_origins("", "", exposure), key_needed=exposure.network, readable=False)


def warnings_of(access_rules: Rules) -> list[str]:
    """Warnings for ComfyUI's log about rules that are probably not intended."""
    if access_rules.key_needed and access_rules.readable and not access_rules.api_key:
        return [
            "ComfyUI listens on the network and API_KEY is not set: every route but the health and the "
            f"documentation answers 401. {_SET_KEY}"
        ]
    if access_rules.anonymous and access_rules.origins.any_address:
        return [
            "ComfyUI listens on the network, and ALLOW_ANONYMOUS lets everyone who reaches the port do "
            "everything."
        ]
    return []


class Access:
    """Applies the rules. `signer` is None while the pack is unavailable."""

    def __init__(self, access_rules: Rules, signer: Signer | None = None) -> None:
        self._rules = access_rules
        self._key = _digest(access_rules.api_key)
        self._changes = RateLimit(access_rules.rate_limit)
        self._wrong_keys = RateLimit(WRONG_KEYS)
        self._logged = RateLimit(LOGGED)
        self.signer = signer

    @property
    def key_needed(self) -> bool:
        return self._rules.key_needed

    def guard(self, request: web.Request, *, signed: bool = False) -> Caller:
        """Check only that the request is for this server and not from a foreign page. Raises
        ForbiddenError."""
        try:
            origin = self._rules.origins.check(request, signed=signed)
        except ForbiddenError as error:
            if not self._logged.take(_ANYONE):  # limited, so that refused requests cannot fill the log
                log.warning("AvatarForge: refused a request from %s: %s", request.remote, error)
            raise
        return Caller(authorized=False, headers=_cross_origin(origin, signed=signed))

    def admit(self, request: web.Request, endpoint: Endpoint) -> Caller:
        """The caller of an admitted request. Raises ForbiddenError, UnauthorizedError, TooManyRequestsError
        or UnavailableError."""
        signed = endpoint.signable and (EXPIRES in request.query or SIGNATURE in request.query)
        guarded_caller = self.guard(request, signed=signed)
        if signed:
            if self.signer is None:
                raise UnavailableError("AvatarForge is not available: links cannot be checked now.")
            # The endpoint's own path is signed, so that a link works under all its aliases.
            path = endpoint.path.format_map(path_values(request))
            self.signer.check(path, request.query.items())
            return Caller(authorized=True, headers=guarded_caller.headers)
        client = self._identify(request, endpoint)
        if endpoint.changes and request.method not in SAFE_METHODS:
            self._count(client or _peer(request))
        return Caller(authorized=client is not None, headers=guarded_caller.headers)

    def _identify(self, request: web.Request, endpoint: Endpoint) -> str | None:
        """The client that the request counts for; None for a caller without the key whom the endpoint answers
        anyway."""
        peer = _peer(request)
        if self._rules.anonymous or not (self._rules.key_needed or _from_other_machine(request)):
            return peer
        keys = _keys(request)
        if not keys and endpoint.anonymous_answer is not None:
            return None
        if not self._rules.readable:
            raise UnavailableError("AvatarForge is not available. ComfyUI's log says why.")
        if not self._rules.api_key:
            raise UnauthorizedError(
                f"A key is needed here, and this server has none. {_SET_KEY}", code="key_not_configured"
            )
        if not keys:
            raise UnauthorizedError(
                f"Send the key: as {KEY_HEADER}, or as Authorization: Bearer.", code="key_required"
            )
        seconds = self._wrong_keys.wait(peer)
        if seconds:  # checked before the key: otherwise guessing could continue despite the refusals
            raise TooManyRequestsError(
                f"Too many wrong keys came from your address. Try again in {seconds} seconds.",
                seconds,
                code="too_many_wrong_keys",
                parameters={"seconds": seconds},
            )
        # A list, so that all keys are compared and the time does not depend on what was sent.
        if not all([hmac.compare_digest(_digest(key), self._key) for key in keys]):
            self._wrong_keys.take(peer)
            if not self._logged.take(_KEYED):
                log.warning("AvatarForge: a wrong key came from %s", request.remote)
            raise UnauthorizedError(
                "The key is wrong. It must be the value of API_KEY on the server.", code="wrong_key"
            )
        return _KEYED

    def _count(self, client: str) -> None:
        seconds = self._changes.take(client)
        if seconds:
            raise TooManyRequestsError(
                f"At most {self._rules.rate_limit} changing requests a minute (RATE_LIMIT). "
                f"Try again in {seconds} seconds.",
                seconds,
                code="rate_limited",
                parameters={"limit": self._rules.rate_limit, "seconds": seconds},
            )


ACCESS: web.AppKey[Access] = web.AppKey("avatarforge-access")


def access_of(request: web.Request) -> Access:
    return request.config_dict[ACCESS]


def guarded(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Wrap a handler that needs no key, so that only Host and Origin are checked."""

    @functools.wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            caller = access_of(request).guard(request)
            return with_caller_headers(await handler(request), caller)
        except Exception as error:  # noqa: BLE001 - the boundary: aiohttp would answer with plain text
            return answer_for(error)

    return handle


def with_caller_headers(response: web.StreamResponse, caller: Caller) -> web.StreamResponse:
    """Add the caller's headers to a response. A stream has been sent already, with these headers."""
    if not response.prepared:
        response.headers.update(caller.headers)
    return response


def _cross_origin(origin: str | None, *, signed: bool) -> Mapping[str, str]:
    """The headers that tell browsers which other pages may read the response (Fetch standard, CORS and
    CORP)."""
    if origin is None:
        return _ANYWHERE if signed else _SAME_SITE
    return {**_ANYWHERE, "Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _digest(key: str) -> bytes:
    # Digests have a fixed length, so that comparing them does not reveal the key's. Headers can contain any
    # byte.
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _keys(request: web.Request) -> list[str]:
    """Every key in the request. An Authorization header with another scheme is for something else, such as a
    proxy."""
    keys = list(request.headers.getall(KEY_HEADER, []))
    for value in request.headers.getall("Authorization", []):
        scheme, _, key = value.partition(" ")
        if scheme.lower() == "bearer":
            keys.append(key.strip())
    return keys


def _from_other_machine(request: web.Request) -> bool:
    """Whether the request is from another machine, directly or through a proxy on this one."""
    address = read_address(request.remote or "")
    return address is None or not address.is_loopback or any(name in request.headers for name in _FORWARDED)


def _peer(request: web.Request) -> str:
    """The address of the connection's peer, never one from a header. An IPv6 /64 network counts as one
    client."""
    address = read_address(request.remote or "")
    if address is None:
        return "unknown"
    return str(IPv6Network((address, 64), strict=False)) if address.version == 6 else str(address)
