"""Saves pictures for nodes, and records a graph that was queued by hand as a generation.

Everything here blocks: nodes call it in ComfyUI's worker thread.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from ...db import generations as queries
from ...db import scores as score_queries
from ...db import takes as take_queries
from ...db.engine import Database
from ...db.records import GenerationRecord, OutputRecord
from ..errors import NotFoundError
from ..ids import canonical_id, is_id
from ..spec.avatar import MANUAL_KIND, NO_SPEC
from ..spec.receipt import Receipt
from ..spec.scores import PictureScores
from .outputs import OutputFolder


class GenerationRecorder:
    """`is_deleted` returns whether a prompt belongs to a deleted generation; `record_start` writes to the
    database that a generation's prompt has started."""

    def __init__(
        self,
        database: Database,
        outputs: OutputFolder,
        is_deleted: Callable[[str], bool],
        record_start: Callable[[str], None],
    ) -> None:
        self._database = database
        self._outputs = outputs
        self._is_deleted = is_deleted
        self._record_start = record_start

    def record_start(self, prompt_id: str) -> None:
        """Record that ComfyUI has started this prompt, if it is a generation's.

        This is committed before any node of the prompt runs: if it crashes ComfyUI, the attempt counts for
        this prompt, and not for those that waited behind it.
        """
        self._record_start(prompt_id)

    def claim(self, generation_id: str, prompt_id: str) -> str:
        """The generation id under which this prompt may save.

        That is `generation_id` if AvatarForge queued the prompt for it. Any other graph, such as one opened
        from a picture and queued by hand, gets an id of its own, so that it cannot overwrite the pictures of
        the generation that its nodes name. Raises NotFoundError for the prompt of a deleted generation, which
        must not become a new one.
        """
        record = self._find(generation_id)
        # Checked after the row is read, because a delete marks the prompt before it removes the row.
        if self._is_deleted(prompt_id):
            raise NotFoundError(
                f"Generation {generation_id} was deleted, so nothing is saved.", code="generation_not_found"
            )
        if record is not None and record.prompt_id == prompt_id:
            return record.id
        own_id = canonical_id(prompt_id)
        existing = self._find(own_id)
        # ComfyUI's prompt ids are case-sensitive: a generation's id in capitals is that of another prompt.
        is_free = existing is None or existing.prompt_id == prompt_id
        return own_id if is_id(prompt_id) and is_free else str(uuid.uuid4())

    def take_of(self, generation_id: str, position: int, prompt_id: str) -> int:
        """As which take of a picture this prompt saves it: a re-roll adds one, and any other prompt makes the
        first. `generation_id` is from `claim`, and `position` counts from 0."""
        record = self._find(generation_id)
        reroll = record.reroll if record is not None and record.prompt_id == prompt_id else None
        return reroll.take if reroll is not None and reroll.position == position else 1

    def write(
        self, generation_id: str, position: int, write: Callable[[BinaryIO], object], take: int = 1
    ) -> str:
        """Save a picture under an id from `claim`; returns its filename. `position` counts from 0. Raises
        StorageFullError or UnavailableError."""
        return self._outputs.write(generation_id, position, write, take).name

    def saved(self, generation_id: str, prompt_id: str, prompt: str, position: int) -> None:
        """Record a picture of a graph queued by hand. The tracker records those of all other prompts."""
        record = self._find(generation_id)
        if (record is not None and not record.is_manual) or self._is_deleted(prompt_id):
            return
        picture = self._outputs.measure(generation_id, position, view=None)
        self._database.write_here(
            partial(
                _record_manual,
                picture=picture,
                prompt_id=prompt_id,
                prompt=prompt,
                now=self._database.now(),
            )
        )

    def judged(self, generation_id: str, position: int, prompt_id: str, scores: PictureScores) -> None:
        """Write the scores of a picture that this prompt has saved, or was made to judge. Those of any other
        picture, such as in a graph that was opened and changed, are written nowhere."""
        record = self._find(generation_id)
        if record is None or record.prompt_id != prompt_id:
            record = self._find(prompt_id)
            if record is None or record.prompt_id != prompt_id:
                return
        take: int | None = self.take_of(record.id, position, prompt_id)
        if record.judging is not None:
            take = record.judging.take_of(position)
        if take is None or self._is_deleted(prompt_id):
            return
        self._database.write_here(
            partial(_record_scores, record=record, position=position, take=take, scores=scores.to_json())
        )

    def fingerprint(self, generation_id: str, position: int, prompt_id: str) -> str:
        """A text that changes when the file that this prompt would write is another one, or was written
        since."""
        if not is_id(generation_id):
            return ""
        take = self.take_of(generation_id, position, prompt_id)
        file = self._outputs.file(canonical_id(generation_id), position, take)
        try:
            return f"{file.name} {file.stat().st_mtime_ns}"
        except OSError:
            return file.name

    def picture(self, generation_id: str, position: int, take: int | None = None) -> Path:
        """The file of a take of a saved picture, by default of the current one; `position` counts from 0.
        Raises NotFoundError."""
        record = self._find(generation_id)
        current = record.output_at(position) if record is not None else None
        if current is not None and take is not None and take != current.take:
            find = partial(
                take_queries.get, generation_id=current.generation_id, position=position, take=take
            )
            found = self._database.read_here(find)
            current = found.picture if found is not None else None
        if current is None:
            raise NotFoundError(
                f"Generation {generation_id} has no picture {position + 1}.", code="output_not_found"
            )
        return self._outputs.file_of(current)

    def _find(self, generation_id: str) -> GenerationRecord | None:
        return self._database.read_here(partial(queries.get, generation_id=canonical_id(generation_id)))


def _record_scores(
    connection: Connection, record: GenerationRecord, position: int, take: int, scores: str
) -> None:
    if queries.get(connection, record.id) is not None:  # it may have been deleted meanwhile
        score_queries.put(connection, record.id, position, take, scores)


def _record_manual(
    connection: Connection, picture: OutputRecord, prompt_id: str, prompt: str, now: int
) -> None:
    if queries.get(connection, picture.generation_id) is None:
        values = {
            "id": picture.generation_id,
            "kind": MANUAL_KIND,
            "status": "completed",
            "prompt_id": prompt_id,
            "spec": NO_SPEC,
            "receipt": Receipt().to_json(),
            "attempts": 1,
            "error": None,
            "created_at": now,
            "started_at": now,
            "completed_at": now,
            "reroll": None,
        }
        queries.add(connection, values, prompt, {})
    else:
        queries.update_row(connection, picture.generation_id, ["completed"], completed_at=now)
    queries.set_output(connection, picture)
