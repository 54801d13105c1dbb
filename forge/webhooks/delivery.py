"""Sends the webhooks in the outbox and retries failed ones, also after a restart."""

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
from ..waiting import wait_at_most
from .signature import headers
from .targets import Targets

# Seconds before the second, third, ... attempt: the schedule of Standard Webhooks. A webhook is given up
# after the last attempt, about 28 hours after the first.
DELAYS = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600)
JITTER = 0.1  # so that retries are spread out after an outage of the receiver
CONCURRENT = 8
LONGEST_SLEEP = 60.0
GONE = 410  # Standard Webhooks: the receiver wants no more webhooks

log = logging.getLogger("avatarforge")


class SendingError(Exception):
    """The receiver could not be reached; the message says why, without the URL."""


class Sender(Protocol):
    async def send(self, url: str, headers: dict[str, str], body: str) -> int:
        """POST the body once; returns the status of the response. Raises SendingError."""


class Deliveries:
    """Delivers the webhooks of the outbox."""

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
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look into the outbox now: it may have a new webhook."""
        self._woken.set()

    async def run(self) -> None:
        """Send webhooks that are due, until cancelled."""
        while True:
            self._woken.clear()
            try:
                sleep = await self._send_due()
            except Exception:  # one bad message must not stop the ones after it
                log.exception("AvatarForge: webhooks could not be sent; trying again soon")
                sleep = LONGEST_SLEEP
            if sleep > 0:
                try:
                    await wait_at_most(self._woken.wait(), sleep)
                except (TimeoutError, asyncio.TimeoutError):
                    continue

    async def _send_due(self) -> float:
        """Send one batch; returns the seconds until the next one is due."""
        due = await self._database.read(partial(queries.due, now=self._database.now(), limit=CONCURRENT))
        await asyncio.gather(*(self._deliver(message) for message in due))
        if due:
            return 0.0
        next_at = await self._database.read(queries.next_at)
        if next_at is None:
            return LONGEST_SLEEP
        return min(LONGEST_SLEEP, max(0.01, (next_at - self._database.now()) / 1e6))

    async def _deliver(self, message: WebhookRecord) -> None:
        refusal = self._targets.refusal(message.url)
        if refusal is not None:  # the settings have changed since it was accepted
            await self._give_up(message, refusal)
            return
        signed = headers(self._key, message.id, self._database.now() // 1_000_000, message.body)
        try:
            status = await self._sender.send(message.url, signed, message.body)
            reason = f"it answered {status}"
        except SendingError as error:
            status, reason = 0, str(error)
        except Exception as error:  # a failed attempt: the message itself may be the reason
            log.exception("AvatarForge: unexpected error while the webhook of %s was sent", _about(message))
            status, reason = 0, summarize_unexpected(error)
        if 200 <= status < 300:
            await self._database.write(partial(queries.remove, webhook_id=message.id))
        elif status == GONE or message.attempts >= len(self._delays):
            await self._give_up(message, reason)
        else:
            delay = self._delays[message.attempts] * random.uniform(1, 1 + JITTER)  # noqa: S311 - no secret
            await self._database.write(
                partial(
                    queries.postpone,
                    webhook_id=message.id,
                    attempts=message.attempts + 1,
                    next_at=self._database.now() + int(delay * 1e6),
                )
            )
            log.info("AvatarForge: the webhook of %s: %s; retry in %.0f s", _about(message), reason, delay)

    async def _give_up(self, message: WebhookRecord, reason: str) -> None:
        log.warning("AvatarForge: the webhook of %s is given up: %s", _about(message), reason)
        await self._database.write(partial(queries.remove, webhook_id=message.id))


def _about(message: WebhookRecord) -> str:
    # Only the host: the rest of a URL may contain a secret.
    return f"{message.generation_id} to {urlsplit(message.url).hostname}"
