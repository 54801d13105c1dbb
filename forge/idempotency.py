"""Idempotency keys: a request that is sent twice runs once (IETF draft "The Idempotency-Key HTTP Header
Field").

The key is committed in the same transaction as what the request creates, so neither exists without the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from ..db import idempotency as queries
from ..db.clock import DAY
from ..db.engine import Database, Query
from ..db.records import IdempotencyRecord
from .errors import ConflictError, UnprocessableError

KEPT = DAY
LONGEST = 255  # characters
MOST = 100_000  # keys kept

IN_PROGRESS = (
    "The first request with this Idempotency-Key is still being worked on. Send it again in a moment."
)
OTHER_REQUEST = (
    "This Idempotency-Key was used for another request. Use a new one for each new request, and the same one "
    "only to repeat a request."
)


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


#: What a request made or changed: a generation or a batch.
Made = TypeVar("Made", bound=_HasId)


@dataclass(frozen=True)
class Claim:
    """A key and the hash of its request. Call `commit` in the transaction that carries out the request, and
    `withdraw` in the one that undoes it."""

    key: str
    request_hash: str

    def commit(self, connection: Connection, made_id: str, now: int) -> None:
        """`made_id` is the generation or batch that the request makes or changes."""
        queries.remove_older(connection, now - KEPT)
        if queries.get(connection, self.key) is not None:
            # The client of the first request disconnected, but the request was carried out.
            raise ConflictError(IN_PROGRESS, code="idempotency_key_in_use")
        queries.add(connection, IdempotencyRecord(self.key, self.request_hash, made_id, None, now))

    def withdraw(self, connection: Connection) -> None:
        queries.remove(connection, self.key)


def with_claim(query: Query[Made], claim: Claim | None, now: int) -> Query[Made]:
    """The query that writes a request's generation or batch and, in the same transaction, its key. `now` in
    microseconds."""
    if claim is None:
        return query

    def both(connection: Connection) -> Made:
        record = query(connection)
        claim.commit(connection, record.id, now)
        return record

    return both


def without_claim(query: Query[object], claim: Claim | None) -> Query[object]:
    """The query that undoes a request and, in the same transaction, removes its key."""
    if claim is None:
        return query

    def both(connection: Connection) -> object:
        claim.withdraw(connection)
        return query(connection)

    return both


class Idempotency:
    """The idempotency keys: those of requests in progress, and those in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: set[str] = set()

    @contextmanager
    def one_at_a_time(self, key: str) -> Iterator[None]:
        """Raises ConflictError while another request with this key is in progress."""
        if key in self._open:
            raise ConflictError(IN_PROGRESS, code="idempotency_key_in_use")
        self._open.add(key)
        try:
            yield
        finally:
            self._open.discard(key)

    async def answered_before(self, claim: Claim) -> IdempotencyRecord | None:
        """The record of an earlier request with this key; None if there is none. Raises ConflictError if its
        content was different."""
        record = await self._database.read(partial(queries.get, key=claim.key))
        if record is None or record.created_at < self._database.now() - KEPT:
            return None
        if record.request_hash != claim.request_hash:
            raise ConflictError(OTHER_REQUEST, code="idempotency_key_reused")
        return record

    async def answered(self, claim: Claim, answer: str) -> None:
        """Store the answer for repeated requests."""
        await self._database.write(partial(queries.set_answer, key=claim.key, answer=answer))

    async def clean_up(self) -> int:
        """Remove keys that are too old or too many; returns how many."""
        before = self._database.now() - KEPT
        return await self._database.write(partial(queries.clean_up, before=before, most=MOST))


def require_key(key: str) -> str:
    """The key. Raises UnprocessableError if it is invalid."""
    if 1 <= len(key) <= LONGEST and key.isascii() and key.isprintable():
        return key
    raise UnprocessableError(
        f"An Idempotency-Key is 1 to {LONGEST} printable ASCII characters, such as a UUID.",
        ("header", "Idempotency-Key"),
    )


def request_hash(route: str, query: str, body: str) -> str:
    """SHA-256 of everything that makes two requests equal. Blocks: a body may contain whole pictures."""
    digest = hashlib.sha256()
    for part in (route, query, body):
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()
