"""Reads model files without loading them: the header of a safetensors file, the first bytes of a pickle.

Model folders contain whatever people downloaded: truncated files, Git LFS pointers, web pages. So everything
in a file is validated before use, and the work that a file can cause is bounded. `gguf_files.py` reads GGUF.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeGuard

SAFETENSORS = (".safetensors", ".sft")
# Far above what real models have, and low enough that reading a hostile header takes at most a second and
# about 200 MB. The format itself allows headers of 100 MB.
MAX_HEADER_BYTES = 32 * 1024**2
MAX_HEADER_VALUES = 1_000_000
MAX_TENSORS = 20_000
MAX_DIMENSIONS = 8
MAX_ELEMENTS = 2**48

_LENGTH = struct.Struct("<Q")
_NO_HEADER = "has no valid safetensors header"
_CUT_OFF = "is shorter than its header says: the download broke off"
# Bits per element (huggingface/safetensors, tensor.rs). The size of tensors of other types is not checked.
_BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64"), 64),
}
# A tensor as the safetensors library writes it. In a JSON text the quotes of this cannot lie inside a string.
_ENTRY = re.compile(
    rb'"([^"\\\x00-\x1f]*)":\{"dtype":"([A-Z0-9_]{1,16})","shape":\[([0-9,]{0,160})\],'
    rb'"data_offsets":\[([0-9]{1,18}),([0-9]{1,18})\]\}'
)
_ENTRY_BYTES = len('"":{"dtype":"","shape":[],"data_offsets":[,]}')
_DECODER = json.JSONDecoder()
_FIRST_BYTES = 512
_ZIP, _ZIP_END = b"PK\x03\x04", b"PK\x05\x06"
_ZIP_TAIL = 22 + 65_535  # bytes of the end record and the longest comment after it (APPNOTE.TXT 4.3.16)
_PICKLE = b"\x80"  # the PROTO opcode; the protocol follows: torch wrote 2 before it wrote zip files
_PICKLE_PROTOCOLS = range(2, 6)


class UnusableModelError(Exception):
    """The file was read and is not a usable model. The message is phrased to follow "it"."""


class Tensor(NamedTuple):
    """What a header says about a tensor. `dtype` is the name in the file's own format, such as "BF16"."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Header:
    """The tensors of a file by name, and texts about the file as a whole."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)


def check_model_file(path: Path) -> None:
    """Check whether a file that is not safetensors can be a model at all. Never unpickles it.

    Raises UnusableModelError, and OSError if the file cannot be read.
    """
    with open_model_file(path) as file:
        start = file.read(_FIRST_BYTES)
        size = os.fstat(file.fileno()).st_size
        if start.startswith(_ZIP):
            file.seek(max(0, size - _ZIP_TAIL))
            if _ZIP_END not in file.read(_ZIP_TAIL):
                raise UnusableModelError("is a PyTorch file without its end: the download broke off")
            return
    if start[:1] == _PICKLE and len(start) > 2 and start[1] in _PICKLE_PROTOCOLS:
        return
    raise_if_no_model(start)
    if _begins_like_safetensors(start, size):
        raise UnusableModelError("is a safetensors file with another extension: rename it to .safetensors")
    raise UnusableModelError("is no PyTorch file")


def read_header(path: Path) -> Header:
    """The header of a safetensors file.

    Format: header length in 8 bytes, little-endian, then the header as JSON (huggingface/safetensors README).
    Raises UnusableModelError for a file that the loader would refuse, and OSError if it cannot be read.
    """
    with open_model_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(_FIRST_BYTES)
        raise_if_no_model(start)
        if start.startswith(_ZIP) or (start[:1] == _PICKLE and start[1:2] == b"\x02" and start[8:9] != b"{"):
            raise UnusableModelError("is a PyTorch file with the extension of a safetensors file")
        if len(start) < _LENGTH.size:
            raise UnusableModelError(_NO_HEADER)
        (length,) = _LENGTH.unpack_from(start)
        if start[8:9] not in (b"{", b""):
            raise UnusableModelError(_NO_HEADER)
        if length > size - _LENGTH.size:
            raise UnusableModelError(_CUT_OFF)
        if length > MAX_HEADER_BYTES:
            raise UnusableModelError(f"has a header of more than {MAX_HEADER_BYTES // 1024**2} MB")
        file.seek(_LENGTH.size)
        header = file.read(length)
    # A parsed JSON value takes about a hundred bytes, so limit their number before parsing.
    if header.count(b",") + header.count(b"[") + header.count(b"{") > MAX_HEADER_VALUES:
        raise UnusableModelError(f"has a header of more than {MAX_HEADER_VALUES} values")
    tensors, end, metadata = _parse_compact(header) or _parse(header)
    if size < _LENGTH.size + length + end:
        raise UnusableModelError(_CUT_OFF)
    return Header(tensors, metadata)


def open_model_file(path: Path) -> BinaryIO:
    """Open regular files only: opening a pipe blocks until it has a writer, and a device may do anything."""

    def opener(name: str, flags: int) -> int:
        # Does not block if the file is replaced by a pipe after the check below.
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))

    if not stat.S_ISREG(path.stat().st_mode):
        raise UnusableModelError("is not a regular file")
    return open(path, "rb", opener=opener)


def raise_if_no_model(start: bytes) -> None:
    """Raise UnusableModelError for what people commonly download instead of a model."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise UnusableModelError("is empty")
    if not start.strip(b"\0"):
        raise UnusableModelError("begins with zeros alone: the download did not finish")
    if text.startswith(b"version https://git-lfs"):
        raise UnusableModelError("is a Git LFS pointer, not the model itself: download the file it points to")
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        raise UnusableModelError("is a web page, not a model: the download needs a login or another address")
    if text.startswith(b"gguf"):
        raise UnusableModelError("is a GGUF file, which ComfyUI's checkpoint loader does not read")
    if text and all(byte >= 0x20 or byte in b"\t\r\n" for byte in start) and _is_utf8(start):
        raise UnusableModelError("is a text file, not a model")


def _is_utf8(start: bytes) -> bool:
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # the last character is cut off
    return True


def _begins_like_safetensors(start: bytes, size: int) -> bool:
    return start[8:9] == b"{" and _LENGTH.unpack_from(start)[0] <= size - _LENGTH.size


#: The tensors, the end of the last one in bytes after the header, and the metadata.
_Parsed = tuple[dict[str, Tensor], int, dict[str, str]]


def _parse(header: bytes) -> _Parsed:
    try:
        parsed = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise UnusableModelError(_NO_HEADER) from error
    if not isinstance(parsed, dict):
        raise UnusableModelError(_NO_HEADER)
    metadata = _texts(parsed.pop("__metadata__", None))
    return *_tensors(parsed), metadata


def _parse_compact(header: bytes) -> _Parsed | None:
    """Parse a header as the safetensors library writes it, without spaces and with the metadata in front.

    Thousands of LoRAs are read at the first scan, and this takes a third of the time that `_parse` takes.
    None for any other header, and for one that is not valid.
    """
    start, metadata = 1, {}
    try:
        if header.startswith(b'{"__metadata__":{'):
            text = header.decode("utf-8")
            parsed, end = _DECODER.raw_decode(text, len('{"__metadata__":'))
            metadata = _texts(parsed)
            start = len(text[:end].encode("utf-8")) + 1
        entries = _ENTRY.findall(header, start)
        if not entries or len(entries) > MAX_TENSORS:
            return None
        # Every byte belongs to an entry or separates two.
        inside = len(b"".join(map(b"".join, entries))) + _ENTRY_BYTES * len(entries)
        if start + inside + len(entries) != len(header.rstrip(b" ")):
            return None
        return *_compact_tensors(entries), metadata
    except (ValueError, RecursionError):
        return None


def _compact_tensors(entries: list[tuple[bytes, ...]]) -> tuple[dict[str, Tensor], int]:
    """(the tensors, end of the last one). Raises ValueError."""
    tensors: dict[str, Tensor] = {}
    known: dict[tuple[bytes, bytes], tuple[Tensor, int | None]] = {}
    last = 0
    for name, dtype, shape, begin, end in entries:
        found = known.get((dtype, shape))
        if found is None:
            sizes = tuple(map(int, shape.split(b","))) if shape else ()
            elements = math.prod(sizes)
            if len(sizes) > MAX_DIMENSIONS or elements > MAX_ELEMENTS or max(sizes, default=0) >= 2**63:
                raise ValueError
            bits = _BITS.get(dtype.decode())
            found = Tensor(sizes, dtype.decode()), None if bits is None else elements * bits
            known[dtype, shape] = found
        tensor, bits = found
        first, last_of_this = int(begin), int(end)
        if first > last_of_this or (bits is not None and bits != 8 * (last_of_this - first)):
            raise ValueError
        tensors[name.decode("utf-8")] = tensor
        last = max(last, last_of_this)
    return tensors, last


def _texts(metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, dict):
        return {}
    return {name: value for name, value in metadata.items() if isinstance(value, str)}


def _tensors(entries: Mapping[str, Any]) -> tuple[dict[str, Tensor], int]:
    """(the tensors, end of the last one in bytes after the header)."""
    if len(entries) > MAX_TENSORS:
        raise UnusableModelError(f"describes more than {MAX_TENSORS} tensors")
    tensors: dict[str, Tensor] = {}
    last = 0
    for name, entry in entries.items():
        tensors[name], end = _tensor(entry)
        last = max(last, end)
    return tensors, last


def _tensor(entry: Any) -> tuple[Tensor, int]:
    if not isinstance(entry, dict):
        raise UnusableModelError(_NO_HEADER)
    dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not isinstance(dtype, str) or not _are_sizes(shape) or not _are_sizes(offsets):
        raise UnusableModelError(_NO_HEADER)
    if len(shape) > MAX_DIMENSIONS or len(offsets) != 2 or math.prod(shape) > MAX_ELEMENTS:
        raise UnusableModelError(_NO_HEADER)
    begin, end = offsets
    bits = _BITS.get(dtype)
    if begin > end or (bits is not None and math.prod(shape) * bits != 8 * (end - begin)):
        raise UnusableModelError(_NO_HEADER)
    return Tensor(tuple(shape), dtype), end


def _are_sizes(values: Any) -> TypeGuard[list[int]]:
    # `type(...) is int` excludes bool.
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**63 for value in values)
