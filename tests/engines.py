"""The SQLAlchemy engines of a Database, for listeners to SQLAlchemy's events."""

from __future__ import annotations

from sqlalchemy import Engine

from avatarforge.db.engine import Database


def writer_of(database: Database) -> Engine:
    return database.write_here(lambda connection: connection.engine)


def reader_of(database: Database) -> Engine:
    return database.read_here(lambda connection: connection.engine)
