"""Reads the header of a GGUF file: its architecture, and the shapes of its tensors.

Format: docs/gguf.md of ggml. Everything is validated before use, and the work that a file can cause is
bounded, as in `model_files.py`.
"""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

from .model_files import (
    MAX_DIMENSIONS,
    MAX_ELEMENTS,
    MAX_TENSORS,
    Header,
    Tensor,
    UnusableModelError,
    open_model_file,
    raise_if_no_model,
)

GGUF = ".gguf"
#: Text about the file, without the shapes that its converter had to change, which are put into the tensors.
ARCHITECTURE = "general.architecture"
# Far above what real files have: the vocabulary of a language model takes about 8 MB.
MAX_HEADER_BYTES = 64 * 1024**2
MAX_ENTRIES = 20_000
MAX_ARRAY = 2_000_000
MAX_TEXT = 64 * 1024
MAX_NAME = 512
_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_NO_HEADER = "has no valid GGUF header"
_CUT_OFF = "is shorter than its header says: the download broke off"
_ORIGINAL_SHAPE = "comfy.gguf.orig_shape."
_COUNT = struct.Struct("<Q")
_TYPE = struct.Struct("<I")
_STRING, _ARRAY = 8, 9
#: Type number -> struct format of a single value.
_SCALARS = {
    number: struct.Struct(f"<{code}")
    for number, code in {
        0: "B",
        1: "b",
        2: "H",
        3: "h",
        4: "I",
        5: "i",
        6: "f",
        7: "?",
        10: "Q",
        11: "q",
        12: "d",
    }.items()
}
#: Number of a tensor's type -> (name, elements of a block, bytes of a block), from ggml.h and ggml-common.h.
_TENSOR_TYPES = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    24: ("I8", 1, 1),
    30: ("BF16", 1, 2),
}


def read_gguf(path: Path, *, tensors: bool = True) -> Header:
    """The header of a GGUF file. Without `tensors` only the metadata is read, up to the vocabulary.

    Shapes are in PyTorch's order. `metadata` has single values as text. Raises UnusableModelError for a file
    that no loader would take, and OSError if it cannot be read.
    """
    with open_model_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(24)
        if start[:4] != _MAGIC:
            raise_if_no_model(start + file.read(488))
            raise UnusableModelError(_NO_HEADER)
        if len(start) < 24:
            raise UnusableModelError(_CUT_OFF)
        version, tensor_count, entry_count = struct.unpack_from("<IQQ", start, 4)
        if version not in _VERSIONS:
            raise UnusableModelError(f"is a GGUF file of version {version}, not 2 or 3")
        if tensor_count > MAX_TENSORS or entry_count > MAX_ENTRIES:
            raise UnusableModelError(_NO_HEADER)
        reader = _Reader(file, size)
        metadata: dict[str, str] = {}
        shapes: dict[str, tuple[int, ...]] = {}
        for _ in range(entry_count):
            name = reader.text(MAX_NAME)
            kind = reader.number(_TYPE)
            if kind != _ARRAY:
                metadata[name] = str(reader.value(kind))
            elif name.startswith(_ORIGINAL_SHAPE):
                shapes[name.removeprefix(_ORIGINAL_SHAPE)] = reader.shape()
            elif not tensors and name.startswith("tokenizer."):
                return Header({}, metadata)
            else:
                reader.skip_array()
        found = _read_tensors(reader, tensor_count, metadata, size) if tensors else {}
    for name in shapes.keys() & found.keys():
        found[name] = Tensor(shapes[name], found[name].dtype)
    return Header(found, metadata)


def _read_tensors(reader: _Reader, count: int, metadata: dict[str, str], size: int) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    last = 0
    for _ in range(count):
        name = reader.text(MAX_NAME)
        dimensions = reader.number(_TYPE)
        if dimensions > MAX_DIMENSIONS:
            raise UnusableModelError(_NO_HEADER)
        shape = tuple(reader.number(_COUNT) for _ in range(dimensions))[::-1]
        kind, offset = reader.number(_TYPE), reader.number(_COUNT)
        elements = math.prod(shape)
        if elements > MAX_ELEMENTS or offset > 2**63:
            raise UnusableModelError(_NO_HEADER)
        type_name, block, block_bytes = _TENSOR_TYPES.get(kind, (str(kind), 1, 0))
        found[name] = Tensor(shape, type_name)
        last = max(last, offset + elements // block * block_bytes)
    alignment = metadata.get("general.alignment", "32")
    step = int(alignment) if alignment.isdecimal() and 0 < len(alignment) < 7 else 32
    data = -(-reader.position // max(step, 1)) * max(step, 1)
    if found and size < data + last:
        raise UnusableModelError(_CUT_OFF)
    return found


class _Reader:
    """Reads values one after another, as long as the file and the limits allow."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._limit = min(size, MAX_HEADER_BYTES)
        self._cut = size <= MAX_HEADER_BYTES
        self.position = file.tell()

    def number(self, form: struct.Struct) -> Any:
        return form.unpack(self._read(form.size))[0]

    def text(self, limit: int) -> str:
        length = self.number(_COUNT)
        if length > limit:
            raise UnusableModelError(_NO_HEADER)
        try:
            return self._read(length).decode("utf-8")
        except UnicodeDecodeError as error:
            raise UnusableModelError(_NO_HEADER) from error

    def value(self, kind: int) -> Any:
        """A single value; texts longer than the limit are left out."""
        if kind == _STRING:
            length = self.number(_COUNT)
            if length > MAX_TEXT:
                self._skip(length)
                return ""
            return self._read(length).decode("utf-8", "replace")
        if kind not in _SCALARS:
            raise UnusableModelError(_NO_HEADER)
        return self.number(_SCALARS[kind])

    def shape(self) -> tuple[int, ...]:
        """An array of whole numbers, which is the shape of a tensor."""
        kind, count = self.number(_TYPE), self.number(_COUNT)
        if kind not in _SCALARS or count > MAX_DIMENSIONS:
            raise UnusableModelError(_NO_HEADER)
        sizes = tuple(self.number(_SCALARS[kind]) for _ in range(count))
        if any(not isinstance(one, int) or not 0 <= one < 2**48 for one in sizes):
            raise UnusableModelError(_NO_HEADER)
        return sizes

    def skip_array(self) -> None:
        kind, count = self.number(_TYPE), self.number(_COUNT)
        if count > MAX_ARRAY:
            raise UnusableModelError(_NO_HEADER)
        if kind == _STRING:
            for _ in range(count):
                self._skip(self.number(_COUNT))
        elif kind in _SCALARS:
            self._skip(count * _SCALARS[kind].size)
        else:  # arrays of arrays occur in no model
            raise UnusableModelError(_NO_HEADER)

    def _skip(self, length: int) -> None:
        self._advance(length)
        self._file.seek(length, os.SEEK_CUR)

    def _read(self, length: int) -> bytes:
        self._advance(length)
        data = self._file.read(length)
        if len(data) < length:
            raise UnusableModelError(_CUT_OFF)
        return data

    def _advance(self, length: int) -> None:
        self.position += length
        if self.position > self._limit:
            too_long = f"has a header of more than {MAX_HEADER_BYTES // 1024**2} MB"
            raise UnusableModelError(_CUT_OFF if self._cut else too_long)
