"""Renaming, removing and syncing go through `forge/store/disk.py`, which waits while Windows refuses it, and
which macOS needs for a sync that reaches the disk. No other module of the pack calls the system directly."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HELPER = ROOT / "forge" / "store" / "disk.py"
#: Of os and shutil.
FUNCTIONS = frozenset(
    [
        "fdatasync",
        "fsync",
        "move",
        "remove",
        "removedirs",
        "rename",
        "renames",
        "replace",
        "rmdir",
        "rmtree",
        "unlink",
    ]
)
#: Of Path; `replace` is one of str, datetime and others too.
METHODS = frozenset(["rename", "rmdir", "unlink"])
DISKS = frozenset(["disk", "_disk"])


def direct_calls(source: str) -> Iterator[str]:
    """`line: code` of each use of the system that belongs into the helper."""
    tree = ast.parse(source)
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("os", "shutil"):
            found = any(alias.name in FUNCTIONS for alias in node.names)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found = any(alias.name.split(".")[0] == "fcntl" for alias in node.names) or (
                isinstance(node, ast.ImportFrom) and node.module == "fcntl"
            )
        elif isinstance(node, ast.Attribute):
            found = _is_direct(node, called.get(id(node)))
        else:
            continue
        if found:
            yield f"{node.lineno}: {ast.unparse(node)}"


def _is_direct(node: ast.Attribute, call: ast.Call | None) -> bool:
    owner = node.value
    name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
    if name in ("os", "shutil"):
        return node.attr in FUNCTIONS
    if name in DISKS:
        return False
    if node.attr == "replace":
        # Those of Path take one argument; those of str, two; those of datetime, names.
        return call is not None and len(call.args) == 1 and not call.keywords
    return node.attr in METHODS


def pack() -> list[Path]:
    left_out = ("tests", ".git", ".venv", "node_modules")
    found = [path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] not in left_out]
    return [path for path in found if path != HELPER]


@pytest.mark.parametrize(
    "source",
    [
        "os.replace(a, b)",
        "os.rename(a, b)",
        "os.unlink(a)",
        "os.remove(a)",
        "os.rmdir(a)",
        "os.fsync(a)",
        "shutil.rmtree(a, ignore_errors=True)",
        "shutil.move(a, b)",
        "from os import replace",
        "from shutil import rmtree as away",
        "import fcntl",
        "from fcntl import fcntl",
        "path.rename(b)",
        "path.replace(b)",
        "(folder / 'a').replace(b)",
        "path.unlink(missing_ok=True)",
        "path.with_name('b').unlink()",
        "path.rmdir()",
        "thread(path.unlink, missing_ok=True)",
        "partial(shutil.rmtree, a)",
        "partial(os.replace, a, b)",
    ],
)
def test_a_direct_call_is_seen(source: str) -> None:
    assert list(direct_calls(source))


@pytest.mark.parametrize(
    "source",
    [
        "self._disk.replace(a, b)",
        "disk.unlink(a)",
        "text.replace('a', 'b')",
        "text.replace('a', 'b', 1)",
        "now.replace(tzinfo=None)",
        "dataclasses.replace(record, size=1)",
        "replace(record, size=1)",
        "names.remove(a)",
        "os.open(a, 0)",
    ],
)
def test_what_only_looks_like_one_is_not(source: str) -> None:
    assert not list(direct_calls(source))


def test_no_module_of_the_pack_but_the_helper_calls_the_system() -> None:
    modules = pack()
    assert len(modules) > 100
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in modules
        for line in direct_calls(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_helper_itself_would_be_seen() -> None:
    assert len(list(direct_calls(HELPER.read_text(encoding="utf-8")))) >= 5
