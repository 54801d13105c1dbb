"""Every code that is sent is registered; every registered code is sent, tested, documented and translated."""

from __future__ import annotations

import ast
import json
import re
from typing import get_args

import pytest
from error_sites import ROOT, sites

from avatarforge.forge import errors
from avatarforge.forge.error_codes import ERROR_CODES, ErrorCode
from avatarforge.routes.errors import STATUS

SITES = sites()
TESTS = [path for folder in ("unit", "api", "host") for path in (ROOT / "tests" / folder).glob("test_*.py")]
#: Codes that the panel and the picker cannot meet: they send no such request, or show no answer to it.
NOT_ON_A_PAGE = {
    "batch_not_active",
    "batch_not_failed",
    "batch_not_found",
    "waiting_full",
    "callback_url_not_allowed",
    "conflicting_fields",
    "hash_mismatch",
    "idempotency_key_reused",
    "incomplete_body",
    "invalid_base64",
    "invalid_json",
    "invalid_signed_link",
    "length_required",
    "method_not_allowed",
    "precondition_failed",
    "range_not_satisfiable",
    "signed_link_expired",
    "unsupported_content_encoding",
    "unsupported_media_type",
    "verification_running",
    "webhooks_disabled",
}


#: What errors.mjs takes from the list of problems.
OF_PROBLEMS = {"field", "limit", "detail"}


def chinese(kind: str = "error") -> dict[str, str]:
    """Code, or pydantic's type of a problem -> text."""
    texts = json.loads((ROOT / "locales" / "zh" / "main.json").read_text(encoding="utf-8"))["avatarforge"]
    prefix = f"{kind}_"
    return {key.removeprefix(prefix): text for key, text in texts.items() if key.startswith(prefix)}


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
                    item.value
                    for item in ast.walk(node)
                    if isinstance(item, ast.Constant) and isinstance(item.value, str)
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
    assert {code: {int(item) for item in listed.split(",")} for code, listed, _ in rows} == statuses()


def test_every_code_that_a_page_can_meet_has_a_chinese_text() -> None:
    assert set(ERROR_CODES) >= NOT_ON_A_PAGE
    assert chinese().keys() == set(ERROR_CODES) - NOT_ON_A_PAGE


def test_a_text_uses_only_values_that_every_answer_of_its_code_has() -> None:
    for code, text in chinese().items():
        assert re.search("[\u4e00-\u9fff]", text), code
        given = [site.parameters for site in SITES if site.code == code and site.parameters is not None]
        always = frozenset.intersection(*given) if given else frozenset()
        always |= OF_PROBLEMS if code == "invalid_request" else frozenset()
        assert set(re.findall(r"{(\w+)}", text)) <= always | {"detail"}, code


def test_the_texts_of_problems_use_what_the_page_knows_of_a_problem() -> None:
    texts = chinese("problem")
    assert texts
    for kind, text in texts.items():
        assert re.search("[\u4e00-\u9fff]", text), kind
        assert set(re.findall(r"{(\w+)}", text)) <= OF_PROBLEMS, kind
