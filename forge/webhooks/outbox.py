"""The outbox: webhooks that are committed together with the end of their generation, and sent later."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable

from sqlalchemy import Connection

from ...db import webhooks as queries
from ...db.records import GenerationRecord, WebhookRecord

MOST = 10_000  # webhooks in the outbox

log = logging.getLogger("avatarforge")


class Outbox:
    """Adds webhooks. `render` returns the JSON body for a generation that has ended."""

    def __init__(self, render: Callable[[GenerationRecord], str]) -> None:
        self._render = render

    def add(self, connection: Connection, record: GenerationRecord, now: int) -> None:
        """Add the webhook of a generation, if it has a callback URL. Call it in the transaction that writes
        the end, with the record as updated there. `now` in microseconds."""
        if record.callback_url is None:
            return
        if queries.count(connection) >= MOST:
            log.warning("AvatarForge: %d webhooks wait to be sent; that of %s is left out", MOST, record.id)
            return
        message = WebhookRecord(
            id=f"msg_{uuid.uuid4().hex}",
            generation_id=record.id,
            url=record.callback_url,
            body=self._render(record),
            attempts=0,
            created_at=now,
            next_at=now,
        )
        queries.add(connection, message)
