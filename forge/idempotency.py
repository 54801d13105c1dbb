"""A request that is sent twice is done once (the IETF's draft "The Idempotency-Key HTTP Header Field").

The key is committed with what the request made, so that neither can be there without the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from ..db import idempotency as queries
from ..db.clock import DAY
from ..db.engine import Database, Query
from ..db.records import GenerationRecord, IdempotencyRecord
from .errors import ConflictError, UnprocessableError

KEPT = DAY
LONGEST = 255
MOST = 100_000

IN_PROGRESS = (
    "The first request with this Idempotency-Key is still being worked on. Send it again in a moment."
)
OTHER_REQUEST = (
    "This Idempotency-Key was used for another request. Use a new one for each new request, and the same one "
    "only to repeat a request."
)


@dataclass(frozen=True)
class Claim:
    """A key and the request that it was sent with. `commit` belongs into the transaction that does what is
    asked, `withdraw` into the one that takes it back."""

    key: str
    request_hash: str

    def commit(self, connection: Connection, generation_id: str, now: int) -> None:
        queries.remove_older(connection, now - KEPT)
        if queries.get(connection, self.key) is not None:
            # Its client has left, and what it asked for was done nevertheless.
            raise ConflictError(IN_PROGRESS, code="idempotency_key_in_use")
        queries.add(connection, IdempotencyRecord(self.key, self.request_hash, generation_id, None, now))

    def withdraw(self, connection: Connection) -> None:
        queries.remove(connection, self.key)


def with_claim(query: Query[GenerationRecord], claim: Claim | None, now: int) -> Query[GenerationRecord]:
    """The writing query of a request, together with its key, which is dated `now` (microseconds)."""
    if claim is None:
        return query

    def both(connection: Connection) -> GenerationRecord:
        record = query(connection)
        claim.commit(connection, record.id, now)
        return record

    return both


def without_claim(query: Query[object], claim: Claim | None) -> Query[object]:
    """The query that takes a request back, together with its key."""
    if claim is None:
        return query

    def both(connection: Connection) -> object:
        claim.withdraw(connection)
        return query(connection)

    return both


class Idempotency:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: set[str] = set()

    @contextmanager
    def one_at_a_time(self, key: str) -> Iterator[None]:
        """Raises ConflictError while another request with this key is being worked on."""
        if key in self._open:
            raise ConflictError(IN_PROGRESS, code="idempotency_key_in_use")
        self._open.add(key)
        try:
            yield
        finally:
            self._open.discard(key)

    async def answered_before(self, claim: Claim) -> IdempotencyRecord | None:
        """What the first request with this key made. Raises ConflictError if that was another request."""
        found = await self._database.read(partial(queries.get, key=claim.key))
        if found is None or found.created_at < self._database.now() - KEPT:
            return None
        if found.request_hash != claim.request_hash:
            raise ConflictError(OTHER_REQUEST, code="idempotency_key_reused")
        return found

    async def answered(self, claim: Claim, answer: str) -> None:
        """Keep the answer, for those that ask again."""
        await self._database.write(partial(queries.set_answer, key=claim.key, answer=answer))

    async def clean_up(self) -> int:
        """Remove keys that are too old or too many; say how many."""
        return await self._database.write(
            partial(queries.clean_up, before=self._database.now() - KEPT, most=MOST)
        )


def require_key(key: str) -> str:
    """Raises UnprocessableError for what is no key."""
    if 1 <= len(key) <= LONGEST and key.isascii() and key.isprintable():
        return key
    raise UnprocessableError(
        f"An Idempotency-Key is 1 to {LONGEST} printable ASCII characters, such as a UUID.",
        ("header", "Idempotency-Key"),
    )


def request_hash(route: str, query: str, body: str) -> str:
    """SHA-256 of what makes two requests the same. Blocks: a body may hold whole pictures."""
    digest = hashlib.sha256()
    for part in (route, query, body):
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()
