"""Previews of ended generations stay for a while, within limits."""

from __future__ import annotations

from avatarforge.forge.live.previews import EndedPreviews


def test_the_oldest_generations_leave_first() -> None:
    previews = EndedPreviews(max_bytes=100, max_generations=2)
    for name in ("a", "b", "c"):
        previews.add(name, {0: name.encode()})
    assert [previews.get(name, 0) for name in ("a", "b", "c")] == [None, b"b", b"c"]


def test_bytes_are_limited_over_all_generations_and_given_back() -> None:
    previews = EndedPreviews(max_bytes=10, max_generations=9)
    previews.add("a", {0: b"1234", 3: b"12"})
    previews.add("b", {0: b"1234"})
    assert previews.get("a", 3) == b"12"
    previews.add("c", {0: b"1"})
    assert (previews.get("a", 0), previews.get("b", 0), previews.get("c", 0)) == (None, b"1234", b"1")
    previews.discard("b")
    previews.discard("unknown")
    previews.add("d", {0: b"123456789"})
    assert (previews.get("c", 0), previews.get("d", 0)) == (b"1", b"123456789")


def test_one_generation_larger_than_the_limit_is_not_kept() -> None:
    previews = EndedPreviews(max_bytes=3)
    previews.add("a", {0: b"1234"})
    assert previews.get("a", 0) is None


def test_a_later_run_replaces_the_previews_of_an_earlier_one() -> None:
    previews = EndedPreviews(max_bytes=4)
    previews.add("a", {0: b"123", 1: b"4"})
    previews.add("a", {0: b"1234"})
    assert (previews.get("a", 0), previews.get("a", 1)) == (b"1234", None)
