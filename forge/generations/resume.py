"""Queues again, after a restart, what was queued or running in an earlier ComfyUI."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord
from ..errors import PromptRefusedError, UnavailableError
from ..graphs.models import with_installed_names
from ..ports import CheckedPrompt, Host
from .completion import RunFinisher
from .failures import GAVE_UP, MAX_ATTEMPTS, NOT_RESUMED

RETRY_SECONDS = 3.0
# How often the queue may refuse a generation, RETRY_SECONDS apart: a minute.
MAX_REFUSALS = 20

log = logging.getLogger("avatarforge")


class Resumption:
    """The generations to resume, in order. The database is read at construction, before new ones can be
    submitted, so everything active is from an earlier ComfyUI.

    `enqueue` puts a validated prompt into ComfyUI's queue; `is_active` returns whether a prompt id is there
    already. `queue_lock` is held while a generation is resumed.
    """

    def __init__(
        self,
        database: Database,
        host: Host,
        finisher: RunFinisher,
        queue_lock: asyncio.Lock,
        *,
        enqueue: Callable[[GenerationRecord, CheckedPrompt], None],
        is_active: Callable[[str], bool],
    ) -> None:
        self._database = database
        self._host = host
        self._finisher = finisher
        self._queue_lock = queue_lock
        self._enqueue = enqueue
        self._is_active = is_active
        self._pending = deque(record.id for record in database.read_here(queries.active))
        self._refusals: Counter[str] = Counter()  # by prompt_id

    def __len__(self) -> int:
        return len(self._pending)

    def append(self, generation_id: str) -> None:
        """Resume this committed generation, too, after all others. `queue_lock` is held."""
        self._pending.append(generation_id)

    async def run(self) -> None:
        """Resume all pending generations."""
        while self._pending:
            try:
                await self._resume_next()
            except Exception:  # it may affect only this one, and must not stop the others
                log.exception("AvatarForge: a generation's state could not be written; trying again soon")
                await asyncio.sleep(RETRY_SECONDS)

    async def _resume_next(self) -> None:
        try_again = False
        async with self._queue_lock:
            record = await self._database.read(partial(queries.get, generation_id=self._pending[0]))
            # It may have been deleted, cancelled, or retried with another prompt since, also as part of a
            # batch: then the dispatcher hands it out.
            if (
                record is not None
                and record.status in queries.ACTIVE
                and record.waiting_place is None
                and not self._is_active(record.prompt_id)
            ):
                try:
                    await self._resume(record)
                except SQLAlchemyError:
                    raise
                except UnavailableError as error:
                    try_again = await self._handle_refusal(record, str(error))
                except Exception:  # whatever is wrong with this one, the others are resumed
                    log.exception("AvatarForge: generation %s could not be resumed", record.id)
                    await self._finisher.give_up(record, NOT_RESUMED)
            generation_id = self._pending.popleft()
            if try_again:
                self._pending.append(generation_id)
        if try_again:
            await asyncio.sleep(RETRY_SECONDS)

    async def _handle_refusal(self, record: GenerationRecord, reason: str) -> bool:
        """Count a refusal by ComfyUI's queue. Returns whether to try again; after the last refusal, the
        generation fails with the reason."""
        self._refusals[record.prompt_id] += 1
        if self._refusals[record.prompt_id] < MAX_REFUSALS:
            return True
        del self._refusals[record.prompt_id]
        await self._finisher.fail(record, f"{NOT_RESUMED} {reason}", NOT_RESUMED)
        return False

    async def _resume(self, record: GenerationRecord) -> None:
        if record.status == "processing":
            if await self._finisher.complete_if_saved(record):
                return
            if record.attempts >= MAX_ATTEMPTS:
                await self._finisher.fail(record, GAVE_UP, GAVE_UP)
                return
        text = await self._database.read(partial(queries.prompt_of, generation_id=record.id))
        try:
            installed = await self._host.installed_models(fresh=False)
            prompt = with_installed_names(json.loads(text or "{}"), installed)
            checked = await self._host.check(record.prompt_id, prompt)
        except PromptRefusedError as error:
            await self._finisher.fail(record, f"{NOT_RESUMED} {error}", NOT_RESUMED)
            return
        await self._update(record, status="queued", started_at=None)
        self._enqueue(replace(record, status="queued", started_at=None), checked)
        del self._refusals[record.prompt_id]
        log.info("AvatarForge: generation %s resumed after a restart", record.id)

    async def _update(self, record: GenerationRecord, **values: Any) -> None:
        update = partial(queries.update_row, generation_id=record.id, only_if=queries.ACTIVE)
        await self._database.write(partial(update, running=record.prompt_id, **values))
