from __future__ import annotations

import socket
from typing import Any

import pytest

from avatarforge.host.listening import own_names, reaches_network

NAMES = {
    "localhost": ["127.0.0.1", "::1"],
    "studio": ["192.0.2.7"],
    "both": ["127.0.0.1", "192.0.2.7"],
    "none": [],
}


@pytest.fixture(autouse=True)
def no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names mean what the table says; addresses are read as ever, without asking anybody."""
    read = socket.getaddrinfo

    def look_up(name: str, port: None, **options: Any) -> list[Any]:
        if name in NAMES:
            return [(0, 0, 0, "", (address, 0)) for address in NAMES[name]]
        return read(name, port, flags=socket.AI_NUMERICHOST, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize(
    "listen", ["127.0.0.1", "::1", "127.0.0.1,::1", " 127.2.2.2 , 127.3.3.3 ", "localhost", "localhost,::1"]
)
def test_loopback_addresses_and_names_are_not_the_network(listen: str) -> None:
    assert not reaches_network(listen)


@pytest.mark.parametrize(
    "listen",
    [
        "0.0.0.0",  # noqa: S104 - read, never bound
        "0.0.0.0,::",
        "::",
        "192.168.0.2",
        "127.0.0.1,192.168.0.2",
        "fe80::1",
        "studio",
        "both",
        "",
        "127.0.0.1,",
        "none",
        "nobody-knows-this-name",
        "a" * 300,
    ],
)
def test_everything_else_is_also_where_nobody_knows(listen: str) -> None:
    assert reaches_network(listen)


def test_the_machine_has_its_name_with_and_without_a_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Studio.example.org")
    assert own_names() == ("Studio.example.org", "Studio", "Studio.local")
