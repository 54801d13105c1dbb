"""Checks webhook targets: only hosts listed in the settings, and by default no private address."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from ..errors import UnprocessableError

LONGEST_URL = 2048
OFF = "Webhooks are off on this server. Its operator names the hosts that may be called in WEBHOOK_HOSTS."

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
# RFC 1918, RFC 4193, RFC 6598 and loopback: inside the network, allowed by WEBHOOK_ALLOW_PRIVATE.
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "::1/128", "fc00::/7"
    )
)  # fmt: skip


@dataclass(frozen=True)
class Targets:
    """Allowed targets. `hosts` are entries of the setting: "example.org", or "*.example.org" for all its
    subdomains, each optionally with a port."""

    hosts: tuple[str, ...]
    allow_private: bool

    def require(self, url: str) -> None:
        """Raises UnprocessableError for a URL that may not be called."""
        reason = self.refusal(url)
        if reason is not None:
            raise UnprocessableError(
                reason,
                ("body", "callback_url"),
                code="callback_url_not_allowed" if self.hosts else "webhooks_disabled",
            )

    def refusal(self, url: str) -> str | None:
        """Why a URL may not be called, judged by the URL alone; None if it may be."""
        if not self.hosts:
            return OFF
        parts = _split(url)
        if parts is None:
            return (
                "callback_url must be an absolute URL such as https://example.org/hook: ASCII characters, "
                f"{LONGEST_URL} at most, without a user name and without a fragment."
            )
        if parts.scheme != "https" and not (parts.scheme == "http" and self.allow_private):
            return "callback_url must begin with https://."
        if not self._is_listed(parts):
            return "callback_url names a host that WEBHOOK_HOSTS does not list."
        return None

    def may_connect(self, address: Address, scheme: str) -> bool:
        """Whether a listed host may be called at this address. Plain HTTP is only for private addresses."""
        public = _is_public(address)
        if public is None:
            return self.allow_private
        return public and scheme == "https"

    def _is_listed(self, parts: SplitResult) -> bool:
        host = (parts.hostname or "").rstrip(".")
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
        for entry in self.hosts:
            name, _, listed_port = entry.rpartition(":") if _has_port(entry) else (entry, "", "")
            name = name.strip("[]")
            matches = host.endswith(name[1:]) if name.startswith("*.") else host == name
            if matches and listed_port in ("", str(port)):
                return True
        return False


def read_hosts(text: str) -> tuple[str, ...]:
    """The entries of WEBHOOK_HOSTS, which is comma-separated."""
    return tuple(entry.strip().lower().rstrip(".") for entry in text.split(",") if entry.strip())


def _has_port(entry: str) -> bool:
    # An IPv6 address has colons itself, and is in brackets if a port follows.
    head, _, tail = entry.rpartition(":")
    return tail.isdigit() and (":" not in head or head.endswith("]"))


def _split(url: str) -> SplitResult | None:
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.hostname and parts.port != 0
    except ValueError:
        return None
    if not usable or parts.username is not None or parts.password is not None or "#" in url:
        return None
    return parts


def _is_public(address: Address) -> bool | None:
    """True for a public address, None for a private one, and False for one that is never allowed: link-local
    (where clouds serve credentials), multicast, reserved."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address in _NAT64:
            return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.sixtofour is not None or address.teredo is not None:
            return False
    if any(address in network for network in _PRIVATE if network.version == address.version):
        return None
    return address.is_global and not address.is_multicast and not address.is_reserved
