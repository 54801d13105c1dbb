from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import URL, Connection, func, insert, select, text
from sqlalchemy.exc import OperationalError

from avatarforge.db import generation_search, search_index
from avatarforge.db.engine import Database, DatabaseUnavailableError, open_database
from avatarforge.db.tables import files, metadata


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database("", tmp_path)
    yield opened
    opened.close()


def row(number: int) -> dict[str, object]:
    return {
        "id": f"id-{number}",
        "content_hash": f"{number:064x}",
        "filename": "a.png",
        "size": 1,
        "mime_type": "image/png",
        "extension": "png",
        "width": 64,
        "height": 64,
        "created_at": 1,
        "last_used_at": 1,
        "deleted_at": None,
    }


def pragma(name: str):  # type: ignore[no-untyped-def]
    return lambda connection: connection.execute(text(f"PRAGMA {name}")).scalar_one()


def test_the_migrations_build_exactly_the_tables(database: Database) -> None:
    def is_ours(name: str | None, kind: str, _parents: object) -> bool:
        """A full-text index is no table of a migration: SQLite keeps it in tables of its own."""
        return kind != "table" or not str(name).startswith((search_index.TABLE, generation_search.TABLE))

    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "include_name": is_ours}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    assert database.read_here(differences) == []


def test_opening_again_changes_nothing_and_keeps_the_rows(tmp_path: Path) -> None:
    first = open_database("", tmp_path)
    first.write_here(lambda connection: connection.execute(insert(files).values(row(1))))
    first.close()
    again = open_database("", tmp_path)
    assert again.read_here(lambda connection: connection.execute(select(files.c.id)).scalars().all()) == [
        "id-1"
    ]
    again.close()


def test_commits_survive_power_cuts_and_only_the_writer_checkpoints(database: Database) -> None:
    full = 2
    assert database.write_here(pragma("synchronous")) == full
    assert database.write_here(pragma("journal_mode")) == "wal"
    assert database.write_here(pragma("foreign_keys")) == 1
    assert database.read_here(pragma("wal_autocheckpoint")) == 0


def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(OperationalError, match="readonly"):
        database.read_here(lambda connection: connection.execute(insert(files).values(row(1))))


def test_a_lock_that_another_program_holds_is_an_error_of_the_database(tmp_path: Path) -> None:
    open_database("", tmp_path).close()
    database = Database(URL.create("sqlite", database=str(tmp_path / "avatarforge.db")), busy_timeout_ms=1)
    other = sqlite3.connect(tmp_path / "avatarforge.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        database.write_here(lambda connection: connection.execute(insert(files).values(row(1))))
    other.close()
    database.write_here(lambda connection: connection.execute(insert(files).values(row(1))))
    assert (
        database.read_here(lambda connection: connection.scalar(select(func.count()).select_from(files))) == 1
    )
    database.close()


async def test_a_failed_write_leaves_nothing(database: Database) -> None:
    def write_then_fail(connection: Connection) -> None:
        connection.execute(insert(files).values(row(1)))
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await database.write(write_then_fail)
    assert (
        await database.read(
            lambda connection: connection.execute(select(func.count()).select_from(files)).scalar()
        )
        == 0
    )


async def test_many_writers_and_readers_at_once_never_find_it_locked(database: Database) -> None:
    def add(number: int):  # type: ignore[no-untyped-def]
        return lambda connection: connection.execute(insert(files).values(row(number)))

    def count(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(files)).scalar_one()

    jobs = [database.write(add(number)) for number in range(64)]
    await asyncio.gather(*jobs, *(database.read(count) for _ in range(64)))
    assert await database.read(count) == 64


async def test_a_caller_who_leaves_does_not_undo_a_write(database: Database) -> None:
    task = asyncio.ensure_future(
        database.write(lambda connection: connection.execute(insert(files).values(row(1))).rowcount)
    )
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The writer runs one after another, so this write comes after the abandoned one.
    assert await database.write(
        lambda connection: connection.execute(select(files.c.id)).scalars().all()
    ) == ["id-1"]


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "sqlite:///:memory:",
        "nosuchdialect://host/name",
        "postgresql+nosuchdriver://host/name",
        "postgresql://host:port/name",
    ],
)
def test_a_url_that_cannot_work_is_refused_with_its_name(tmp_path: Path, url: str) -> None:
    with pytest.raises(DatabaseUnavailableError, match=r"DATABASE_URL=.*cannot be used"):
        open_database(url, tmp_path)


def test_a_password_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailableError, match=r"//me:\*\*\*@host") as caught:
        open_database("nosuchdialect://me:secret@host/name", tmp_path)
    assert "secret" not in str(caught.value)


def test_a_relative_path_starts_at_the_data_folder(tmp_path: Path) -> None:
    open_database("sqlite:///./sub/mine.db", tmp_path).close()
    assert (tmp_path / "sub" / "mine.db").is_file()


def test_a_corrupt_database_is_refused_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "avatarforge.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(DatabaseUnavailableError, match="not a database"):
        open_database("", tmp_path)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError(""), "The database cannot be opened: RuntimeError."),
        (NotImplementedError("not on this\nserver"), "The database cannot be opened: not on this."),
        (CommandError("Can't locate revision"), "The database cannot be opened: Can't locate revision."),
        (ImportError("x" * 5000), f"The database cannot be opened: {'x' * 200}."),
    ],
)
def test_whatever_a_migration_raises_is_reported_and_nothing_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def fails(*_: object) -> None:
        raise error

    closed: list[Database] = []
    monkeypatch.setattr(command, "upgrade", fails)
    monkeypatch.setattr(Database, "close", lambda database: closed.append(database))
    with pytest.raises(DatabaseUnavailableError) as caught:
        open_database("", tmp_path)
    monkeypatch.undo()
    closed.pop().close()
    assert (str(caught.value), closed) == (told, [])


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    open_database("", tmp_path).close()
    connection = sqlite3.connect(tmp_path / "avatarforge.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(DatabaseUnavailableError, match="newer"):
        open_database("", tmp_path)
