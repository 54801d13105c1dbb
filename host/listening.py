"""On which addresses ComfyUI listens, and what this machine calls itself."""

from __future__ import annotations

import ipaddress
import socket


def reaches_network(listen: str) -> bool:
    """Whether other machines may reach a server that listens on these addresses (`--listen`, with commas).

    Blocks, when there are names among them: they are looked up, as ComfyUI does to bind them.
    """
    return not all(_is_loopback(name.strip()) for name in listen.split(","))


def _is_loopback(name: str) -> bool:
    if not name:
        return False  # an empty name is bound to every address
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False  # nobody knows where it leads
    # A zone stands behind "%"; only link-local addresses have one.
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    return bool(addresses) and all(address.is_loopback for address in addresses)


def own_names() -> tuple[str, ...]:
    """What this machine calls itself, also as its neighbours find it (RFC 6762). Asks no name server: that
    could take long, and the answer would be somebody else's word."""
    name = socket.gethostname()
    short = name.partition(".")[0]
    return (name, short, f"{short}.local")
