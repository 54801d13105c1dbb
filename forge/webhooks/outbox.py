"""The outbox: webhooks that are committed together with the end of their generation or batch, and sent
later."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable

from sqlalchemy import Connection

from ...db import batches as batch_queries
from ...db import webhooks as queries
from ...db.records import BatchSummary, GenerationRecord, WebhookRecord

MOST = 10_000  # webhooks in the outbox

log = logging.getLogger("avatarforge")


class Outbox:
    """Adds webhooks. `render` returns the JSON body for a generation or a batch that has ended."""

    def __init__(self, render: Callable[[GenerationRecord | BatchSummary], str]) -> None:
        self._render = render

    def add(self, connection: Connection, record: GenerationRecord, now: int) -> None:
        """Add the webhook of a generation, if it has a callback URL. Call it in the transaction that writes
        the end, with the record as updated there. `now` in microseconds."""
        if record.callback_url is not None:
            self._add(connection, record.id, record.callback_url, record, now)

    def end_batch(self, connection: Connection, batch_id: str | None, now: int) -> None:
        """Note the end of a batch if all its generations have ended, and add its webhook, if it has a
        callback URL. Call it in each transaction that ends or deletes one of its generations. None: no
        batch."""
        ended = batch_queries.end(connection, batch_id, now) if batch_id is not None else None
        if ended is not None and ended.callback_url is not None:
            counts = batch_queries.counts(connection, [ended.id])[ended.id]
            self._add(connection, ended.id, ended.callback_url, BatchSummary(ended, counts), now)

    def _add(
        self,
        connection: Connection,
        subject_id: str,
        url: str,
        subject: GenerationRecord | BatchSummary,
        now: int,
    ) -> None:
        if queries.count(connection) >= MOST:
            log.warning("AvatarForge: %d webhooks wait to be sent; that of %s is left out", MOST, subject_id)
            return
        message = WebhookRecord(
            id=f"msg_{uuid.uuid4().hex}",
            generation_id=subject_id,
            url=url,
            body=self._render(subject),
            attempts=0,
            created_at=now,
            next_at=now,
        )
        queries.add(connection, message)
