"""Queries on idempotency keys. Each takes the connection first."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from .records import IdempotencyRecord
from .tables import idempotency_keys


def get(connection: Connection, key: str) -> IdempotencyRecord | None:
    row = connection.execute(select(idempotency_keys).where(idempotency_keys.c.key == key)).one_or_none()
    return IdempotencyRecord(**row._mapping) if row is not None else None


def add(connection: Connection, record: IdempotencyRecord) -> None:
    connection.execute(insert(idempotency_keys).values(**vars(record)))


def set_answer(connection: Connection, key: str, answer: str) -> None:
    connection.execute(update(idempotency_keys).where(idempotency_keys.c.key == key).values(answer=answer))


def remove(connection: Connection, key: str) -> None:
    connection.execute(delete(idempotency_keys).where(idempotency_keys.c.key == key))


def remove_older(connection: Connection, before: int) -> int:
    """Delete keys created before that time (microseconds since 1970); returns how many."""
    removed = connection.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < before))
    return removed.rowcount


def clean_up(connection: Connection, before: int, most: int) -> int:
    """Delete keys created before that time, and the oldest ones beyond `most`; returns how many."""
    removed = remove_older(connection, before)
    newest_excess = connection.execute(
        select(idempotency_keys.c.created_at)
        .order_by(idempotency_keys.c.created_at.desc())
        .offset(most)
        .limit(1)
    ).scalar_one_or_none()
    if newest_excess is not None:
        removed += remove_older(connection, newest_excess + 1)
    return removed
