"""Maintenance without a request: a health report at startup, and jobs that run every minute or day."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from .health import HealthService
from .idempotency import Idempotency
from .maintenance.verify import Verifier
from .store.files import FileStore

FIRST_SECONDS = 60.0  # do not slow down ComfyUI's start
DAILY_SECONDS = 86_400.0
RETRY_SECONDS = 60.0

log = logging.getLogger("avatarforge")


async def report_health(health: HealthService) -> None:
    """Log once what does not work."""
    for reason in (await health.measure()).reasons:
        log.warning("AvatarForge: %s", reason)


async def retry_removals(verifier: Verifier, seconds: float = RETRY_SECONDS) -> None:
    """Retry removals that the system refused, every `seconds`."""
    while True:
        await asyncio.sleep(seconds)
        try:
            count = await verifier.retry_removals()
        except (SQLAlchemyError, OSError):
            # `/health` reports a failing disk or database, so do not log it every minute.
            log.debug("AvatarForge: removals could not be retried", exc_info=True)
        else:
            if count:
                log.info("AvatarForge: removed %d leftovers that were refused before", count)


async def clean_up_daily(files: FileStore, days: int, idempotency: Idempotency) -> None:
    """Once a day, remove files without references that were not used for `days`, and old idempotency keys."""
    await asyncio.sleep(FIRST_SECONDS)
    while True:
        try:
            count = await files.clean_up(days)
            await idempotency.clean_up()
        except Exception:  # any failure may be temporary
            log.exception("AvatarForge: the daily clean-up failed; it is retried tomorrow")
        else:
            if count:
                log.info("AvatarForge: removed %d files that were not used for %d days", count, days)
        await asyncio.sleep(DAILY_SECONDS)
