from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from avatarforge.forge.errors import ForbiddenError, SettingsError
from avatarforge.forge.settings import Settings
from avatarforge.routes import NetworkExposure, rules
from avatarforge.routes.origins import read_allowed_origins, read_authority, read_origin


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [
        ("localhost", "localhost", None),
        ("LocalHost.:8188", "localhost", 8188),
        ("a.localhost", "a.localhost", None),
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("127.0.0.1:", "127.0.0.1", None),
        ("127.255.255.254", "127.255.255.254", None),
        ("[::1]:8188", "::1", 8188),
        ("[0:0:0:0:0:0:0:1]", "::1", None),
        ("[::ffff:127.0.0.1]", "127.0.0.1", None),
    ],
)
def test_the_machine_itself_in_all_its_spellings(text: str, name: str, port: int | None) -> None:
    found = read_authority(text)
    assert found is not None
    assert (found.name, found.port, found.loopback) == (name, port, True)


@pytest.mark.parametrize(
    "text",
    [
        "evil.example",
        "localhost.evil.example",
        "notlocalhost",
        "127.0.0.1.evil.example",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0.0.0.0:8188",
        "[::]",
        "192.168.0.2",
        "[::2]",
        "[fe80::1]",
    ],
)
def test_what_only_looks_like_the_machine_itself(text: str) -> None:
    found = read_authority(text)
    assert found is not None
    assert not found.loopback


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":8188",
        ".",
        "..",
        "localhost..",
        ".localhost",
        "a..localhost",
        "local\thost",
        " localhost",
        "localhost\n",
        "user@localhost",
        "localhost@evil.example",
        "localhost/",
        "localhost/x",
        "localhost?x",
        "localhost#x",
        "localhost:80:90",
        "localhost:x",
        "localhost:-1",
        "localhost:65536",
        "localhost:٨٠",
        "localhost, localhost",
        "[::1",
        "::1",
        "[::1]evil:80",
        "[localhost]",
        "[]",
        "[1.2.3.4.5]",
        "[fe80::1%eth0]",
        "löcalhost",
        "a%62",
        "localhost\\",
        "http://localhost",
        "localhost\x00",
    ],
)
def test_what_is_no_name_of_a_server(text: str) -> None:
    assert read_authority(text) is None


@pytest.mark.parametrize("text", ["https://a.example", "HTTPS://A.EXAMPLE:443", "https://a.example.:443"])
def test_one_origin_has_several_spellings(text: str) -> None:
    item, other = read_origin("https://a.example"), read_origin(text)
    assert item is not None
    assert other is not None
    assert item.same_as(other)


@pytest.mark.parametrize(
    "text", ["http://a.example", "https://a.example:8443", "https://b.example", "https://a"]
)
def test_origins_differ_in_scheme_server_or_port(text: str) -> None:
    item, other = read_origin("https://a.example"), read_origin(text)
    assert item is not None
    assert other is not None
    assert not item.same_as(other)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "",
        "*",
        "a.example",
        "//a.example",
        "ftp://a.example",
        "file://",
        "chrome-extension://abc",
        "http://",
        "http://a.example/",
        "http://a.example/x",
        "http://u@a.example",
        "http://a.example http://b.example",
    ],
)
def test_what_is_no_origin_of_a_web_page(text: str) -> None:
    assert read_origin(text) is None


@pytest.mark.parametrize(
    "entry", ["*", "https://a.example", "a b", "a/b", "..", ".", ".1.2.3.4", "a.example:x"]
)
def test_a_host_that_cannot_be_one_is_told(entry: str) -> None:
    with pytest.raises(SettingsError, match=r"ALLOWED_HOSTS=.* cannot be used: it must be"):
        read_allowed_origins(f"good.example,{entry}", "", NetworkExposure())


@pytest.mark.parametrize("entry", ["*", "null", "a.example", "https://a.example/", "https://*.example"])
def test_an_origin_that_cannot_be_one_is_told(entry: str) -> None:
    with pytest.raises(SettingsError, match=r"ALLOWED_ORIGINS=.* cannot be used: it must be"):
        read_allowed_origins("", f"https://good.example,{entry}", NetworkExposure())


def test_lists_may_have_spaces_ports_and_addresses() -> None:
    known = read_allowed_origins(
        " A.Example:8188 ,, .b.example., [2001:db8::1]:80,2001:db8::2,192.0.2.1 ", "", NetworkExposure()
    )
    assert known.names == {"a.example", "b.example", "2001:db8::1", "2001:db8::2", "192.0.2.1"}
    assert known.domains == (".b.example",)


@pytest.mark.parametrize("key", ["a key with spaces in it", "schlüssel-schlüssel", "sixteen-characters\t"])
def test_a_key_that_no_header_can_carry_is_told_but_not_repeated(key: str) -> None:
    with pytest.raises(SettingsError, match="API_KEY cannot be used: it must be") as caught:
        rules(Settings(api_key=key), NetworkExposure())
    assert key not in str(caught.value)


@pytest.mark.parametrize("name", ["Host", "Origin"])
def test_a_header_given_twice_is_refused_also_by_servers_that_let_it_through(name: str) -> None:
    known = read_allowed_origins("", "", NetworkExposure())
    headers = [("Host", "127.0.0.1"), ("Origin", "http://127.0.0.1")]
    known.check(make_mocked_request("POST", "/", CIMultiDict(headers)), signed=False)
    for again in ("127.0.0.1", "evil.example"):
        twice = CIMultiDict([*headers, (name, again if name == "Host" else f"http://{again}")])
        with pytest.raises(ForbiddenError):
            known.check(make_mocked_request("POST", "/", twice), signed=False)
