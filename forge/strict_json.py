"""Parses untrusted JSON (RFC 8259): limits it before parsing, and drops nothing silently.

Python's parser uses one level of the thread's stack per bracket, and turns two bytes of text into sixty bytes
of memory. The recursion limit is global to the process, and other packs raise it. So depth and number of
values are first counted in the text, at the speed of a search.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

_BRACKET = re.compile(rb"[\[\]{}]")
_OPENING = (b"[", b"{")


class InvalidJson(ValueError):
    """The text is not acceptable JSON; the message is a sentence for its author."""


def read_json(raw: bytes, *, max_depth: int, max_values: int) -> Any:
    """Parse a document in UTF-8, with or without a byte order mark. Blocks.

    `max_depth` limits the nesting of arrays and objects, `max_values` roughly limits the number of values.
    Raises InvalidJson for text that exceeds these, is not UTF-8 or not JSON, for NaN, Infinity, integers of
    more digits than Python parses (4300), and for a name that occurs twice in an object, because parsers
    differ on which one counts.
    """
    _measure(raw, max_depth, max_values)
    try:
        return json.loads(
            raw.decode("utf-8-sig"), parse_constant=_refuse_constant, object_pairs_hook=_unique_names
        )
    except InvalidJson:
        raise
    except UnicodeDecodeError as error:
        raise InvalidJson("The text is not UTF-8.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidJson(f"The text is not valid JSON: {error.msg}, {where}.") from error
    except ValueError as error:
        raise InvalidJson("The text holds a number of too many digits.") from error


def _measure(raw: bytes, max_depth: int, max_values: int) -> None:
    depth = values = at = 0
    while at < len(raw):
        quote = raw.find(b'"', at)
        stop = quote if quote >= 0 else len(raw)
        values += 1 + raw.count(b",", at, stop)
        for bracket in _BRACKET.finditer(raw, at, stop):
            values += 1
            depth += 1 if bracket[0] in _OPENING else -1
            if depth > max_depth:
                raise InvalidJson(f"The text nests more than {max_depth} arrays and objects in each other.")
            if values > max_values:
                break
        if values > max_values:
            raise InvalidJson(f"The text holds more than {max_values} values.")
        at = _end_of_text(raw, quote + 1) if quote >= 0 else stop


def _end_of_text(raw: bytes, at: int) -> int:
    """The offset after the closing quote of the string that starts at `at`."""
    end = raw.find(b'"', at)
    while end >= 0 and (slash := raw.find(b"\\", at, end)) >= 0:
        at = slash + 2
        if at > end:
            end = raw.find(b'"', at)
    return end + 1 if end >= 0 else len(raw)


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJson(f"The text holds {name}; only finite numbers can be used.")


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidJson(f"The name {twice[:80]!r} is given twice in one object.")
    return parsed
