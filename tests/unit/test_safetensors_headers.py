"""Headers are read the fast way if the safetensors library wrote them, and the slow way otherwise: the result
is the same."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from headers import read_shapes, write_header
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatarforge.host.model_files import UnusableModelError, read_header

SHAPES = {"a.weight": (4, 3), "b": (), "é": (0,), 'q"uote': (2,)}
METADATA = {"format": "pt", "tags": 'a, "x":{"dtype":"F16","shape":[9],"data_offsets":[0,18]}, é'}


def write(path: Path, header: Any, size: int = 1000, *, compact: bool = True) -> Path:
    separators = (",", ":") if compact else (", ", ": ")
    text = header if isinstance(header, bytes) else json.dumps(header, separators=separators).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(size))
    return path


def header_of(shapes: dict[str, tuple[int, ...]], folder: Path) -> dict[str, Any]:
    path = write_header(folder / "plain.safetensors", shapes)
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        parsed: dict[str, Any] = json.loads(file.read(length))
    assert read_shapes(path) == shapes
    return parsed


@pytest.mark.parametrize("metadata", [None, {}, METADATA])
def test_both_ways_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metadata: dict[str, str] | None
) -> None:
    header = header_of({name: shape for name, shape in SHAPES.items() if '"' not in name}, tmp_path)
    if metadata is not None:
        header = {"__metadata__": metadata, **header}
    fast = read_header(write(tmp_path / "fast.safetensors", header))
    slow = read_header(write(tmp_path / "slow.safetensors", header, compact=False))
    assert fast == slow
    assert fast.metadata == (metadata or {})
    assert {name: tensor.shape for name, tensor in fast.tensors.items()} == {
        name: shape for name, shape in SHAPES.items() if '"' not in name
    }
    ascii_only = {name: entry for name, entry in header.items() if name.isascii()}
    path = write(tmp_path / "c.safetensors", ascii_only)
    monkeypatch.setattr(json, "loads", None)  # the fast way does not need it
    assert read_header(path).tensors.keys() == {"a.weight", "b"}


def test_a_name_with_an_escape_is_read_the_slow_way(tmp_path: Path) -> None:
    path = write(tmp_path / "a.safetensors", header_of(SHAPES, tmp_path))
    assert read_header(path).tensors.keys() == SHAPES.keys()


ENTRY = '"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}'


@pytest.mark.parametrize(
    "text",
    [
        "{" + ENTRY,
        "{" + ENTRY + "}}",
        "{" + ENTRY + "," + ENTRY.replace("[0,4]", "[0,3]") + "}",
        "{" + ENTRY.replace("[0,4]", "[4,0]") + "}",
        "{" + ENTRY.replace("[2]", "[,2]") + "}",
        "{" + ENTRY.replace("[2]", "[2,2,2,2,2,2,2,2,2]") + "}",
        "{" + ENTRY.replace("[2]", "[99999999999999999999,0]") + "}",
        "{" + ENTRY + ',"b":7}',
        '{"__metadata__":{' + "[" * 3000,
        '{"__metadata__":{"a":"b"},' + ENTRY.replace("F16", "F32") + "}",
    ],
)
def test_what_is_not_valid_is_refused_either_way(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnusableModelError, match="no valid safetensors header"):
        read_header(write(tmp_path / "a.safetensors", text.encode()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_change_of_a_byte_makes_it_raise_anything_else(tmp_path: Path, data: Any) -> None:
    text = bytearray(("{" + ENTRY + "," + ENTRY.replace('"a"', '"b"') + "}").encode())
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(1, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_header(write(tmp_path / "a.safetensors", bytes(text)))
    except UnusableModelError:
        return
    assert all(isinstance(tensor.shape, tuple) for tensor in found.tensors.values())
