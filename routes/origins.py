"""Under which names this server is reached, and the pages of which servers may call it.

A web page can have its own name point at 127.0.0.1 (DNS rebinding); the browser then takes this server for
that page's own. Only the name in `Host` gives it away. A page that stays under its own name is given away by
`Origin` and `Sec-Fetch-Site`, which no script can forge (Fetch standard, forbidden request headers).
"""

from __future__ import annotations

import functools
import ipaddress
import re
from dataclasses import dataclass

from aiohttp import web

from ..forge.errors import ForbiddenError, SettingsError

# RFC 9110, 7.2: no user info. Written out, since urlsplit drops tabs, and what stands between "]" and ":".
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9_.-]+))(?::(?P<port>[0-9]{0,5}))?")
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/]+)", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}
_MOST_SHOWN = 100  # characters of what a client sent, in a sentence
# What a text says never changes, and the same few come with every request. Longer ones are read each time, so
# that nobody fills the memory with them.
_KEPT, _SHORT = 512, 255
SAFE_METHODS = ("GET", "HEAD")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Authority:
    """A server's name (lower case, no dot at the end) or address, and its port where one is given."""

    name: str
    address: Address | None
    port: int | None

    @property
    def loopback(self) -> bool:
        """Whether it means the machine itself: browsers look up no `.localhost` name (RFC 6761, 6.3)."""
        if self.address is not None:
            return self.address.is_loopback
        return self.name == "localhost" or self.name.endswith(".localhost")


def read_authority(text: str) -> Authority | None:
    """What `Host` says; None when it says nothing that a server could be called."""
    return _short_authority(text) if len(text) <= _SHORT else _authority(text)


@functools.lru_cache(_KEPT)
def _short_authority(text: str) -> Authority | None:
    return _authority(text)


def _authority(text: str) -> Authority | None:
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        return None
    port = int(found["port"]) if found["port"] else None
    if port is not None and port > 65_535:
        return None
    address = read_address(found["v6"] or found["name"])
    if address is not None:
        return Authority(str(address), address, port)
    name = (found["name"] or "").lower().removesuffix(".")  # "example.org." is the same server
    # Brackets around no address end here too: with an empty label.
    return Authority(name, None, port) if all(name.split(".")) else None


@functools.lru_cache(_KEPT)
def read_address(text: str) -> Address | None:
    """An IP address; an IPv4 one that came through an IPv6 socket is an IPv4 one."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@dataclass(frozen=True)
class Origin:
    """A scheme, a server and a port (RFC 6454): who wrote the page that a request came from."""

    scheme: str
    server: Authority

    @property
    def port(self) -> int:
        return _PORTS[self.scheme] if self.server.port is None else self.server.port

    def same_as(self, other: Origin) -> bool:
        return (self.scheme, self.server.name, self.port) == (other.scheme, other.server.name, other.port)


def read_origin(text: str) -> Origin | None:
    """What `Origin` says; None for `null` and for anything that is no origin of a web server."""
    found = _ORIGIN.fullmatch(text)
    server = read_authority(found["authority"]) if found else None
    return Origin(found["scheme"].lower(), server) if found and server else None


@dataclass(frozen=True)
class NetworkExposure:
    """How far ComfyUI can be reached: from other machines (`network`), under the names of this one."""

    network: bool = False
    own_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class AllowedOrigins:
    """The names of this server, and the origins of others that may call it.

    `any_address`: an IP address in `Host` is fine, whichever it is. So it is when ComfyUI listens on the
    network, where containers and routers hide the real one; rebinding needs a name.
    """

    names: frozenset[str]
    domains: tuple[str, ...]
    origins: tuple[Origin, ...]
    any_address: bool

    def check(self, request: web.Request, *, signed: bool) -> str | None:
        """Refuse a request that was not meant for this server, or that a foreign page sent.

        `signed`: the link says itself that it may be shown anywhere. Gives back the foreign origin that is
        allowed and sent it, if one did. Raises ForbiddenError.
        """
        host = self._host(request)
        given = request.headers.getall("Origin", [])
        if given:
            origin = read_origin(given[0]) if len(given) == 1 else None
            if origin is not None and any(origin.same_as(allowed) for allowed in self.origins):
                return given[0]
            # Behind a proxy that ends TLS, we see http where the browser sees https.
            schemes = ("https",) if request.secure else ("http", "https")
            if origin is None or not any(origin.same_as(Origin(scheme, host)) for scheme in schemes):
                raise _foreign(", ".join(given))
        self._check_site(request, signed=signed)
        return None

    def _host(self, request: web.Request) -> Authority:
        given = request.headers.getall("Host", [])
        host = read_authority(given[0]) if len(given) == 1 else None
        if host is None or not self._knows(host):
            raise ForbiddenError(
                f"This server is not known as {', '.join(given)[:_MOST_SHOWN]!r}. Call it by its own "
                "address, or add the name to ALLOWED_HOSTS and restart ComfyUI.",
                code="host_not_allowed",
            )
        return host

    def _knows(self, host: Authority) -> bool:
        if host.loopback or host.name in self.names:
            return True
        if host.address is not None:
            return self.any_address
        return any(host.name.endswith(domain) for domain in self.domains)

    def _check_site(self, request: web.Request, *, signed: bool) -> None:
        """Browsers say how the page that asks is related to this server (W3C Fetch Metadata)."""
        site = request.headers.get("Sec-Fetch-Site")
        if site is None or site in ("same-origin", "none"):
            return
        if request.method not in SAFE_METHODS:
            raise _foreign(f"a {site[:_MOST_SHOWN]} page")
        # A link may be followed from anywhere; our pictures and lists are not for foreign pages to load.
        navigates = request.headers.get("Sec-Fetch-Mode") == "navigate"
        if site == "cross-site" and not navigates and not signed:
            raise _foreign("a page of another site")


def _foreign(who: str) -> ForbiddenError:
    return ForbiddenError(
        f"{who[:_MOST_SHOWN]!r} may not call this API: it is no page of this server. If it should, add its "
        "origin (such as https://studio.example.org) to ALLOWED_ORIGINS and restart ComfyUI.",
        code="origin_not_allowed",
    )


def read_allowed_origins(allowed_hosts: str, allowed_origins: str, reach: NetworkExposure) -> AllowedOrigins:
    """Read ALLOWED_HOSTS and ALLOWED_ORIGINS. Raises SettingsError."""
    names: set[str] = set()
    domains: list[str] = []
    for entry in _entries(allowed_hosts):
        whole_domain = entry.startswith(".")
        bare = entry.removeprefix(".")
        host = read_authority(bare) or read_authority(f"[{bare}]")
        if host is None or (whole_domain and host.address is not None):
            raise SettingsError(
                f"ALLOWED_HOSTS={entry[:_MOST_SHOWN]!r} cannot be used: it must be names such as "
                "avatars.example.org, or .example.org for a domain and all below it, with commas in between."
            )
        names.add(host.name)
        domains += [f".{host.name}"] if whole_domain else []
    origins = []
    for entry in _entries(allowed_origins):
        origin = read_origin(entry)
        if origin is None:
            raise SettingsError(
                f"ALLOWED_ORIGINS={entry[:_MOST_SHOWN]!r} cannot be used: it must be origins such as "
                "https://studio.example.org, without a path, with commas between them."
            )
        origins.append(origin)
    if reach.network:
        own = (name.lower().removesuffix(".") for name in reach.own_names)
        names |= {name for name in own if name}
    return AllowedOrigins(frozenset(names), tuple(domains), tuple(origins), reach.network)


def _entries(setting: str) -> list[str]:
    return [entry for entry in (part.strip() for part in setting.split(",")) if entry]
