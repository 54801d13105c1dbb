from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from avatarforge.forge.access.secret import signing_secret
from avatarforge.forge.errors import SettingsError

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_made_once_and_used_again(tmp_path: Path) -> None:
    made = signing_secret("", tmp_path)
    assert re.fullmatch("[0-9a-f]{64}", made)
    assert signing_secret("", tmp_path) == made
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
    other = tmp_path / "other"
    other.mkdir()
    assert signing_secret("", other) != made


def test_the_setting_wins_and_makes_no_file(tmp_path: Path) -> None:
    assert signing_secret("x" * 32, tmp_path) == "x" * 32
    assert not list(tmp_path.iterdir())


@POSIX
def test_the_secret_is_for_its_owner_alone_from_the_first_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        modes.extend(mode(path) for path in tmp_path.iterdir())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    before = os.umask(0)
    try:
        signing_secret("", tmp_path)
    finally:
        os.umask(before)
    assert modes == [0o600, 0o600]  # the file under its first name, then the folder with its last
    assert mode(tmp_path / "secret.key") == 0o600


@POSIX
def test_a_secret_that_others_could_read_is_tightened(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = signing_secret("", tmp_path)
    (tmp_path / "secret.key").chmod(0o644)
    assert signing_secret("", tmp_path) == made
    assert mode(tmp_path / "secret.key") == 0o600
    assert "secret.key (mode 644)" in caplog.text
    assert made not in caplog.text


@pytest.mark.parametrize("content", [b"", b"abc", b"g" * 64, b"a" * 63, b"a" * 65, b"\xff" * 64, b"\0" * 64])
def test_a_broken_secret_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"secret\.key in the data folder .* Delete it") as caught:
        signing_secret("", tmp_path)
    assert str(tmp_path) not in str(caught.value)
    assert path.read_bytes() == content


def test_a_secret_that_is_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret.key").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        signing_secret("", tmp_path)


def test_what_a_start_that_was_cut_short_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "secret.key.new").write_bytes(b"abc")
    signing_secret("", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_disk_that_takes_nothing_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match=r"cannot be written.*No space left") as caught:
        signing_secret("", tmp_path)
    assert str(tmp_path) not in str(caught.value)
    assert not list(tmp_path.iterdir())
