"""Every code that is sent is registered; every registered code is sent, tested and documented."""

from __future__ import annotations

import ast
import re
from typing import get_args

import pytest
from error_sites import ROOT, sites

from avatarforge.forge import errors
from avatarforge.forge.error_codes import ERROR_CODES, ErrorCode
from avatarforge.routes.errors import STATUS

SITES = sites()
TESTS = [path for folder in ("unit", "api", "host") for path in (ROOT / "tests" / folder).glob("test_*.py")]


def test_the_type_and_the_registry_have_the_same_codes() -> None:
    assert get_args(ErrorCode) == tuple(ERROR_CODES)
    assert all(re.fullmatch("[a-z]+(_[a-z0-9]+)*", code) for code in ERROR_CODES)
    assert all(meaning.endswith(".") and "|" not in meaning for meaning in ERROR_CODES.values())


def test_the_sites_are_found() -> None:
    """Each way in which the pack names a code."""
    found = {site.where.partition(":")[0] for site in SITES}
    assert {"BusyError.default_code", "fallback.py", "forge/store/db_errors.py"} <= found
    assert {"forge/store/structure.py", "host/queue.py", "routes/__init__.py", "routes/reading.py"} <= found
    assert {site.code for site in SITES if site.where.startswith("forge/webhooks/targets.py")} == {
        "callback_url_not_allowed",
        "webhooks_disabled",
    }


def test_every_code_that_is_sent_is_in_the_registry_and_the_other_way_round() -> None:
    assert {site.code for site in SITES} == set(ERROR_CODES)


def test_every_error_class_has_a_default_or_wants_a_code() -> None:
    assert {kind for kind in STATUS if "default_code" not in vars(kind)} == {errors.ForbiddenError}
    with pytest.raises(TypeError, match="code"):
        errors.ForbiddenError("A sentence.")  # type: ignore[call-arg]


def test_every_code_is_asserted_by_a_test() -> None:
    asserted: set[str] = set()
    for path in TESTS:
        if path.name == "test_error_codes.py" and path.parent.name == "unit":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assert) or _is_table(node):
                asserted |= {
                    one.value
                    for one in ast.walk(node)
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    assert set(ERROR_CODES) - asserted == set()


def _is_table(node: ast.AST) -> bool:
    """A table of cases: of `parametrize`, or a constant of a module that a test is parametrized with."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) == "pytest.mark.parametrize"
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SIMPLE"


def statuses() -> dict[str, set[int]]:
    return {
        code: {site.status for site in SITES if site.code == code and site.status is not None}
        for code in ERROR_CODES
    }


def test_every_code_has_a_status_and_only_one_but_for_a_pose_where_a_picture_is_wanted() -> None:
    assert {code: found for code, found in statuses().items() if len(found) != 1} == {
        "picture_required": {400, 422}  # it is uploaded, or named in a request
    }


def test_the_documentation_has_every_code_with_its_statuses_and_meaning() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([0-9, ]+) \| (.+) \|$", text, re.MULTILINE)
    assert [(code, meaning) for code, _, meaning in rows] == list(ERROR_CODES.items())
    assert {code: {int(one) for one in listed.split(",")} for code, listed, _ in rows} == statuses()
