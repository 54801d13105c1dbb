"""Who may do what: decided once for each request, before its query and its body are read.

1. Host, Origin, Sec-Fetch-Site: was the request meant for this server, and not sent by a foreign page?
2. A signed link is judged by its signature alone.
3. Everything else needs the key, where one is needed.
4. Changing requests are counted.
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
WRONG_KEYS = 60  # a minute, of one address: nobody mistypes so often, and nobody guesses 16 characters so
LOGGED = 60  # refusals a minute
_KEYED, _ANYBODY = "key", "anybody"
# What proxies add. Who adds one himself only loses: the request then counts as one from another machine.
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
    """`key_needed`: by everybody, since a key is set or ComfyUI listens on the network. `anonymous`: nobody
    needs one. `readable`: False when the settings are wrong, so that nobody knows the key.
    """

    origins: AllowedOrigins
    api_key: str = field(default="", repr=False)
    key_needed: bool = False
    anonymous: bool = False
    readable: bool = True
    rate_limit: int = 0


def rules(settings: Settings, reach: NetworkExposure) -> Rules:
    """The rules that the settings ask for. Raises SettingsError."""
    if not all("!" <= character <= "~" for character in settings.api_key):
        raise SettingsError(
            "API_KEY cannot be used: it must be made of ASCII letters, digits and signs, without spaces; "
            "others do not survive in an HTTP header."
        )
    return Rules(
        read_allowed_origins(settings.allowed_hosts, settings.allowed_origins, reach),
        settings.api_key,
        key_needed=(bool(settings.api_key) or reach.network) and not settings.allow_anonymous,
        anonymous=settings.allow_anonymous,
        rate_limit=settings.rate_limit,
    )


def rules_without_settings(reach: NetworkExposure) -> Rules:
    """The strictest rules, for as long as nobody knows what the settings say."""
    return Rules(read_allowed_origins("", "", reach), key_needed=reach.network, readable=False)


def warnings_of(found: Rules) -> list[str]:
    """What the person who starts ComfyUI should read in its log."""
    if found.key_needed and found.readable and not found.api_key:
        return [
            "ComfyUI listens on the network and API_KEY is not set: every route but the health and the "
            f"documentation answers 401. {_SET_KEY}"
        ]
    if found.anonymous and found.origins.any_address:
        return [
            "ComfyUI listens on the network, and ALLOW_ANONYMOUS lets everyone who reaches the port do "
            "everything."
        ]
    return []


class Access:
    """Applies the rules. `signer` is None while the pack is unavailable."""

    def __init__(self, found: Rules, signer: Signer | None = None) -> None:
        self._rules = found
        self._key = _digest(found.api_key)
        self._changes = RateLimit(found.rate_limit)
        self._wrong_keys = RateLimit(WRONG_KEYS)
        self._logged = RateLimit(LOGGED)
        self.signer = signer

    @property
    def key_needed(self) -> bool:
        return self._rules.key_needed

    def guard(self, request: web.Request, *, signed: bool = False) -> Caller:
        """Host and Origin alone, for what everybody may read. Raises ForbiddenError."""
        try:
            origin = self._rules.origins.check(request, signed=signed)
        except ForbiddenError as error:
            if not self._logged.take(_ANYBODY):  # refused requests cannot fill the log
                log.warning("AvatarForge: refused a request from %s: %s", request.remote, error)
            raise
        return Caller(known=False, headers=_cross_origin(origin, signed=signed))

    def admit(self, request: web.Request, endpoint: Endpoint) -> Caller:
        """Who asks, if that one may. Raises ForbiddenError, UnauthorizedError, TooManyRequestsError or
        UnavailableError."""
        signed = endpoint.picture and (EXPIRES in request.query or SIGNATURE in request.query)
        stranger = self.guard(request, signed=signed)
        if signed:
            if self.signer is None:
                raise UnavailableError("AvatarForge is not available: links cannot be checked now.")
            # By the endpoint's own path, so that every alias of it is the same picture.
            path = endpoint.path.format_map(path_values(request))
            self.signer.check(path, request.query.items())
            return Caller(known=True, headers=stranger.headers)
        client = self._identify(request, endpoint)
        if endpoint.changes and request.method not in SAFE_METHODS:
            self._count(client or _peer(request))
        return Caller(known=client is not None, headers=stranger.headers)

    def _identify(self, request: web.Request, endpoint: Endpoint) -> str | None:
        """Whom to count the request for; None for a stranger, where the endpoint has an answer for one."""
        peer = _peer(request)
        if self._rules.anonymous or not (self._rules.key_needed or _from_elsewhere(request)):
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
        waiting = self._wrong_keys.wait(peer)
        if waiting:  # before the key is looked at: else guessing would go on behind the refusals
            raise TooManyRequestsError(
                f"Too many wrong keys came from your address. Try again in {waiting} seconds.",
                waiting,
                code="too_many_wrong_keys",
                parameters={"seconds": waiting},
            )
        # Every comparison takes the same time, whatever was sent.
        if not all([hmac.compare_digest(_digest(key), self._key) for key in keys]):
            self._wrong_keys.take(peer)
            if not self._logged.take(_KEYED):
                log.warning("AvatarForge: a wrong key came from %s", request.remote)
            raise UnauthorizedError(
                "The key is wrong. It must be the value of API_KEY on the server.", code="wrong_key"
            )
        return _KEYED

    def _count(self, client: str) -> None:
        waiting = self._changes.take(client)
        if waiting:
            raise TooManyRequestsError(
                f"At most {self._rules.rate_limit} changing requests a minute (RATE_LIMIT). "
                f"Try again in {waiting} seconds.",
                waiting,
                code="rate_limited",
                parameters={"limit": self._rules.rate_limit, "seconds": waiting},
            )


ACCESS: web.AppKey[Access] = web.AppKey("avatarforge-access")


def access_of(request: web.Request) -> Access:
    return request.config_dict[ACCESS]


def guarded(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler that needs no key: Host and Origin are checked only."""

    @functools.wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            caller = access_of(request).guard(request)
            return finished(await handler(request), caller)
        except Exception as error:  # noqa: BLE001 - the boundary: aiohttp would answer with plain text
            return answer_for(error)

    return handle


def finished(response: web.StreamResponse, caller: Caller) -> web.StreamResponse:
    """The answer with what its caller's browser needs to know; a stream has been sent by now, with it."""
    if not response.prepared:
        response.headers.update(caller.headers)
    return response


def _cross_origin(origin: str | None, *, signed: bool) -> Mapping[str, str]:
    """For browsers: which other pages may see the answer (Fetch standard, CORS and CORP)."""
    if origin is None:
        return _ANYWHERE if signed else _SAME_SITE
    return {**_ANYWHERE, "Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _digest(key: str) -> bytes:
    # Digests have one length, so that comparing them tells nothing of the key's. Headers may hold any byte.
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _keys(request: web.Request) -> list[str]:
    """Every key that was sent. Authorization of another scheme belongs to somebody else, such as a proxy."""
    found = list(request.headers.getall(KEY_HEADER, []))
    for value in request.headers.getall("Authorization", []):
        scheme, _, key = value.partition(" ")
        if scheme.lower() == "bearer":
            found.append(key.strip())
    return found


def _from_elsewhere(request: web.Request) -> bool:
    """Whether the request came from another machine, directly or through a proxy on this one."""
    address = read_address(request.remote or "")
    return address is None or not address.is_loopback or any(name in request.headers for name in _FORWARDED)


def _peer(request: web.Request) -> str:
    """The address at the other end; never what a header says. One network of IPv6 is one client."""
    address = read_address(request.remote or "")
    if address is None:
        return "unknown"
    return str(IPv6Network((address, 64), strict=False)) if address.version == 6 else str(address)
