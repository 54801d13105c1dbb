"""Where webhooks may go, and how they are signed."""

from __future__ import annotations

import base64
import ipaddress
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from standardwebhooks import Webhook, WebhookVerificationError

from avatarforge.forge.errors import SettingsError, UnprocessableError
from avatarforge.forge.settings import load_settings
from avatarforge.forge.webhooks.signature import headers, read_secret
from avatarforge.forge.webhooks.targets import Targets, read_hosts

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OPEN = Targets(read_hosts("example.org, *.Example.NET, hooks.example.com:8443, [2001:db8::1]:9"), False)
INSIDE = Targets(read_hosts("localhost,127.0.0.1"), True)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://EXAMPLE.org:8080/hook?token=1",
        "https://example.org./",
        "https://a.example.net/x",
        "https://a.b.example.net/x",
        "https://hooks.example.com:8443/",
        "https://[2001:db8::1]:9/",
    ],
)
def test_listed_hosts_may_be_called(url: str) -> None:
    OPEN.require(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.org", "https://"),
        ("ftp://example.org", "https://"),
        ("https://example.com", "does not list"),
        ("https://notexample.org", "does not list"),
        ("https://example.net", "does not list"),
        ("https://evilexample.net", "does not list"),
        ("https://hooks.example.com/", "does not list"),
        ("https://hooks.example.com:443/", "does not list"),
        ("https://example.org@evil.com/", "user name"),
        ("https://user:secret@example.org/", "user name"),
        ("https://example.org/#x", "fragment"),
        ("https://example.org\\@evil.com", "absolute URL"),
        ("https://exämple.org", "ASCII"),
        ("https://example.org/a b", "absolute URL"),
        ("https://example.org/\r\nX: y", "absolute URL"),
        ("https://example.org:99999/", "absolute URL"),
        ("https://[::1/", "absolute URL"),
        ("https:///path", "absolute URL"),
        ("/path", "absolute URL"),
        ("https://example.org/" + "x" * 2048, "2048"),
    ],
)
def test_everything_else_is_refused_with_a_sentence(url: str, words: str) -> None:
    with pytest.raises(UnprocessableError, match=words) as caught:
        OPEN.require(url)
    assert caught.value.location == ("body", "callback_url")


def test_without_a_list_webhooks_are_off() -> None:
    with pytest.raises(UnprocessableError, match="WEBHOOK_HOSTS"):
        Targets((), True).require("https://example.org")


PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
]
NEVER = [
    "169.254.169.254",
    "fe80::1",
    "224.0.0.1",
    "ff02::1",
    "0.0.0.0",  # noqa: S104 - never bound
    "::",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2001:0:53aa:64c::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
]
PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_inside_the_network_need_permission(address: str) -> None:
    assert not OPEN.may_connect(ipaddress.ip_address(address), "https")
    assert INSIDE.may_connect(ipaddress.ip_address(address), "http")


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_called(address: str) -> None:
    for targets in (OPEN, INSIDE):
        for scheme in ("http", "https"):
            assert not targets.may_connect(ipaddress.ip_address(address), scheme)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_are_called_with_tls_only(address: str) -> None:
    for targets in (OPEN, INSIDE):
        assert targets.may_connect(ipaddress.ip_address(address), "https")
        assert not targets.may_connect(ipaddress.ip_address(address), "http")


@given(some.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_the_address_that_it_maps(address: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(f"::ffff:{address}")
    for targets in (OPEN, INSIDE):
        assert targets.may_connect(mapped, "https") == targets.may_connect(address, "https")


@given(some.text(max_size=40))
def test_no_text_makes_the_check_itself_fail(text: str) -> None:
    for url in (text, "https://" + text, "https://example.org" + text):
        refusal = OPEN.refusal(url)
        assert refusal is None or refusal.endswith((".", "fragment."))


def test_the_published_library_verifies_what_we_sign() -> None:
    body = json.dumps({"type": "generation.completed", "data": {"prompt": "Ritter"}})
    signed = headers(read_secret(SECRET), "msg_1", int(time.time()), body)
    assert Webhook(SECRET).verify(body, signed)["type"] == "generation.completed"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body + " ", signed)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", SECRET[6:], "whsec_???", "whsec_" + "A" * 200]
)
def test_what_is_no_secret_is_not_repeated(secret: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="whsec_ and 24 to 64 random bytes"):
        read_secret(secret)
    if 0 < len(secret) <= 128:
        with pytest.raises(SettingsError, match="WEBHOOK_SECRET cannot be used") as caught:
            load_settings({"AVATARFORGE_WEBHOOK_SECRET": secret}, tmp_path / ".env")
        assert secret.removeprefix("whsec_") not in str(caught.value) or secret == "whsec_"  # noqa: S105


def test_hosts_without_a_secret_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_HOSTS needs a WEBHOOK_SECRET"):
        load_settings({"AVATARFORGE_WEBHOOK_HOSTS": "example.org"}, tmp_path / ".env")
