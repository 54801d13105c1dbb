"""What is to be told when a generation ends, committed with that end."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable

from sqlalchemy import Connection

from ...db import webhooks as queries
from ...db.records import GenerationRecord, WebhookRecord

MOST = 10_000

log = logging.getLogger("avatarforge")


class Outbox:
    """`words` makes the JSON of the message of a generation that has ended."""

    def __init__(self, words: Callable[[GenerationRecord], str]) -> None:
        self._words = words

    def add(self, connection: Connection, record: GenerationRecord, now: int) -> None:
        """Call it in the transaction that writes the end, with what it made of the row."""
        if record.callback_url is None:
            return
        if queries.count(connection) >= MOST:
            log.warning("AvatarForge: %d webhooks wait to be sent; that of %s is left out", MOST, record.id)
            return
        message = WebhookRecord(
            id=f"msg_{uuid.uuid4().hex}",
            generation_id=record.id,
            url=record.callback_url,
            body=self._words(record),
            attempts=0,
            created_at=now,
            next_at=now,
        )
        queries.add(connection, message)
