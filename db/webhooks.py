"""Queries on the outbox of webhooks. Each takes the connection first."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select, update

from .records import WebhookRecord
from .tables import webhooks


def add(connection: Connection, record: WebhookRecord) -> None:
    connection.execute(insert(webhooks).values(**vars(record)))


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(webhooks)).scalar_one()


def due(connection: Connection, now: int, limit: int) -> list[WebhookRecord]:
    """Webhooks that are due at `now` (microseconds since 1970), the longest waiting first."""
    rows = connection.execute(
        select(webhooks).where(webhooks.c.next_at <= now).order_by(webhooks.c.next_at).limit(limit)
    )
    return [WebhookRecord(**row._mapping) for row in rows]


def next_at(connection: Connection) -> int | None:
    """When the next webhook is due; None if there is none."""
    time: int | None = connection.execute(select(func.min(webhooks.c.next_at))).scalar_one()
    return time


def postpone(connection: Connection, webhook_id: str, attempts: int, next_at: int) -> None:
    connection.execute(
        update(webhooks).where(webhooks.c.id == webhook_id).values(attempts=attempts, next_at=next_at)
    )


def remove(connection: Connection, webhook_id: str) -> None:
    connection.execute(delete(webhooks).where(webhooks.c.id == webhook_id))
