"""Rendered JSON lives as long as what it was rendered from."""

from __future__ import annotations

from dataclasses import dataclass

from avatarforge.routes.json_body import IdentityCache


@dataclass(frozen=True)
class Record:
    name: str


def test_a_value_belongs_to_one_object_and_goes_with_it() -> None:
    cache: IdentityCache[Record, str] = IdentityCache()
    first, equal = Record("a"), Record("a")
    cache.put(first, "rendered")
    assert (cache.get(first), cache.get(equal)) == ("rendered", None)
    cache.put(first, "rendered again")
    assert (cache.get(first), len(cache)) == ("rendered again", 1)
    del first
    assert len(cache) == 0


def test_no_object_gets_the_value_of_another_that_had_its_id() -> None:
    cache: IdentityCache[Record, int] = IdentityCache()
    for number in range(1000):
        record = Record("a")
        assert cache.get(record) is None
        cache.put(record, number)
    assert len(cache) == 1
