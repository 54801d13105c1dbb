"""A pytest plugin that thins out tables of cases on a further Python, which another Python ran as a whole.

What another Python changes (syntax, the standard library, types at import, asyncio, sqlite3) shows with any
case of a test, not with one of a thousand rows. So with ``--thin`` every test runs with its first and its
last case alone, and one test of each file marked `doll`, because the doll's bytes are the same everywhere
(test_doll_bytes). A test that tries long random sequences asks the fixture `examples` how many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thin", action="store_true", help="run only the first and last case of each test")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--thin"):
        return
    kept = {item for _, file in groupby(items, lambda item: item.path) for item in _kept(list(file))}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


@pytest.fixture(scope="session")
def examples(pytestconfig: pytest.Config) -> Callable[[int], int]:
    """How many of so many random sequences a test tries: with ``--thin``, a fifth."""
    thin = pytestconfig.getoption("--thin")
    return lambda number: max(1, number // 5) if thin else number


def _kept(items: Sequence[pytest.Item]) -> Iterable[pytest.Item]:
    """What is left of the tests of one file."""
    doll = [item for item in items if item.get_closest_marker("doll")]
    yield from doll[:1]
    for _, group in groupby((item for item in items if item not in doll), _function):
        cases = list(group)
        yield from {cases[0], cases[-1]}


def _function(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]
