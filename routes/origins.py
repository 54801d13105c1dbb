"""Checks by which names this server is called, and from pages of which origins.

The name of a malicious web page can resolve to 127.0.0.1 (DNS rebinding), so that browsers treat this server
as the page's own. Only the name in `Host` reveals that. Any other foreign page is revealed by `Origin` and
`Sec-Fetch-Site`, which no script can forge (Fetch standard, forbidden request headers).
"""

from __future__ import annotations

import functools
import ipaddress
import re
from dataclasses import dataclass

from aiohttp import web

from ..forge.errors import ForbiddenError, SettingsError

# RFC 9110, 7.2: no user info. Not parsed with urlsplit, which drops tabs and anything between "]" and ":".
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9_.-]+))(?::(?P<port>[0-9]{0,5}))?")
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/]+)", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}
_MAX_SHOWN = 100  # characters of client input in an error message
# Results are cached, because every request has one of the same few hosts. Long texts are not, so that a
# client cannot fill the memory.
_CACHE_SIZE, _MAX_CACHED = 512, 255
SAFE_METHODS = ("GET", "HEAD")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Authority:
    """A server's name (lower case, no dot at the end) or address, and its port or None."""

    name: str
    address: Address | None
    port: int | None

    @property
    def loopback(self) -> bool:
        """Whether it is the machine itself. Browsers never look up `.localhost` names (RFC 6761, 6.3)."""
        if self.address is not None:
            return self.address.is_loopback
        return self.name == "localhost" or self.name.endswith(".localhost")


def read_authority(text: str) -> Authority | None:
    """Parse a `Host` header; None if it is invalid."""
    return _cached_authority(text) if len(text) <= _MAX_CACHED else _authority(text)


@functools.lru_cache(_CACHE_SIZE)
def _cached_authority(text: str) -> Authority | None:
    return _authority(text)


def _authority(text: str) -> Authority | None:
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    if port is not None and port > 65_535:
        return None
    address = read_address(match["v6"] or match["name"])
    if address is not None:
        return Authority(str(address), address, port)
    name = (match["name"] or "").lower().removesuffix(".")  # "example.org." is the same server
    # Brackets without an address also end here, with an empty label.
    return Authority(name, None, port) if all(name.split(".")) else None


@functools.lru_cache(_CACHE_SIZE)
def read_address(text: str) -> Address | None:
    """Parse an IP address; None if it is invalid. An IPv4-mapped IPv6 address becomes an IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@dataclass(frozen=True)
class Origin:
    """A scheme, server and port (RFC 6454): the origin of the page that sent a request."""

    scheme: str
    server: Authority

    @property
    def port(self) -> int:
        return _PORTS[self.scheme] if self.server.port is None else self.server.port

    def same_as(self, other: Origin) -> bool:
        return (self.scheme, self.server.name, self.port) == (other.scheme, other.server.name, other.port)


def read_origin(text: str) -> Origin | None:
    """Parse an `Origin` header; None for `null` and anything else that is not an origin of a web server."""
    match = _ORIGIN.fullmatch(text)
    server = read_authority(match["authority"]) if match else None
    return Origin(match["scheme"].lower(), server) if match and server else None


@dataclass(frozen=True)
class NetworkExposure:
    """Whether ComfyUI can be reached from other machines (`network`), and the names of this machine."""

    network: bool = False
    own_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class AllowedOrigins:
    """The names of this server, and the origins of others that may call it.

    `any_address`: `Host` may be any IP address. This is so if ComfyUI listens on the network, where
    containers and routers hide its own address. It is safe, because DNS rebinding needs a name.
    """

    names: frozenset[str]
    domains: tuple[str, ...]
    origins: tuple[Origin, ...]
    any_address: bool

    def check(self, request: web.Request, *, signed: bool) -> str | None:
        """Refuse a request that is not for this server, or that a foreign page sent.

        `signed`: the request has a signed link, which any page may show. Returns the `Origin` header if it is
        one of the allowed foreign origins, otherwise None. Raises ForbiddenError.
        """
        host = self._host(request)
        headers = request.headers.getall("Origin", [])
        if headers:
            origin = read_origin(headers[0]) if len(headers) == 1 else None
            if origin is not None and any(origin.same_as(allowed) for allowed in self.origins):
                return headers[0]
            # Behind a proxy that terminates TLS, the request is http here but https in the browser.
            schemes = ("https",) if request.secure else ("http", "https")
            if origin is None or not any(origin.same_as(Origin(scheme, host)) for scheme in schemes):
                raise _foreign(", ".join(headers))
        self._check_site(request, signed=signed)
        return None

    def _host(self, request: web.Request) -> Authority:
        headers = request.headers.getall("Host", [])
        host = read_authority(headers[0]) if len(headers) == 1 else None
        if host is None or not self._is_own(host):
            raise ForbiddenError(
                f"This server is not known as {', '.join(headers)[:_MAX_SHOWN]!r}. Call it by its own "
                "address, or add the name to ALLOWED_HOSTS and restart ComfyUI.",
                code="host_not_allowed",
            )
        return host

    def _is_own(self, host: Authority) -> bool:
        if host.loopback or host.name in self.names:
            return True
        if host.address is not None:
            return self.any_address
        return any(host.name.endswith(domain) for domain in self.domains)

    def _check_site(self, request: web.Request, *, signed: bool) -> None:
        """Check the browser's statement of how the page is related to this server (W3C Fetch Metadata)."""
        site = request.headers.get("Sec-Fetch-Site")
        if site is None or site in ("same-origin", "none"):
            return
        if request.method not in SAFE_METHODS:
            raise _foreign(f"a {site[:_MAX_SHOWN]} page")
        # Any page may link here, but foreign pages must not load pictures and lists.
        navigates = request.headers.get("Sec-Fetch-Mode") == "navigate"
        if site == "cross-site" and not navigates and not signed:
            raise _foreign("a page of another site")


def _foreign(sender: str) -> ForbiddenError:
    return ForbiddenError(
        f"{sender[:_MAX_SHOWN]!r} may not call this API: it is no page of this server. If it should, add its "
        "origin (such as https://studio.example.org) to ALLOWED_ORIGINS and restart ComfyUI.",
        code="origin_not_allowed",
    )


def read_allowed_origins(
    allowed_hosts: str, allowed_origins: str, exposure: NetworkExposure
) -> AllowedOrigins:
    """Read ALLOWED_HOSTS and ALLOWED_ORIGINS. Raises SettingsError."""
    names: set[str] = set()
    domains: list[str] = []
    for entry in _entries(allowed_hosts):
        is_domain = entry.startswith(".")
        name = entry.removeprefix(".")
        host = read_authority(name) or read_authority(f"[{name}]")
        if host is None or (is_domain and host.address is not None):
            raise SettingsError(
                f"ALLOWED_HOSTS={entry[:_MAX_SHOWN]!r} cannot be used: it must be names such as "
                "avatars.example.org, or .example.org for a domain and all below it, with commas in between."
            )
        names.add(host.name)
        domains += [f".{host.name}"] if is_domain else []
    origins = []
    for entry in _entries(allowed_origins):
        origin = read_origin(entry)
        if origin is None:
            raise SettingsError(
                f"ALLOWED_ORIGINS={entry[:_MAX_SHOWN]!r} cannot be used: it must be origins such as "
                "https://studio.example.org, without a path, with commas between them."
            )
        origins.append(origin)
    if exposure.network:
        own_names = (name.lower().removesuffix(".") for name in exposure.own_names)
        names |= {name for name in own_names if name}
    return AllowedOrigins(frozenset(names), tuple(domains), tuple(origins), exposure.network)


def _entries(setting: str) -> list[str]:
    return [entry for entry in (part.strip() for part in setting.split(",")) if entry]
