"""The header If-Match where it takes the version of what is changed."""

from __future__ import annotations

import re

from ..forge.errors import UnprocessableError
from .context import Call

_VERSION = re.compile(r'"?([0-9]{1,9})"?')


def expected_version(call: Call, what: str) -> int | None:
    """The version of If-Match; None without the header or for `*`. `what` names the thing in a refusal.
    Raises UnprocessableError."""
    value = call.request.headers.get("If-Match", "*").strip()
    if value == "*":
        return None
    match = _VERSION.fullmatch(value)
    if match is None:
        raise UnprocessableError(
            f"If-Match must be the version of the {what}, such as 3.", ("header", "If-Match")
        )
    return int(match[1])
