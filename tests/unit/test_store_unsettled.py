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
    notes.note_going(NAME)  # a delete that has just removed that row
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
