"""Whatever a name, a link or a folder of models does, the scan goes on and says what it skipped.

With ComfyUI's own modules inside this process, as in test_model_scanner.py.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from headers import ZIPPED, Shapes, write_header
from model_folders import FOLDERS, put_good, reasons, require_good

Put = Callable[[Path], object]
PLACES: dict[str, tuple[str, Put, str]] = {
    "dangling link": ("a.safetensors", lambda path: path.symlink_to(path.with_name("gone")), "is a link to"),
    "link to itself": ("a.ckpt", lambda path: path.symlink_to(path.name), "cannot be read ("),
    "link to a folder": ("a.pt", lambda path: path.symlink_to("/dev"), "is not a regular file"),
    "pipe": ("a.safetensors", lambda path: os.mkfifo(path), "is not a regular file"),
    "pipe ckpt": ("a.ckpt", lambda path: os.mkfifo(path), "is not a regular file"),
    "link to a device": ("a.bin", lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
    "broken link in a folder": ("b/a.pth", lambda path: path.symlink_to("gone"), "is a link to"),
    "control character": ("a\n.ckpt", lambda path: path.write_bytes(ZIPPED), "has a name that is no valid"),
    "escape": ("a\x1b[31m.ckpt", lambda path: path.write_bytes(ZIPPED), "has a name that is no valid"),
    "latin-1": ("caf\udce9.ckpt", lambda path: path.write_bytes(ZIPPED), "has a name that is no valid"),
    "latin-1 folder": ("\udce9/a.ckpt", lambda path: path.write_bytes(ZIPPED), "has a name that is no valid"),
    "long": (
        "/".join(["d" * 200] * 3 + ["a.ckpt"]),
        lambda path: path.write_bytes(ZIPPED),
        "has a name of more",
    ),
}
SHOWN = {"a\n.ckpt": "a\\n.ckpt", "a\x1b[31m.ckpt": "a\\x1b[31m.ckpt", "caf\udce9.ckpt": "caf\\xe9.ckpt"}
SHOWN["\udce9/a.ckpt"] = "\\xe9/a.ckpt"


@pytest.mark.skipif(sys.platform != "linux", reason="the names and files of Linux")
@pytest.mark.parametrize(("name", "put", "reason"), PLACES.values(), ids=PLACES)
def test_an_odd_name_or_link_is_skipped_with_its_reason(
    scanner: Any, sd15: Shapes, tmp_path: Path, name: str, put: Put, reason: str
) -> None:
    put_good(tmp_path, sd15)
    for folder in FOLDERS:
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        put(path)
    found = scanner.scan()
    require_good(found)
    shown = SHOWN.get(name, name)[:512]
    assert json.dumps(shown, ensure_ascii=False).encode()  # JSON and the database can hold it
    if name.endswith(".pt"):  # os.walk takes the link for the folder
        assert reasons(found, shown) == {}
    else:
        said = reasons(found, shown)
        assert set(said) == set(FOLDERS)
        assert all(reason in words and str(tmp_path) not in words for words in said.values())


def test_a_folder_named_as_a_model_is_none(scanner: Any, sd15: Shapes, tmp_path: Path) -> None:
    put_good(tmp_path, sd15)
    for folder in FOLDERS:
        (tmp_path / folder / "a.safetensors").mkdir()
    found = scanner.scan()
    require_good(found)
    assert found.skipped == ()


def test_a_loop_of_folders_ends(scanner: Any, sd15: Shapes, tmp_path: Path) -> None:
    write_header(tmp_path / "checkpoints" / "good.safetensors", sd15)
    (tmp_path / "checkpoints" / "loop").symlink_to(tmp_path / "checkpoints", target_is_directory=True)
    found = scanner.scan()
    assert found.checkpoints[0].name == "good.safetensors"
    assert {item.family for item in found.checkpoints} == {"sd15"}


def test_a_file_that_goes_during_the_scan_is_skipped(
    scanner: Any, modules: SimpleNamespace, sd15: Shapes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_good(tmp_path, sd15)
    really = modules.folder_paths.get_filename_list
    listing = lambda folder: [*really(folder), "gone.ckpt", "sub/gone.safetensors"]  # noqa: E731
    monkeypatch.setattr(modules.folder_paths, "get_filename_list", listing)
    found = scanner.scan()
    require_good(found)
    for name in ("gone.ckpt", "sub/gone.safetensors"):
        assert reasons(found, name) == dict.fromkeys(FOLDERS, "was removed during the scan")


def test_a_drive_that_goes_takes_only_its_own_models_with_it(
    scanner: Any, modules: SimpleNamespace, sd15: Shapes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_good(tmp_path, sd15)
    drive = tmp_path / "drive"
    for folder in FOLDERS:
        bases = [str(drive / folder), str(tmp_path / folder)]
        extensions = modules.folder_paths.supported_pt_extensions
        monkeypatch.setitem(modules.folder_paths.folder_names_and_paths, folder, (bases, extensions))
        write_header(drive / folder / "sub" / "far.safetensors", {"a": ()})
    assert len(scanner.scan().checkpoints) == 2
    drive.rename(tmp_path / "away")
    require_good(scanner.scan())


@pytest.mark.parametrize("broken", FOLDERS)
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "/srv/secret"),
            "cannot be listed (Permission denied)",
        ),
        (OSError(errno.EIO, "Input/output error", "/srv/secret"), "cannot be listed (Input/output error)"),
        (IndexError("/srv/secret"), "cannot be listed (IndexError)"),
    ],
    ids=lambda value: getattr(type(value), "__name__", ""),
)
def test_a_folder_that_cannot_be_listed_is_named(
    scanner: Any,
    modules: SimpleNamespace,
    sd15: Shapes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
    error: Exception,
    reason: str,
) -> None:
    put_good(tmp_path, sd15)
    really = modules.folder_paths.get_filename_list

    def listing(folder: str) -> list[str]:
        if folder == broken:
            raise error
        return list(really(folder))

    monkeypatch.setattr(modules.folder_paths, "get_filename_list", listing)
    found = scanner.scan()
    (skipped,) = found.skipped
    assert (skipped.folder, skipped.name, skipped.reason) == (broken, None, reason)
    lists = {
        "checkpoints": found.checkpoints,
        "diffusion_models": found.diffusion_models,
        "text_encoders": found.text_encoders,
        "vae": found.vaes,
        "loras": found.loras,
        "controlnet": found.controlnets,
        "model_patches": found.model_patches,
        "style_models": found.style_models,
        "clip_vision": found.clip_visions,
        "ipadapter": found.ipadapters,
    }
    assert {folder: len(files) for folder, files in lists.items()} == {
        folder: int(folder != broken) for folder in FOLDERS
    }


def test_a_folder_that_another_pack_registers_wrongly_is_named(
    scanner: Any, modules: SimpleNamespace, sd15: Shapes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_good(tmp_path, sd15)
    monkeypatch.setitem(modules.folder_paths.folder_names_and_paths, "ipadapter", ([str(tmp_path)],))
    found = scanner.scan()
    assert [item.family for item in found.checkpoints] == ["sd15"]
    assert [(item.folder, item.name) for item in found.skipped] == [("ipadapter", None)]
