"""Work that nobody asks for: a look at the start, and what comes back every minute or every day."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from .health import HealthService
from .idempotency import Idempotency
from .maintenance.verify import Verifier
from .store.files import FileStore

FIRST_SECONDS = 60.0  # leave a starting ComfyUI alone
DAILY_SECONDS = 86_400.0
RETRY_SECONDS = 60.0

log = logging.getLogger("avatarforge")


async def report_health(health: HealthService) -> None:
    """Say in the log, once, what does not work."""
    for reason in (await health.measure()).reasons:
        log.warning("AvatarForge: %s", reason)


async def retry_removals(verifier: Verifier, seconds: float = RETRY_SECONDS) -> None:
    """Every `seconds`, try again to remove what the system would not let go of."""
    while True:
        await asyncio.sleep(seconds)
        try:
            count = await verifier.retry_removals()
        except (SQLAlchemyError, OSError):
            # `/health` tells of a disk or database that fails; this need not repeat it every minute.
            log.debug("AvatarForge: removals could not be tried again", exc_info=True)
        else:
            if count:
                log.info("AvatarForge: removed %d leftovers that were refused before", count)


async def clean_up_daily(files: FileStore, days: int, idempotency: Idempotency) -> None:
    """Once a day, remove files that nobody refers to and nobody used for `days`, and old idempotency keys."""
    await asyncio.sleep(FIRST_SECONDS)
    while True:
        try:
            count = await files.clean_up(days)
            await idempotency.clean_up()
        except Exception:
            # Whatever it was, tomorrow's may work.
            log.exception("AvatarForge: the daily clean-up failed; it is tried again tomorrow")
        else:
            if count:
                log.info("AvatarForge: removed %d files that nobody used for %d days", count, days)
        await asyncio.sleep(DAILY_SECONDS)
