"""The header of a GGUF file is read within limits, whatever it says."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
from pathlib import Path

import pytest
from gguf import entry, tensor, text, write_gguf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatarforge.host.encoder_kinds import gguf_encoder
from avatarforge.host.gguf_files import read_gguf
from avatarforge.host.model_files import UnusableModelError

NO_HEADER, CUT = "no valid GGUF header", "the download broke off"
SHAPES = {"double_blocks.0.img_attn.qkv.weight": (96, 32), "img_in.weight": (32, 64)}


def head(tensors: int = 0, entries: int = 0, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, entries)


def test_architecture_and_shapes_in_pytorch_order(tmp_path: Path) -> None:
    metadata = {"general.architecture": "flux", "general.file_type": 7, "general.tags": ["a", "b"]}
    found = read_gguf(write_gguf(tmp_path / "a.gguf", metadata, SHAPES))
    assert {name: item.shape for name, item in found.tensors.items()} == SHAPES
    assert found.metadata == {"general.architecture": "flux", "general.file_type": "7"}


def test_a_shape_that_the_converter_changed_is_the_original_one(tmp_path: Path) -> None:
    metadata = {"general.architecture": "sdxl", "comfy.gguf.orig_shape.img_in.weight": [2, 4, 16, 16]}
    found = read_gguf(write_gguf(tmp_path / "a.gguf", metadata, SHAPES))
    assert found.tensors["img_in.weight"].shape == (2, 4, 16, 16)


@pytest.mark.parametrize(
    ("architecture", "width", "kind"),
    [
        ("t5encoder", 4096, "t5xxl"),
        ("qwen3", 1024, "qwen3_06b"),
        ("qwen3", 2560, "qwen3_4b"),
        ("qwen3", 4096, "qwen3_8b"),
        ("llama", 5120, "mistral_24b"),
        ("llama", 4096, None),
        ("qwen2vl", 3584, "qwen25_vl_7b"),
        ("qwen3vl", 2560, "qwen3_vl_4b"),
        ("gemma3", 2560, None),
    ],
)
def test_the_kind_of_an_encoder_without_reading_its_vocabulary(
    tmp_path: Path, architecture: str, width: int, kind: str | None
) -> None:
    metadata = {
        "general.architecture": architecture,
        f"{architecture}.embedding_length": width,
        "tokenizer.ggml.tokens": ["a"] * 1000,
    }
    path = write_gguf(tmp_path / "a.gguf", metadata, {"token_embd.weight": (1000, width)})
    assert gguf_encoder(read_gguf(path, tensors=False)) == kind
    assert read_gguf(path).tensors["token_embd.weight"].shape == (1000, width)


CONTENTS = {
    "empty": (b"", "is empty"),
    "page": (b"<!DOCTYPE html><html>", "is a web page"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
    "safetensors": (struct.pack("<Q", 2) + b"{}" + b"\0" * 30, NO_HEADER),
    "magic alone": (b"GGUF", CUT),
    "old version": (head(version=1), "of version 1"),
    "many tensors": (head(tensors=2**40), NO_HEADER),
    "many entries": (head(entries=2**63), NO_HEADER),
    "entries missing": (head(entries=3), CUT),
    "long name": (head(entries=1) + struct.pack("<Q", 2**62), NO_HEADER),
    "name beyond the file": (head(entries=1) + struct.pack("<Q", 100) + b"a", CUT),
    "name of no text": (head(entries=1) + struct.pack("<Q", 2) + b"\xff\xfe" + b"\0" * 40, NO_HEADER),
    "type unknown": (head(entries=1) + text("a") + struct.pack("<I", 99) + b"\0" * 40, NO_HEADER),
    "long array": (head(entries=1) + text("a") + struct.pack("<IIQ", 9, 8, 2**40), NO_HEADER),
    "array of arrays": (head(entries=1) + text("a") + struct.pack("<IIQ", 9, 9, 1) + b"\0" * 40, NO_HEADER),
    "array beyond the file": (head(entries=1) + text("a") + struct.pack("<IIQ", 9, 10, 1000), CUT),
    "original shape of texts": (head(entries=1) + entry("comfy.gguf.orig_shape.a", ["1"]), NO_HEADER),
    "many dimensions": (head(tensors=1) + text("a") + struct.pack("<I", 2**31) + b"\0" * 99, NO_HEADER),
    "huge shape": (head(tensors=1) + tensor("a", (2**40, 2**40), 0) + b"\0" * 99, NO_HEADER),
}


@pytest.mark.parametrize(("content", "reason"), CONTENTS.values(), ids=CONTENTS)
def test_a_broken_file_has_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(content)
    with pytest.raises(UnusableModelError, match=reason):
        read_gguf(path)


def test_a_file_that_is_cut_off_is_known_by_its_length(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "a.gguf", {"general.architecture": "flux"}, SHAPES, cut=1)
    with pytest.raises(UnusableModelError, match=CUT):
        read_gguf(path)


def test_a_hostile_header_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    megabyte = 1024**2
    with path.open("wb") as file:
        file.write(head(entries=1) + text("a") + struct.pack("<IIQ", 9, 8, 2_000_000))
        # And more strings up to the limit than a list of them takes in that memory.
        file.write(struct.pack("<Q", 62 * megabyte))
        file.truncate(200 * megabyte)
    tracemalloc.start()
    try:
        with pytest.raises(UnusableModelError, match="more than 64 MB"):
            read_gguf(path)
        assert tracemalloc.get_traced_memory()[1] < megabyte
    finally:
        tracemalloc.stop()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200), st.integers(0, 5), st.integers(0, 5))
def test_no_bytes_make_it_raise_anything_else(
    tmp_path: Path, data: bytes, tensors: int, entries: int
) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(head(tensors, entries) + data)
    with contextlib.suppress(UnusableModelError):
        read_gguf(path)
