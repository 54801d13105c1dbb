"""Where a saving node writes, and how a graph that somebody queued by hand becomes a generation.

Called by nodes in ComfyUI's worker thread: everything here blocks.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord, OutputRecord
from ..errors import NotFoundError
from ..ids import canonical_id, is_id
from ..spec.avatar import MANUAL_KIND, NO_SPEC
from ..spec.receipt import Receipt
from .outputs import OutputFolder


class GenerationRecorder:
    """`is_deleted` says whether a prompt still runs although its generation was deleted; `begin` writes down
    that one of ours was started."""

    def __init__(
        self,
        database: Database,
        outputs: OutputFolder,
        is_deleted: Callable[[str], bool],
        begin: Callable[[str], None],
    ) -> None:
        self._database = database
        self._outputs = outputs
        self._is_deleted = is_deleted
        self._begin = begin

    def record_start(self, prompt_id: str) -> None:
        """Write down that ComfyUI has started this prompt, if it is a generation's.

        Committed before any node of it runs: a prompt that takes ComfyUI down with it must be found to
        have been the one that ran, and those that wait behind it must not.
        """
        self._begin(prompt_id)

    def claim(self, generation_id: str, prompt_id: str) -> str:
        """The id under which this prompt may save.

        Its own generation's, when it is the prompt that AvatarForge queued for it. Any other graph,
        such as one opened from a picture and queued by hand, gets one of its own: it must not write
        over the pictures of the generation that its nodes still name. Raises NotFoundError for the
        prompt of a generation that was deleted: it must not come back as one of its own.
        """
        record = self._find(generation_id)
        # Asked after the look: a delete says so before its row goes.
        if self._is_deleted(prompt_id):
            raise NotFoundError(
                f"Generation {generation_id} was deleted, so nothing is saved.", code="generation_not_found"
            )
        if record is not None and record.prompt_id == prompt_id:
            return record.id
        claimed = canonical_id(prompt_id)
        other = self._find(claimed)
        # ComfyUI tells prompts apart by case: the id of a generation in capitals is another prompt's.
        free = other is None or other.prompt_id == prompt_id
        return claimed if is_id(prompt_id) and free else str(uuid.uuid4())

    def write(self, generation_id: str, position: int, write: Callable[[BinaryIO], object]) -> str:
        """Save a picture under the id that `claim` gave; give back its filename. `position` counts from 0.
        Raises StorageFullError or UnavailableError."""
        return self._outputs.write(generation_id, position, write).name

    def saved(self, generation_id: str, prompt_id: str, prompt: str, position: int) -> None:
        """Write down a picture of a graph queued by hand. Ours are followed by their events."""
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

    def saved_at(self, generation_id: str, position: int) -> int:
        """When the picture's file was written, in nanoseconds; 0 where there is none."""
        if not is_id(generation_id):
            return 0
        try:
            return self._outputs.file(canonical_id(generation_id), position).stat().st_mtime_ns
        except OSError:
            return 0

    def picture(self, generation_id: str, position: int) -> Path:
        """The file of a saved picture; `position` counts from 0. Raises NotFoundError."""
        record = self._find(generation_id)
        if record is None or position not in {output.position for output in record.outputs}:
            raise NotFoundError(
                f"Generation {generation_id} has no picture {position + 1}.", code="output_not_found"
            )
        return self._outputs.file(record.id, position)

    def _find(self, generation_id: str) -> GenerationRecord | None:
        return self._database.read_here(partial(queries.get, generation_id=canonical_id(generation_id)))


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
