"""Whatever is in a single model file, the scan goes on and says what it skipped.

With ComfyUI's own modules inside this process, as in test_model_scanner.py.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from headers import PICKLED, ZIPPED, Shapes, read_shapes, write_header
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_folders import FOLDERS, put_good, reasons, require_good

CASES = Path(__file__).parents[1] / "data" / "cases"


def header(content: Any, data: bytes = b"") -> bytes:
    encoded = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", len(encoded)) + encoded + data


def tensor(**changes: Any) -> bytes:
    """A file of one float16 number, with a header that says something else."""
    return header({"a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2], **changes}}, b"\0\0")


NO_HEADER, CUT = "has no valid safetensors header", "the download broke off"
LFS, PAGE = "is a Git LFS pointer", "is a web page"

#: Name of a file, what is in it, and what is said of it.
CONTENTS: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.safetensors", b"", "is empty"),
    "empty ckpt": ("a.ckpt", b"", "is empty"),
    "empty pth": ("a.pth", b"", "is empty"),
    "empty bin": ("a.bin", b"", "is empty"),
    "empty pt": ("a.pt", b"", "is empty"),
    "zeros": ("a.safetensors", b"\0" * 4096, "begins with zeros"),
    "zeros ckpt": ("a.ckpt", b"\0" * 4096, "begins with zeros"),
    "pointer ckpt": ("a.ckpt", (CASES / "lfs-pointer.ckpt").read_bytes(), LFS),
    "pointer": ("a.safetensors", (CASES / "lfs-pointer.ckpt").read_bytes(), LFS),
    "pointer bin": ("a.bin", (CASES / "lfs-pointer.ckpt").read_bytes(), LFS),
    "page ckpt": ("a.ckpt", (CASES / "sign-in-page.ckpt").read_bytes(), PAGE),
    "page": ("a.safetensors", (CASES / "sign-in-page.ckpt").read_bytes(), PAGE),
    "page pth": ("a.pth", b"\xef\xbb\xbf\r\n<html lang='de'>", PAGE),
    "page upper": ("a.pt", b"<HTML><BODY>", PAGE),
    "json error": ("a.bin", b'{"error": "Invalid username or password."}', "is a text file"),
    "text": ("a.safetensors", "Zugriff verweigert: ä".encode(), "is a text file"),
    "text cut in a letter": ("a.ckpt", b"x" * 511 + "ä".encode(), "is a text file"),
    "gguf": ("a.ckpt", b"GGUF\x03\0\0\0", "is a GGUF file"),
    "safetensors as ckpt": ("a.ckpt", tensor(), "rename it to .safetensors"),
    "zip as safetensors": ("a.safetensors", ZIPPED, "is a PyTorch file with the extension"),
    "pickle as safetensors": ("a.safetensors", PICKLED, "is a PyTorch file with the extension"),
    "zip without its end": ("a.ckpt", ZIPPED[:60], CUT),
    "large zip without its end": ("a.pth", ZIPPED[:60] + b"\x01" * 200_000, CUT),
    "picture": ("a.ckpt", b"\x89PNG\r\n\x1a\n\0\0\0", "is no PyTorch file"),
    "pickle of no protocol": ("a.pt", b"\x80\xff\x01", "is no PyTorch file"),
    "two bytes": ("a.pt", b"\x80\x02", "is no PyTorch file"),
    "half a length": ("a.safetensors", b"\x01\x02\x00\x00", NO_HEADER),
    "length alone": ("a.safetensors", b"\x10" + b"\0" * 7, CUT),
    "length beyond the file": ("a.safetensors", struct.pack("<Q", 1 << 40) + b"{}", CUT),
    "list": ("a.safetensors", header([]), NO_HEADER),
    "no json": ("a.safetensors", header(b"{nonsense}"), NO_HEADER),
    "no utf-8": ("a.safetensors", header(b'{"\xff": 1}'), NO_HEADER),
    "deep": ("a.safetensors", header(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"), NO_HEADER),
    "many values": ("a.safetensors", header(b'{"a":[' + b"0," * 1_100_000 + b"0]}"), "1000000 values"),
    "many tensors": (
        "a.safetensors",
        header({str(n): {"dtype": "F16", "shape": [0], "data_offsets": [0, 0]} for n in range(20_001)}),
        "20000 tensors",
    ),
    "tensor of no object": ("a.safetensors", header({"a": 1}), NO_HEADER),
    "shape missing": ("a.safetensors", header({"a": {"dtype": "F16", "data_offsets": [0, 2]}}), NO_HEADER),
    "shape of text": ("a.safetensors", tensor(shape=["1"]), NO_HEADER),
    "shape of fractions": ("a.safetensors", tensor(shape=[1.0]), NO_HEADER),
    "shape of truth": ("a.safetensors", tensor(shape=[True]), NO_HEADER),
    "shape null": ("a.safetensors", tensor(shape=None), NO_HEADER),
    "shape nested": ("a.safetensors", tensor(shape=[[1]]), NO_HEADER),
    "shape negative": ("a.safetensors", tensor(shape=[-1]), NO_HEADER),
    "shape huge": ("a.safetensors", tensor(shape=[1 << 62, 1 << 62]), NO_HEADER),
    "shape beyond integers": ("a.safetensors", tensor(shape=[1 << 70]), NO_HEADER),
    "shape huge and empty": ("a.safetensors", tensor(shape=[1 << 70, 0]), NO_HEADER),
    "shape of 9": ("a.safetensors", tensor(shape=[1] * 9), NO_HEADER),
    "shape of another size": ("a.safetensors", tensor(shape=[2]), NO_HEADER),
    "type missing": ("a.safetensors", tensor(dtype=None), NO_HEADER),
    "type of number": ("a.safetensors", tensor(dtype=7), NO_HEADER),
    "type of another size": ("a.safetensors", tensor(dtype="F32"), NO_HEADER),
    "offsets missing": ("a.safetensors", tensor(data_offsets=None), NO_HEADER),
    "offsets backwards": ("a.safetensors", tensor(data_offsets=[2, 0]), NO_HEADER),
    "offsets of one": ("a.safetensors", tensor(data_offsets=[0]), NO_HEADER),
    "offsets beyond the file": ("a.safetensors", tensor(data_offsets=[10, 12]), CUT),
}


@pytest.mark.parametrize(("name", "content", "reason"), CONTENTS.values(), ids=CONTENTS)
def test_a_broken_file_is_skipped_with_its_reason(
    scanner: Any, sd15: Shapes, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    put_good(tmp_path, sd15)
    for folder in FOLDERS:
        (tmp_path / folder / name).write_bytes(content)
    found = scanner.scan()
    require_good(found)
    said = reasons(found, name)
    assert set(said) == set(FOLDERS)
    for words in said.values():
        assert reason in words
        assert str(tmp_path) not in words
    for models in (found.checkpoints, found.controlnets):
        (broken,) = (item for item in models if item.name == name)
        assert (broken.family, broken.problem) == (None, said["checkpoints"])


def test_a_controlnet_with_a_scalar_hurts_nobody(scanner: Any, sd15: Shapes, tmp_path: Path) -> None:
    put_good(tmp_path, sd15)
    case = CASES / "controlnet-scalar-tensor.safetensors"
    for folder in FOLDERS:
        shutil.copy(case, tmp_path / folder / "odd_openpose.safetensors")
    found = scanner.scan()
    assert [item.family for item in found.controlnets] == ["sd15", None]
    assert [item.family for item in found.checkpoints] == ["sd15", None]


KEYS = (
    "attn2.to_k.weight",
    "attn2.to_k.down",
    "lora_controlnet",
    "label_emb.0.0.weight",
    "task_embedding",
    "conv_in.weight",
    "body.0.in_conv.weight",
    "body.0.block1.weight",
    "adapter.conv_in.weight",
    "adapter.body.0.resnets.0.block1.weight",
    "output_blocks.0",
    "difference",
    "lllite_unet",
    "\ud800",
    "",
)
SHAPE = st.lists(st.sampled_from([0, 1, 2, 4, 9, 64, 192, 320, 768, 1024, 2048]), max_size=5).map(tuple)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(st.data())
def test_no_shapes_make_the_detection_raise(modules: SimpleNamespace, sd15: Shapes, data: Any) -> None:
    from avatarforge.host.control_kinds import detect_control_model
    from avatarforge.host.model_files import Header, Tensor
    from avatarforge.host.model_kinds import detect_checkpoint

    odd = data.draw(st.dictionaries(st.sampled_from(KEYS), SHAPE))
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(sd15)), SHAPE, max_size=8))
    removed = set(data.draw(st.lists(st.sampled_from(sorted(sd15)), max_size=8)))
    for named in (odd, {**{k: v for k, v in sd15.items() if k not in removed}, **changed, **odd}):
        header = Header({name: Tensor(shape, "F16") for name, shape in named.items()})
        assert detect_checkpoint(header).family in (None, "sd15", "sdxl")
        assert detect_control_model(header).family in (None, "sd15", "sdxl")


def test_a_long_header_is_neither_read_nor_unpacked(modules: SimpleNamespace, tmp_path: Path) -> None:
    from avatarforge.host.model_files import UnusableModelError
    from avatarforge.host.model_files import read_header as read

    megabyte = 1024**2
    sparse, full = tmp_path / "sparse.safetensors", tmp_path / "full.safetensors"
    with sparse.open("wb") as file:
        file.write(struct.pack("<Q", 99 * megabyte) + b"{")
        file.truncate(100 * megabyte)
    full.write_bytes(header(b'{"a":[' + b"[]," * (10 * megabyte) + b"[]]}"))
    for path, reason, most in ((sparse, "more than 32 MB", 1), (full, "more than 1000000 values", 70)):
        tracemalloc.start()
        try:
            with pytest.raises(UnusableModelError, match=reason):
                read(path)
            assert tracemalloc.get_traced_memory()[1] < most * megabyte
        finally:
            tracemalloc.stop()


# What failed is tried again


@pytest.mark.parametrize(
    ("name", "reading"), [("a.safetensors", "read_header"), ("a.ckpt", "check_model_file")]
)
@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.EAGAIN, errno.ETIMEDOUT])
def test_a_file_that_could_not_be_read_is_read_by_the_next_scan(
    scanner: Any,
    modules: SimpleNamespace,
    sd15: Shapes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    reading: str,
    number: int,
) -> None:
    path = tmp_path / "checkpoints" / name
    if name == "a.ckpt":
        path.write_bytes(ZIPPED)
    else:
        write_header(path, sd15)
    really = getattr(modules.models, reading)
    attempts: list[Path] = []

    def fails_at_first(path: Path) -> Any:
        attempts.append(path)
        if len(attempts) < 3:
            raise OSError(number, os.strerror(number), str(path))
        return really(path)

    monkeypatch.setattr(modules.models, reading, fails_at_first)
    for scan in (1, 2):
        found = scanner.scan()
        (model,) = found.checkpoints
        assert model.family is None
        assert model.problem == f"cannot be read ({os.strerror(number)})"
        assert reasons(found, name) == {"checkpoints": model.problem}
        assert len(attempts) == scan  # once a scan, no more
    for _ in range(2):
        found = scanner.scan()
        assert [item.family for item in found.checkpoints] == ["sd15"]
        assert found.skipped == ()
    assert len(attempts) == 3


def test_a_batch_that_could_not_be_estimated_is_estimated_by_the_next_request(
    modules: SimpleNamespace, comfyui: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from comfy import model_management

    from avatarforge.host import memory
    from avatarforge.host.model_files import read_header as really
    from lab import synthetic

    checkpoint = tmp_path / "a.safetensors"
    write_header(checkpoint, read_shapes(synthetic.make(comfyui, "sd15")))
    monkeypatch.setattr(model_management, "get_total_memory", lambda *_: 0)
    attempts: list[Path] = []

    def fails_once(path: Path) -> Any:
        attempts.append(path)
        if len(attempts) == 1:
            raise PermissionError(errno.EACCES, "Permission denied")
        return really(path)

    monkeypatch.setattr(memory, "read_header", fails_once)
    assert memory.batch_fits(checkpoint, 64, 64, 4)
    assert not memory.batch_fits(checkpoint, 64, 64, 4)


def test_a_checkpoint_that_comfyui_cannot_estimate_is_left_to_the_loader(
    modules: SimpleNamespace, tmp_path: Path
) -> None:
    from avatarforge.host.memory import batch_fits

    odd = write_header(tmp_path / "odd.safetensors", {"model.diffusion_model.input_blocks.0.0.weight": ()})
    assert batch_fits(odd, 64, 64, 4)
