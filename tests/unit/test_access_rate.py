from __future__ import annotations

from avatarforge.forge.access.rate import RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_client_may_use_its_minute_at_once_and_then_has_to_wait() -> None:
    clock = Clock()
    limit = RateLimit(6, clock=clock)
    assert [limit.take("a") for _ in range(7)] == [0, 0, 0, 0, 0, 0, 10]
    clock.now += 9.0
    assert limit.take("a") == 1
    clock.now += 1.0
    assert limit.take("a") == 0
    assert limit.take("a") == 10


def test_a_client_that_comes_too_early_is_not_pushed_further_back() -> None:
    clock = Clock()
    limit = RateLimit(1, clock=clock)
    limit.take("a")
    for _ in range(59):
        clock.now += 1.0
        assert limit.take("a") > 0
    clock.now += 1.0
    assert limit.take("a") == 0


def test_clients_do_not_share_a_bucket() -> None:
    limit = RateLimit(1, clock=Clock())
    assert (limit.take("a"), limit.take("b"), limit.take("a")) == (0, 0, 60)


def test_a_bucket_never_holds_more_than_a_minute() -> None:
    clock = Clock()
    limit = RateLimit(2, clock=clock)
    limit.take("a")
    clock.now += 86_400.0
    assert [limit.take("a") > 0 for _ in range(3)] == [False, False, True]


def test_zero_is_no_limit() -> None:
    limit = RateLimit(0, clock=Clock())
    assert {limit.take("a") for _ in range(1000)} == {0}


def test_the_number_of_clients_is_bounded_and_the_quietest_is_forgotten() -> None:
    limit = RateLimit(1, clients=2, clock=Clock())
    for client in ("a", "b", "a", "c"):
        limit.take(client)
    assert limit.take("a") == 60
    assert limit.take("b") == 0  # forgotten for c, so that it starts again


def test_a_look_counts_nothing() -> None:
    limit = RateLimit(1, clock=Clock())
    assert [limit.wait("a"), limit.wait("a"), limit.take("a"), limit.wait("a")] == [0, 0, 0, 60]
