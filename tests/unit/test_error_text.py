"""An error says something, and names no folder of the server."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from avatarforge.db.engine import DatabaseUnavailableError, open_database
from avatarforge.forge.error_text import error_message
from avatarforge.forge.errors import SettingsError, UnavailableError

SILENT = [
    ValueError(),
    OSError(),
    TimeoutError(),
    AssertionError(),
    asyncio.CancelledError(),
    RuntimeError(" \n"),
]


@pytest.mark.parametrize("error", SILENT, ids=repr)
def test_an_error_without_words_is_named(error: BaseException) -> None:
    assert error_message(error) == type(error).__name__


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file", "/srv/secret/a"), "No such file"),
        (PermissionError(errno.EACCES, "Permission denied", "/a b", None, "/c"), "Permission denied"),
        (OSError("cannot identify image file '/srv/my secret/a.png'"), "cannot identify image file 'a.png'"),
        (RuntimeError("C:\\my secret\\a.db is locked"), "a.db is locked"),
        (DatabaseUnavailableError("bad: sqlite:////srv/secret/a.db"), "bad: sqlite:///a.db"),
        # Sentences of our own are shown as they are.
        (UnavailableError("Ask GET /generations/{id}/live."), "Ask GET /generations/{id}/live."),
        (SettingsError("STORAGE_PATH='/srv/x/y' cannot be used"), "STORAGE_PATH='/srv/x/y' cannot be used"),
    ],
    ids=repr,
)
def test_an_error_names_no_folder(error: Exception, said: str) -> None:
    assert error_message(error) == said


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(), "OSError"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/srv/secret"), "No such file"),
        (SQLAlchemyError(""), "SQLAlchemyError"),
        (OperationalError("SELECT 1", {}, ValueError()), "ValueError"),
        (OperationalError("SELECT 1", {}, ValueError("one line\nand another")), "one line"),
    ],
    ids=repr,
)
def test_a_database_that_fails_without_words_says_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def fail(*_: object) -> None:
        raise error from getattr(error, "orig", None)

    monkeypatch.setattr(command, "upgrade", fail)
    with pytest.raises(DatabaseUnavailableError) as raised:
        open_database("", tmp_path)
    assert str(raised.value) == f"The database cannot be opened: {reason}."
