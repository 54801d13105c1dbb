"""Notes of unsettled work, when several pieces of work are about one thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatarforge.forge.store.disk import Disk
from avatarforge.forge.store.unsettled import Unsettled

NAME = "ab.png"


@pytest.fixture
def notes(tmp_path: Path) -> Unsettled:
    return Unsettled(tmp_path, Disk())


def test_a_note_goes_when_the_last_of_two_has_settled(notes: Unsettled) -> None:
    notes.note(NAME)  # an upload, whose row is committed by now
    notes.note_going([NAME])  # a delete that has just removed that row
    notes.settle(NAME)
    assert (notes.noted(NAME), notes.abandoned()) == (True, [])
    notes.settle(NAME)
    assert (notes.noted(NAME), notes.abandoned()) == (False, [])


def test_what_is_left_stays_noted_and_is_nobodys(notes: Unsettled) -> None:
    notes.note(NAME)
    notes.leave(NAME)
    assert (notes.noted(NAME), notes.abandoned()) == (True, [NAME])
    notes.settle(NAME)  # the next start
    assert not notes.noted(NAME)


def test_a_note_that_could_not_be_made_is_not_under_way(tmp_path: Path) -> None:
    notes = Unsettled(tmp_path / "missing", Disk())
    with pytest.raises(OSError):
        notes.note(NAME)
    (tmp_path / "missing").mkdir()
    notes.leave(NAME)
    assert notes.abandoned() == [NAME]


MANY = ["ab.png", "cd.jpg", "ef.png"]


def test_what_goes_together_is_noted_in_one_file_which_goes_with_the_last(
    notes: Unsettled, tmp_path: Path
) -> None:
    notes.note_going(MANY)
    assert len(list(tmp_path.iterdir())) == 1
    for name in MANY:
        assert notes.noted(name)
        notes.settle(name)
        assert not notes.noted(name)
    assert list(tmp_path.iterdir()) == []


def test_a_list_outlives_the_process_and_goes_when_all_its_names_are_settled(
    notes: Unsettled, tmp_path: Path
) -> None:
    notes.note_going(MANY)
    notes.settle(MANY[0])
    later = Unsettled(tmp_path, Disk())  # the process was killed here
    assert later.abandoned() == MANY
    for name in MANY:
        assert later.is_abandoned(name)
        later.settle(name)
        assert not later.is_abandoned(name)
    assert (later.abandoned(), list(tmp_path.iterdir())) == ([], [])


def test_one_of_a_list_that_is_left_stays_noted_when_the_others_are_settled(
    notes: Unsettled, tmp_path: Path
) -> None:
    notes.note_going(MANY)
    notes.leave(MANY[1])
    notes.settle(MANY[0])
    notes.settle(MANY[2])
    assert Unsettled(tmp_path, Disk()).abandoned() == [MANY[1]]


def test_an_upload_and_two_removals_of_one_name(notes: Unsettled, tmp_path: Path) -> None:
    notes.note_going(MANY)
    notes.note(MANY[0])
    notes.note_going(MANY[:2])
    for name in MANY:
        notes.settle(name)
    assert Unsettled(tmp_path, Disk()).abandoned() == MANY  # a kill now: the second list has both
    notes.settle(MANY[0])
    notes.settle(MANY[0])
    notes.settle(MANY[1])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("written", [0, 3])
def test_a_list_that_was_cut_off_leaves_nothing_behind(tmp_path: Path, written: int) -> None:
    first = Unsettled(tmp_path, Disk())
    first.note_going(MANY)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:written])
    later = Unsettled(tmp_path, Disk())
    for name in later.abandoned():
        later.settle(name)
    assert list(tmp_path.iterdir()) == []
