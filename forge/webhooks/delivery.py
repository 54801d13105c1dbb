"""Sends what lies in the outbox, again and again where it fails, also after a restart."""

from __future__ import annotations

import asyncio
import logging
import random
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from ...db import webhooks as queries
from ...db.engine import Database
from ...db.records import WebhookRecord
from ..error_text import summarize_unexpected
from .signature import headers
from .targets import Targets

# Seconds before the second, third, ... attempt; the schedule that Standard Webhooks describes. After the
# last one it is given up, some 28 hours after the first.
DELAYS = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600)
SPREAD = 0.1  # so that not all come back at once after an outage of the receiver
AT_ONCE = 8
LONGEST_SLEEP = 60.0
GONE = 410  # Standard Webhooks: the receiver wants no more of them

log = logging.getLogger("avatarforge")


class SendingError(Exception):
    """The receiver could not be reached; the message says why, without the URL."""


class Sender(Protocol):
    async def send(self, url: str, headers: dict[str, str], body: str) -> int:
        """POST the body once; the status of the answer. Raises SendingError."""


class Deliveries:
    def __init__(
        self,
        database: Database,
        sender: Sender,
        targets: Targets,
        key: bytes,
        delays: tuple[float, ...] = DELAYS,
    ) -> None:
        self._database = database
        self._sender = sender
        self._targets = targets
        self._key = key
        self._delays = delays
        self._more = asyncio.Event()

    def wake(self) -> None:
        """Something may lie in the outbox now."""
        self._more.set()

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        while True:
            self._more.clear()
            try:
                sleep = await self._round()
            except Exception:
                # One message must not stop all that come after it.
                log.exception("AvatarForge: webhooks could not be sent; trying again soon")
                sleep = LONGEST_SLEEP
            if sleep > 0:
                try:
                    await asyncio.wait_for(self._more.wait(), sleep)
                except (TimeoutError, asyncio.TimeoutError):
                    continue

    async def _round(self) -> float:
        """Seconds until something is due."""
        due = await self._database.read(partial(queries.due, now=self._database.now(), limit=AT_ONCE))
        await asyncio.gather(*(self._deliver(message) for message in due))
        if due:
            return 0.0
        next_at = await self._database.read(queries.next_at)
        if next_at is None:
            return LONGEST_SLEEP
        return min(LONGEST_SLEEP, max(0.01, (next_at - self._database.now()) / 1e6))

    async def _deliver(self, message: WebhookRecord) -> None:
        refusal = self._targets.refusal(message.url)
        if refusal is not None:  # the settings have changed since
            await self._give_up(message, refusal)
            return
        signed = headers(self._key, message.id, self._database.now() // 1_000_000, message.body)
        try:
            status = await self._sender.send(message.url, signed, message.body)
            reason = f"it answered {status}"
        except SendingError as error:
            status, reason = 0, str(error)
        except Exception as error:
            # Tried again as often as any other, and no oftener: it may be this message that cannot be sent.
            log.exception("AvatarForge: unexpected error while the webhook of %s was sent", _about(message))
            status, reason = 0, summarize_unexpected(error)
        if 200 <= status < 300:
            await self._database.write(partial(queries.remove, webhook_id=message.id))
        elif status == GONE or message.attempts >= len(self._delays):
            await self._give_up(message, reason)
        else:
            delay = self._delays[message.attempts] * random.uniform(1, 1 + SPREAD)  # noqa: S311 - no secret
            await self._database.write(
                partial(
                    queries.postpone,
                    webhook_id=message.id,
                    attempts=message.attempts + 1,
                    next_at=self._database.now() + int(delay * 1e6),
                )
            )
            log.info("AvatarForge: the webhook of %s: %s; again in %.0f s", _about(message), reason, delay)

    async def _give_up(self, message: WebhookRecord, reason: str) -> None:
        log.warning("AvatarForge: the webhook of %s is given up: %s", _about(message), reason)
        await self._database.write(partial(queries.remove, webhook_id=message.id))


def _about(message: WebhookRecord) -> str:
    # The rest of a URL may hold a secret.
    return f"generation {message.generation_id} to {urlsplit(message.url).hostname}"
