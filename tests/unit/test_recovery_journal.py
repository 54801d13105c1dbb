"""Notes of unsettled work, when several pieces of work are about one thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatarforge.forge.store.disk import Disk
from avatarforge.forge.store.recovery_journal import RecoveryJournal

NAME = "ab.png"


@pytest.fixture
def notes(tmp_path: Path) -> RecoveryJournal:
    return RecoveryJournal(tmp_path, Disk())


def test_a_note_goes_when_the_last_of_two_has_settled(notes: RecoveryJournal) -> None:
    notes.add(NAME)  # an upload, whose row is committed by now
    notes.add_removals([NAME])  # a delete that has just removed that row
    notes.clear(NAME)
    assert (notes.contains(NAME), notes.stale()) == (True, [])
    notes.clear(NAME)
    assert (notes.contains(NAME), notes.stale()) == (False, [])


def test_what_is_left_stays_noted_and_is_nobodys(notes: RecoveryJournal) -> None:
    notes.add(NAME)
    notes.keep(NAME)
    assert (notes.contains(NAME), notes.stale()) == (True, [NAME])
    notes.clear(NAME)  # the next start
    assert not notes.contains(NAME)


def test_a_note_that_could_not_be_made_is_not_under_way(tmp_path: Path) -> None:
    notes = RecoveryJournal(tmp_path / "missing", Disk())
    with pytest.raises(OSError):
        notes.add(NAME)
    (tmp_path / "missing").mkdir()
    notes.keep(NAME)
    assert notes.stale() == [NAME]


MANY = ["ab.png", "cd.jpg", "ef.png"]


def test_what_goes_together_is_noted_in_one_file_which_goes_with_the_last(
    notes: RecoveryJournal, tmp_path: Path
) -> None:
    notes.add_removals(MANY)
    assert len(list(tmp_path.iterdir())) == 1
    for name in MANY:
        assert notes.contains(name)
        notes.clear(name)
        assert not notes.contains(name)
    assert list(tmp_path.iterdir()) == []


def test_a_list_outlives_the_process_and_goes_when_all_its_names_are_settled(
    notes: RecoveryJournal, tmp_path: Path
) -> None:
    notes.add_removals(MANY)
    notes.clear(MANY[0])
    later = RecoveryJournal(tmp_path, Disk())  # the process was killed here
    assert later.stale() == MANY
    for name in MANY:
        assert later.is_stale(name)
        later.clear(name)
        assert not later.is_stale(name)
    assert (later.stale(), list(tmp_path.iterdir())) == ([], [])


def test_one_of_a_list_that_is_left_stays_noted_when_the_others_are_settled(
    notes: RecoveryJournal, tmp_path: Path
) -> None:
    notes.add_removals(MANY)
    notes.keep(MANY[1])
    notes.clear(MANY[0])
    notes.clear(MANY[2])
    assert RecoveryJournal(tmp_path, Disk()).stale() == [MANY[1]]


def test_an_upload_and_two_removals_of_one_name(notes: RecoveryJournal, tmp_path: Path) -> None:
    notes.add_removals(MANY)
    notes.add(MANY[0])
    notes.add_removals(MANY[:2])
    for name in MANY:
        notes.clear(name)
    assert RecoveryJournal(tmp_path, Disk()).stale() == MANY  # a kill now: the second list has both
    notes.clear(MANY[0])
    notes.clear(MANY[0])
    notes.clear(MANY[1])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("written", [0, 3])
def test_a_list_that_was_cut_off_leaves_nothing_behind(tmp_path: Path, written: int) -> None:
    first = RecoveryJournal(tmp_path, Disk())
    first.add_removals(MANY)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:written])
    later = RecoveryJournal(tmp_path, Disk())
    for name in later.stale():
        later.clear(name)
    assert list(tmp_path.iterdir()) == []
