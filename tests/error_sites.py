"""Finds all places in the pack's source that use an error code, by parsing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from avatarforge.forge import errors
from avatarforge.routes.errors import STATUS

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(
    [
        *(path for folder in ("db", "forge", "host", "routes") for path in (ROOT / folder).rglob("*.py")),
        ROOT / "bootstrap.py",
        ROOT / "fallback.py",
    ]
)
#: Calls whose first arguments are a status and a code. `super().__init__` is in subclasses of HttpRefusal.
_WITH_STATUS = ("error_answer", "HttpRefusal", "super().__init__")
#: An exception that the upload turns into a RejectedUploadError, and its default code.
_INVALID_IMAGE = ("InvalidImage", "damaged_image")


@dataclass(frozen=True)
class Site:
    """One place that uses an error code.

    Attributes:
        status: HTTP status; None if this place does not determine it.
        parameters: names of the error's parameters; None if this place cannot have any.
    """

    where: str
    code: str
    status: int | None
    parameters: frozenset[str] | None = field(default=None)


def sites() -> list[Site]:
    """All places in the pack that use a code, and the default code of each error class."""
    defaults = [
        Site(f"{kind.__name__}.default_code", kind.default_code, status)
        for kind, status in STATUS.items()
        if "default_code" in vars(kind)
    ]
    return defaults + [site for path in SOURCES for site in _sites_of(path)]


def _sites_of(path: Path) -> Iterator[Site]:
    name = path.relative_to(ROOT).as_posix()
    if name == "forge/error_codes.py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Call):
            yield from _call(where, node)
        elif isinstance(node, ast.Tuple):  # a row of the table in db_errors.py
            statuses = [
                _status_of(ast.unparse(element)) for element in node.elts if isinstance(element, ast.Name)
            ]
            if statuses and statuses[0] is not None and len(node.elts) == 4:
                yield from (Site(where, code, statuses[0]) for code in _strings(node.elts[2]))
        elif isinstance(node, ast.AnnAssign) and node.value and "ErrorCode" in ast.unparse(node.annotation):
            if isinstance(node.value, ast.Dict):  # status -> code
                for key, value in zip(node.value.keys, node.value.values, strict=True):
                    status = key.value if isinstance(key, ast.Constant) else None
                    yield from (Site(where, code, _number(status)) for code in _strings(value))
            else:
                yield from (Site(where, code, None) for code in _strings(node.value))
        elif isinstance(node, ast.Dict):  # a literal response body, in fallback.py
            keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
            if "detail" in keys and "code" in keys:
                yield from (Site(where, code, None) for code in _strings(node.values[keys.index("code")]))


def _call(where: str, call: ast.Call) -> Iterator[Site]:
    function = ast.unparse(call.func)
    name = function.rpartition(".")[2]
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    if function in _WITH_STATUS and len(call.args) > 1 and isinstance(call.args[0], ast.Constant):
        status = _number(call.args[0].value)
        yield from (Site(where, code, status, frozenset()) for code in _strings(call.args[1]))
    elif "code" in keywords:
        parameters = _names(keywords.get("parameters"))
        for code in _strings(keywords["code"]):
            yield Site(where, code, _status_of(name), parameters)
    elif name == _INVALID_IMAGE[0]:
        yield Site(where, _INVALID_IMAGE[1], _status_of(name), frozenset())
    elif _status_of(name) is not None:
        yield Site(where, getattr(errors, name).default_code, _status_of(name), frozenset())


def _status_of(name: str) -> int | None:
    kind = errors.RejectedUploadError if name == _INVALID_IMAGE[0] else getattr(errors, name, None)
    return STATUS.get(kind) if isinstance(kind, type) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _strings(value: ast.expr) -> list[str]:
    """The possible string values of an expression: a literal, or both sides of a conditional."""
    if isinstance(value, ast.IfExp):
        return _strings(value.body) + _strings(value.orelse)
    return [value.value] if isinstance(value, ast.Constant) and isinstance(value.value, str) else []


def _names(parameters: ast.expr | None) -> frozenset[str]:
    if isinstance(parameters, ast.Dict):
        return frozenset(str(key.value) for key in parameters.keys if isinstance(key, ast.Constant))
    if isinstance(parameters, ast.Call) and ast.unparse(parameters.func).endswith("limits.error_parameters"):
        return frozenset(("width", "height", "min", "max"))
    return frozenset()
