from __future__ import annotations

import pytest

from avatarforge.forge.access.signing import Signer
from avatarforge.forge.errors import ForbiddenError

SECRET = "s" * 32
PATH = "/files/b1c29540-8712-4faf-8d5c-9ed86409ddce/thumbnail"
NOW = 1_700_000_000


def signer(secret: str = SECRET, now: float = NOW) -> Signer:
    return Signer(secret, lambda: now)


def link(size: str = "256", expires: int = NOW + 60) -> dict[str, str]:
    query = [("size", size)]
    signature = signer().sign(PATH, query, expires)
    return {"size": size, "expires": str(expires), "signature": signature}


def test_a_link_is_good_until_its_moment() -> None:
    signer(now=NOW + 59).check(PATH, link().items())
    for late in (NOW + 60, NOW + 86_400):
        with pytest.raises(ForbiddenError, match="expired"):
            signer(now=late).check(PATH, link().items())


def test_the_order_of_the_query_does_not_matter() -> None:
    signer().check(PATH, reversed(link().items()))


@pytest.mark.parametrize(
    "change",
    [
        {"size": "512"},
        {"expires": str(NOW + 61)},
        {"expires": f"0{NOW + 60}"},
        {"expires": f"+{NOW + 60}"},
        {"expires": "\u0661" * 10},
        {"expires": ""},
        {"expires": "9" * 400},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "ü" * 64},
        {"signature": "\ud800"},
        {"extra": "1"},
        {"extra": "\ud800"},
    ],
)
def test_a_changed_link_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ForbiddenError):
        signer().check(PATH, {**link(), **change}.items())


def test_a_link_in_capitals_is_another_one() -> None:
    good = link()
    with pytest.raises(ForbiddenError, match="signature"):
        signer().check(PATH, {**good, "signature": good["signature"].upper()}.items())


@pytest.mark.parametrize("name", ["expires", "signature"])
def test_both_values_come_exactly_once(name: str) -> None:
    good = list(link().items())
    for query in ([pair for pair in good if pair[0] != name], [*good, (name, dict(good)[name])]):
        with pytest.raises(ForbiddenError, match="each once"):
            signer().check(PATH, query)


def test_a_link_is_for_its_path_and_its_secret_alone() -> None:
    for path in (PATH.replace("b1c2", "b1c3"), PATH.removesuffix("/thumbnail"), f"{PATH}\nsize=256"):
        with pytest.raises(ForbiddenError, match="signature"):
            signer().check(path, link().items())
    with pytest.raises(ForbiddenError, match="signature"):
        signer("t" * 32).check(PATH, link().items())


def test_what_stands_in_one_part_cannot_pass_for_another() -> None:
    signature = signer().sign("/files/a", [("b", "c")], NOW + 60)
    # urlencode keeps "=" and "&" of a value apart from those between values.
    for query in ([("b", "c&d=e")], [("b=c", "")], [("", "b=c")]):
        assert signer().sign("/files/a", query, NOW + 60) != signature
    assert signer().sign("/files/a", [("a", "1&b=2")], 1) != signer().sign(
        "/files/a", [("a", "1"), ("b", "2")], 1
    )
