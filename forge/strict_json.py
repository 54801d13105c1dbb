"""JSON from strangers (RFC 8259): bounded before it is parsed, and nothing in it silently dropped.

Python's parser goes down one level of the thread's stack per bracket, and turns two bytes of text into
sixty of memory. How deep that may go is one number for the whole process, which other packs raise. So depth
and number of values are counted on the text first, at the speed of a search.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

_BRACKET = re.compile(rb"[\[\]{}]")
_OPENING = (b"[", b"{")


class InvalidJson(ValueError):
    """The text is no JSON that is read here; the message is a sentence for its author."""


def read_json(raw: bytes, *, max_depth: int, max_values: int) -> Any:
    """Parse a document in UTF-8, with or without a byte order mark. Blocking.

    `max_depth` bounds how deep arrays and objects nest, `max_values` roughly how many values there are.
    Raises InvalidJson for what is too deep, too much, not UTF-8, not JSON, NaN, Infinity, a whole number of
    more digits than Python reads (4300), and for a name given twice in an object: parsers differ on which
    of the two counts.
    """
    _measure(raw, max_depth, max_values)
    try:
        return json.loads(
            raw.decode("utf-8-sig"), parse_constant=_refuse_constant, object_pairs_hook=_without_doubles
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
    """Where the text that starts at `at` is over, its quotation mark included."""
    end = raw.find(b'"', at)
    while end >= 0 and (slash := raw.find(b"\\", at, end)) >= 0:
        at = slash + 2
        if at > end:
            end = raw.find(b'"', at)
    return end + 1 if end >= 0 else len(raw)


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJson(f"The text holds {name}; only finite numbers can be used.")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidJson(f"The name {twice[:80]!r} is given twice in one object.")
    return found
