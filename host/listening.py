"""Which addresses ComfyUI listens on, and the host names of this machine."""

from __future__ import annotations

import ipaddress
import socket


def reaches_network(listen: str) -> bool:
    """Whether other machines can reach a server that listens on these addresses (`--listen`,
    comma-separated).

    Blocks to resolve host names among them, as ComfyUI does to bind them.
    """
    return not all(_is_loopback(name.strip()) for name in listen.split(","))


def _is_loopback(name: str) -> bool:
    if not name:
        return False  # an empty name is bound to every address
    try:
        entries = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False  # cannot be resolved, so it may be reachable
    # Drop the zone after "%", which only link-local addresses have.
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in entries]
    return bool(addresses) and all(address.is_loopback for address in addresses)


def own_names() -> tuple[str, ...]:
    """The names of this machine, including its mDNS name (RFC 6762). Does not ask a name server, which could
    be slow and is not trusted here."""
    name = socket.gethostname()
    short = name.partition(".")[0]
    return (name, short, f"{short}.local")
