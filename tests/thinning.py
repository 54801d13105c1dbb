"""A pytest plugin that thins out tables of cases on a further Python, which another Python ran as a whole.

What another Python changes (syntax, the standard library, types at import, asyncio, sqlite3) shows with any
case of a test, not with one of a thousand rows. So every test runs there with its first and its last case at
least. ``--thin pure`` thins out only tests that neither await nor touch a file: what is about asyncio, HTTP,
the database or the disk runs as a whole. ``--thin all`` thins out every test. With both, one test is left of
each file marked `doll`, because the doll's bytes are the same everywhere (test_doll_bytes).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from itertools import groupby

import pytest

PURE, ALL = "pure", "all"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thin", choices=(PURE, ALL), help="run only the first and last case of tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    thinned = config.getoption("--thin")
    if thinned is None:
        return
    kept = {
        item
        for _, file in groupby(items, lambda item: item.path)
        for item in _kept(list(file), every_test=thinned == ALL)
    }
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


def _kept(items: Sequence[pytest.Item], *, every_test: bool) -> Iterable[pytest.Item]:
    """What is left of the tests of one file."""
    doll = [item for item in items if item.get_closest_marker("doll")]
    yield from doll[:1]
    for _, group in groupby((item for item in items if item not in doll), _function):
        cases = list(group)
        yield from {cases[0], cases[-1]} if every_test or _is_pure(cases[0]) else cases


def _function(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _is_pure(item: pytest.Item) -> bool:
    """Whether a test neither awaits nor has a folder of its own, which a database needs too."""
    function, fixtures = getattr(item, "function", None), getattr(item, "fixturenames", ())
    return not inspect.iscoroutinefunction(function) and "tmp_path" not in fixtures
