"""JSON from strangers is bounded before it is parsed."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatarforge.forge.strict_json import InvalidJson, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def read(raw: bytes) -> Any:
    return read_json(raw, max_depth=32, max_values=2000)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_what_any_program_writes_is_read(value: Any, plain: bool, indent: int | None) -> None:
    raw = json.dumps(value, ensure_ascii=plain, indent=indent).encode("utf-8", "surrogatepass")
    assert read_json(raw, max_depth=100, max_values=100_000) == value


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbf{}", b" \r\n\t{}\n"])
def test_a_byte_order_mark_and_white_space_are_read_over(raw: bytes) -> None:
    assert read(raw) == {}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b'{"a": 1,}', "not valid JSON"),
        (b'{"a": 1} {}', "not valid JSON"),
        (b'{"a": "\x00"}', "not valid JSON"),
        (b'{"a": "b', "not valid JSON"),
        (b'{"a": "b\\', "not valid JSON"),
        (b"]" * 100_000, "more than 2000 values"),
        (b'{"a": "\xff"}', "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b'{"a": NaN}', "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"[" + b"9" * 5000 + b"]", "too many digits"),
        (b'{"a": 1, "a": 2}', "'a' is given twice"),
        (b'[{"b": {"c": 1, "\\u0063": 2}}]', "'c' is given twice"),
        (b"[" * 33 + b"]" * 33, "more than 32"),
        (b"[" * 1_000_000, "more than 32"),
        (b'{"a":' * 100_000, "more than 32"),
        (b"[" + b"1," * 2001 + b"1]", "more than 2000 values"),
        (b"[" + b"[]," * 2000 + b"[]]", "more than 2000 values"),
        (b'["a"' + b',"a"' * 2000 + b"]", "more than 2000 values"),
    ],
)
def test_what_is_wrong_is_said(raw: bytes, said: str) -> None:
    with pytest.raises(InvalidJson, match=said) as refused:
        read(raw)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    "raw",
    [b'["' + b"[" * 100 + b'"]', b'["\\"' + b"{" * 100 + b'\\\\", 1]', b'["\\\\", "' + b"," * 9999 + b'"]'],
)
def test_brackets_and_commas_in_a_text_do_not_count(raw: bytes) -> None:
    assert read(raw)


def test_the_depth_is_bounded_also_where_another_pack_allows_any_recursion() -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        with pytest.raises(InvalidJson, match="more than 32"):
            read(b"[" * 500_000 + b"]" * 500_000)
    finally:
        sys.setrecursionlimit(before)


def test_a_text_full_of_escapes_is_measured_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    class Watched(bytes):
        looked = 0

        def find(self, mark: Any, start: Any = 0, stop: Any = None) -> int:
            found = super().find(mark, start, len(self) if stop is None else stop)
            Watched.looked += (found if found >= 0 else len(self) if stop is None else stop) - start + 1
            return found

    raw = Watched(b'["' + b"\\/" * 50_000 + b'"]')
    read(raw)
    assert Watched.looked < 10 * len(raw)
