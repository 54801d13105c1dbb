"""Judges the pictures of a completed generation later, with a prompt that loads and judges them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection

from ...db import generations as queries
from ...db.records import GenerationRecord
from ..errors import ConflictError, NotFoundError, UnprocessableError
from ..graphs.judging import choose_judge, compile_judging
from ..ports import Host
from ..spec.tries import JudgingRun
from .inputs import Inputs
from .preparation import PreparedRun
from .rerolls import RerollChangedError
from .transactions import requeue, restore


class JudgePreparer:
    def __init__(self, host: Host, inputs: Inputs) -> None:
        self._host = host
        self._inputs = inputs

    async def prepare(self, record: GenerationRecord, views: Sequence[str] | None) -> PreparedRun:
        """Prepare to judge the current takes of a completed generation: those that show these views, or all.
        The commit raises RerollChangedError if the generation has changed since.

        Raises ConflictError, NotFoundError, UnprocessableError, UnavailableError and PromptRefusedError.
        """
        _require_judgeable(record)
        takes = _choose(record, views)
        # Not the picture that was redrawn: it is no more used.
        await self._inputs.check_present(replace(record.spec, redraw=None))
        judge = choose_judge(await self._host.installed_models())
        prompt = await asyncio.to_thread(compile_judging, record.spec, judge, record.id, takes)
        checked = await self._host.check(str(uuid.uuid4()), prompt)
        commit = partial(
            _begin,
            before=record,
            prompt=to_json(prompt).decode(),
            prompt_id=checked.prompt_id,
            judging=JudgingRun(takes, record.started_at, record.completed_at).to_json(),
        )
        return PreparedRun(checked, commit, partial(restore, before=record))


def _require_judgeable(record: GenerationRecord) -> None:
    if record.is_manual or record.status != "completed" or record.is_rerolling:
        state = "a graph that was queued by hand" if record.is_manual else record.status
        if record.waiting_rerolls:
            state = "waiting for a re-roll"
        raise ConflictError(
            f"Only a completed generation of the API can be judged; this one is {state}.",
            code="generation_not_completed",
        )


def _choose(record: GenerationRecord, views: Sequence[str] | None) -> tuple[tuple[int, int], ...]:
    """(position, take) of the pictures that show these views, or of all."""
    for number, view in enumerate(views or ()):
        if all(output.view != view for output in record.outputs):
            shown = (
                ", ".join(dict.fromkeys(output.view for output in record.outputs if output.view)) or "none"
            )
            raise UnprocessableError(
                f"This generation has no {view} view. It has: {shown}.",
                ("body", "views", number),
                code="view_not_found",
            )
    chosen = [output for output in record.outputs if views is None or output.view in views]
    present = tuple((output.position, output.take) for output in chosen if output.lost_at is None)
    if not present:
        raise NotFoundError(
            "Nothing can be measured: the bytes of the pictures are gone from the disk.", code="file_lost"
        )
    return present


def _begin(connection: Connection, before: GenerationRecord, **values: Any) -> GenerationRecord:
    """Queue a completed generation with a prompt that only judges."""
    if queries.get(connection, before.id) != before:
        raise RerollChangedError
    return requeue(connection, before, "Another judgement of this generation has just begun.", **values)
