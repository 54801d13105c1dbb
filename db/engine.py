"""The database: one writer thread and a few reader threads, never the event loop.

Before SQLite 3.51.3, two connections that checkpoint at the same time can corrupt a WAL. So exactly one
connection writes and checkpoints; readers never do. `synchronous=FULL` makes a commit survive a power cut, as
promised for accepted requests.

Errors leave out the parameters of the statement, because they are logged, and parameters can contain prompts.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool, StaticPool

from . import generation_search, search_index
from .changes import ChangeTracker
from .clock import Clock, system_clock

Result = TypeVar("Result")
Query = Callable[[Connection], Result]

DATABASE_NAME = "avatarforge.db"
READERS = 4
BUSY_TIMEOUT_MS = 10_000
LEAST_BUSY_TIMEOUT_MS = 20
LONGEST_REASON = 200  # characters of a driver's message
MIGRATIONS = Path(__file__).parent / "migrations"

log = logging.getLogger("avatarforge")


class DatabaseUnavailableError(Exception):
    """The database cannot be opened or migrated; the message says why."""


class Database:
    """Runs queries in its own threads.

    A query is a function whose first argument is a Connection. Reads run side by side, each in one
    transaction; writes run one after another, each in one transaction that is committed before `write`
    returns. `changes` tells which generations a write changes. `now` is the clock that dates the rows.
    """

    def __init__(self, url: URL, busy_timeout_ms: int = BUSY_TIMEOUT_MS, now: Clock = system_clock) -> None:
        self.url = url
        self.now = now
        self._busy_timeout_ms = busy_timeout_ms
        self._set_timeout_ms = -1
        self._writer = _writer_engine(url)
        self.changes = ChangeTracker(self._writer)
        self._reader = _reader_engine(url)
        self._write_thread = ThreadPoolExecutor(1, "avatarforge-db-write")
        self._read_threads = ThreadPoolExecutor(READERS, "avatarforge-db-read")

    async def read(self, query: Query[Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(
            self._read_threads, partial(self.read_here, query)
        )

    async def write(self, query: Query[Result]) -> Result:
        # Shielded, so that the caller knows what was committed even if its client disconnects.
        return await asyncio.shield(asyncio.wrap_future(self.writing(query)))

    def read_here(self, query: Query[Result]) -> Result:
        """Run a read on the calling thread, which must not be the event loop's."""
        with self._reader.connect() as connection:
            return query(connection)

    def write_here(self, query: Query[Result]) -> Result:
        """Run a write from a thread that is neither the event loop's nor the writer's."""
        return self.writing(query).result()

    def writing(self, query: Query[Result]) -> Future[Result]:
        """Start a write from any thread. Callers must not cancel the returned future."""
        return self._write_thread.submit(self._write, query, time.monotonic())

    def _write(self, query: Query[Result], queued_at: float) -> Result:
        with self._writer.connect() as connection:
            if self.url.get_backend_name() == "sqlite":
                self._set_busy_timeout(connection, queued_at)
            self.changes.begin(connection)
            with connection.begin() as transaction:
                result = query(connection)
                with self.changes.committing(connection):
                    transaction.commit()
                return result

    def _set_busy_timeout(self, connection: Connection, queued_at: float) -> None:
        # While another program holds the lock, the time that a write was queued counts too: otherwise the
        # tenth write in the queue would fail only after ten times the timeout.
        waited = round((time.monotonic() - queued_at) * 1000)
        left = max(LEAST_BUSY_TIMEOUT_MS, self._busy_timeout_ms - waited)
        if left == self._set_timeout_ms:
            return
        self._set_timeout_ms = left
        _send(connection, f"PRAGMA busy_timeout={left}")

    def close(self) -> None:
        """Finish running queries, then close; the writer last, so that only it checkpoints."""
        self._read_threads.shutdown()
        self._write_thread.shutdown()
        self._reader.dispose()
        self._writer.dispose()


def open_database(
    url_text: str,
    data_folder: Path,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    now: Clock = system_clock,
) -> Database:
    """Open the database and bring its tables up to date.

    `url_text` is an SQLAlchemy URL; empty means `avatarforge.db` in the data folder, and an SQLite path may
    be relative to the data folder. A write waits up to `busy_timeout_ms` for another program that locks the
    database. Blocks: call it in a thread. Raises DatabaseUnavailableError.
    """
    try:
        url = database_url(url_text, data_folder)
        if url.get_backend_name() == "sqlite" and url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        database = Database(url, busy_timeout_ms, now)
    except (ArgumentError, NoSuchModuleError, ImportError, OSError, TypeError, ValueError) as error:
        shown = re.sub(r"(?<=:)[^:@/]*(?=@)", "***", url_text)[:200]
        raise DatabaseUnavailableError(
            f"DATABASE_URL={shown!r} cannot be used: it must be an SQLAlchemy URL of a database on disk or "
            "on a server, such as sqlite:///avatarforge.db, whose driver is installed."
        ) from error
    try:
        database.write_here(_migrate)
        database.write_here(search_index.prepare)
        database.write_here(generation_search.prepare)
    except DatabaseUnavailableError:
        database.close()
        raise
    except Exception as error:  # drivers and alembic raise errors of their own besides SQLAlchemy's
        database.close()
        raise DatabaseUnavailableError(
            f"The database cannot be opened: {_reason(error)[:LONGEST_REASON]}."
        ) from error
    return database


def _reason(error: BaseException) -> str:
    """The first line of the driver's or the system's message, or the name of the exception's class."""
    cause = error.__cause__ or error
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return next(iter(str(cause).strip().splitlines()), "") or type(cause).__name__


def sqlite_file(url_text: str, data_folder: Path) -> Path | None:
    """The file that `open_database` would open; None for a database that is not SQLite.

    Raises DatabaseUnavailableError.
    """
    try:
        url = make_url(url_text) if url_text else None
    except ArgumentError as error:
        raise DatabaseUnavailableError("DATABASE_URL must be an SQLAlchemy URL.") from error
    if url is None:
        return data_folder / DATABASE_NAME
    return data_folder / url.database if url.get_backend_name() == "sqlite" and url.database else None


def database_url(url_text: str, data_folder: Path) -> URL:
    """DATABASE_URL with an absolute path of an SQLite file. Raises ArgumentError."""
    if not url_text:
        return URL.create("sqlite", database=str(data_folder / DATABASE_NAME))
    url = make_url(url_text)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return url.set(database=str(data_folder / Path(url.database)))
    return url


def newest_revision() -> str:
    """The names of the migrations begin with their revisions. alembic would have to run all of them."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _migrate(connection: Connection) -> None:
    present = MigrationContext.configure(connection).get_current_revision()
    if present == newest_revision():
        return
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    wanted = scripts.get_current_head()
    if present is not None and present not in {script.revision for script in scripts.walk_revisions()}:
        raise DatabaseUnavailableError(
            f"The database was made by a newer AvatarForge (revision {present}). Update the pack, or give it "
            "another database with DATABASE_URL."
        )
    log.info("AvatarForge: bringing the database from revision %s to %s", present or "none", wanted)
    command.upgrade(config, "head")


def _in_memory(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def _writer_engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=1, max_overflow=0, pool_pre_ping=True, hide_parameters=True)
    if _in_memory(url):
        raise ArgumentError("an in-memory database would lose every generation")
    engine = create_engine(
        url, poolclass=StaticPool, connect_args={"check_same_thread": False}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # On macOS, fsync stops at the drive's cache; these reach the disk. Elsewhere they have no effect.
        full = ("fullfsync=ON", "checkpoint_fullfsync=ON")
        _pragmas(connection, *full, "journal_mode=WAL", "synchronous=FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Take the write lock immediately: SQLite refuses to upgrade a lock within a transaction, with
        # "database is locked" and without waiting.
        _send(connection, "BEGIN IMMEDIATE")

    return engine


def _reader_engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=READERS, pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=READERS,
        connect_args={"check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        _pragmas(connection, "wal_autocheckpoint=0", "query_only=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # One snapshot for all statements of a read: a row and its pictures, a page and its total.
        _send(connection, "BEGIN")

    return engine


def _send(connection: Connection, statement: str) -> None:
    """Execute a statement without SQLAlchemy, whose overhead exceeds the time of many reads. Raises
    OperationalError."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement)
    except sqlite3.Error as error:
        raise OperationalError(statement, None, error) from error
    finally:
        cursor.close()


def _pragmas(connection: DBAPIConnection, *pragmas: str) -> None:
    # With isolation_level None, the driver starts no transactions; the event handlers above do.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON", *pragmas):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
