from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lab import cache


def test_cache_root_is_the_named_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AVATARFORGE_CACHE", str(tmp_path / "mine"))
    assert cache.cache_root() == tmp_path / "mine"


@pytest.mark.parametrize("relative", ["", "some/where"])
def test_a_relative_xdg_folder_is_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, relative: str
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("AVATARFORGE_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.cache_root() == tmp_path / "xdg" / "avatarforge"
    monkeypatch.setenv("XDG_CACHE_HOME", relative)
    assert cache.cache_root() == tmp_path / ".cache" / "avatarforge"


def test_a_key_changes_with_every_part() -> None:
    keys = {
        cache.key("a", "b"),
        cache.key("ab"),
        cache.key("a", "c"),
        cache.key("b", "a"),
        cache.key("a", "b"),
    }
    assert len(keys) == 4


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "thing"
    with cache.being_made(folder, {"pin": 1}) as needed:
        assert needed
        (folder / "content").write_text("made")
    with cache.being_made(folder, {"pin": 1}) as needed:
        assert not needed
    assert (folder / "content").read_text() == "made"


def test_a_half_made_folder_is_made_again_from_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "thing"
    with pytest.raises(KeyError), cache.being_made(folder, {}):
        (folder / "half").write_text("half")
        raise KeyError("broken off")
    assert not cache.is_finished(folder)
    with cache.being_made(folder, {}) as needed:
        assert needed
        assert list(folder.iterdir()) == []


def test_of_two_at_the_same_time_one_makes_and_the_other_waits(tmp_path: Path) -> None:
    folder = tmp_path / "thing"
    first_is_in, second_waits = threading.Event(), threading.Event()
    seen: list[bool] = []

    def second() -> None:
        first_is_in.wait()
        second_waits.set()
        with cache.being_made(folder, {}) as needed:
            seen.append(needed)
            assert (folder / "content").read_text() == "whole"

    thread = threading.Thread(target=second)
    thread.start()
    with cache.being_made(folder, {}):
        first_is_in.set()
        second_waits.wait()
        (folder / "content").write_text("whole")
    thread.join()
    assert seen == [False]
