"""Tests use what others may use, and the pack what libraries document: no private name of another object.

A name with one underscore in front belongs to its class or module. In the tests that keeps a class free to
change its inside; in the pack it keeps a library's update from breaking us.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Folders and files of the pack; what else lies in the clone is no code of ours.
PACK = (
    *("__init__.py", "avatarforge_nodes", "bootstrap.py", "db", "dev.py", "fallback.py", "forge", "host"),
    *("routes", "tests"),
)
#: Private names of libraries by the files that may use them, each with its reason.
ALLOWED = {
    "_mapping": "SQLAlchemy documents Row._mapping; the underscore keeps it apart from the columns",
    "_exit": "os._exit is documented: it ends a process at once",
}
ALLOWED_IN = {
    ("forge/store/pillow_decoder.py", "_getdecoder"): "see there",
    ("tests/unit/test_library_internals.py", "_getdecoder"): "tells when Pillow drops it",
    ("tests/host/test_attention_reference.py", "_apply_model"): "nothing public is inside its wrappers",
    ("tests/stand_ins/zero_layers.py", "_load_from_state_dict"): "PyTorch has it for ways of loading",
    ("tests/stand_ins/zero_layers.py", "_version"): "PyTorch has no other count of changes in place",
}
#: Functions that take the name of an attribute as a text.
BY_NAME = frozenset({"setattr", "getattr", "hasattr", "delattr", "object"})
OWN = frozenset({"self", "cls"})


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def uses(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The private names that a module uses of something else: (line, name)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and private(node.attr) and not _is_own(node.value):
            yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, alias.name) for alias in node.names if private(alias.name))
        elif isinstance(node, ast.Call) and _called(node.func) in BY_NAME:
            for argument in node.args[:2]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    name = argument.value.rpartition(".")[2]
                    if private(name):
                        yield node.lineno, name


def _is_own(owner: ast.expr) -> bool:
    if isinstance(owner, ast.Call):
        return isinstance(owner.func, ast.Name) and owner.func.id == "super"
    return isinstance(owner, ast.Name) and owner.id in OWN


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def sources() -> list[Path]:
    places = [ROOT / name for name in PACK]
    found = [path for place in places for path in ([place] if place.is_file() else place.rglob("*.py"))]
    return [path for path in found if not path.is_relative_to(ROOT / "tests" / "data")]


@cache
def used() -> list[tuple[str, int, str]]:
    """The private names that all sources use of something else: (file, line, name)."""
    return [
        (path.relative_to(ROOT).as_posix(), line, name)
        for path in sources()
        for line, name in uses(ast.parse(path.read_text(encoding="utf-8")))
    ]


def test_no_private_name_of_another_object_is_used() -> None:
    found = [
        f"{place}:{line}: {name}"
        for place, line, name in used()
        if name not in ALLOWED and (place, name) not in ALLOWED_IN
    ]
    assert found == [], "use the public interface, or observe what the object does"


def test_every_exception_is_still_needed() -> None:
    needed = {(place, name) for place, _, name in used()}
    assert {name for _, name in needed} >= ALLOWED.keys()
    assert needed >= ALLOWED_IN.keys()


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("thing._x", ["_x"]),
        ("self.thing._x = 1", ["_x"]),
        ("self._x; cls._x; super()._x; thing.__class__; thing.x", []),
        ("from module import _x", ["_x"]),
        ("from . import x", []),
        ("monkeypatch.setattr(module, '_x', 1)", ["_x"]),
        ("monkeypatch.setattr('module._x', 1)", ["_x"]),
        ("getattr(thing, '_x', None)", ["_x"]),
        ("mock.patch.object(thing, '_x')", ["_x"]),
        ("name.replace('a', '_x')", []),
    ],
)
def test_the_scan_finds_each_way_to_a_private_name(code: str, names: list[str]) -> None:
    assert [name for _, name in uses(ast.parse(code))] == names
