"""Generations as users know them: submit, look, list, delete."""

from __future__ import annotations

import json
import logging
import secrets
import uuid
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ...db import files as file_queries
from ...db import generations as queries
from ...db.engine import Database
from ...db.records import FileRecord, GenerationRecord, OutputRecord
from .. import clock
from ..errors import ConflictError, NotFoundError, UnprocessableError
from ..graphs.compile import CompiledPrompt, compile_prompt, compile_reroll
from ..pictures.skeleton import BoneStyle
from ..ports import Host
from ..settings import Settings
from ..store.files import FileStore, unknown_file
from ..store.poses import require_picture
from ..workers import Workers
from .decide import AvatarRequest, GivenPose, decide
from .outputs import OutputFolder, note_of_outputs
from .recorder import BY_HAND
from .reroll import Reroll
from .spec import AvatarSpec, Kind
from .tracker import GenerationTracker

__all__ = ["AvatarRequest", "GenerationRecord", "GenerationService", "OutputRecord", "Page"]

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class Page:
    total: int
    records: list[GenerationRecord]
    next_cursor: str | None


class GenerationService:
    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        files: FileStore,
        host: Host,
        workers: Workers,
        outputs: OutputFolder,
        tracker: GenerationTracker,
    ) -> None:
        self._settings = settings
        self._database = database
        self._files = files
        self._host = host
        self._workers = workers
        self._outputs = outputs
        self._tracker = tracker

    async def submit(
        self, request: AvatarRequest, kind: Kind, views: tuple[str, ...] | None
    ) -> GenerationRecord:
        """Accept a request: once this returns, it is committed and stands in ComfyUI's queue.

        `views` None asks for one picture, of the pose image's view, else of the front. Raises the
        errors of `forge.errors`; then no trace of the request is left.
        """
        async with AsyncExitStack() as undo:
            pose = await self._image(request.pose_file_id, request.pose_image, "pose", undo)
            reference = await self._image(
                request.reference_file_id, request.reference_image, "reference", undo
            )
            installed = await self._host.installed_models()
            given = await self._recognise(pose) if pose else None
            decision = decide(request, views, given, reference, installed, self._settings)
            spec = await self._fit(decision.spec, request.turnaround)
            generation_id = str(uuid.uuid4())
            compiled = compile_prompt(spec, generation_id)
            checked = await self._host.check(generation_id, compiled.prompt)
            receipt = {
                "inputs": _lines(compiled, generation_id),
                "warnings": [*decision.warnings, *compiled.warnings],
            }
            record = await self._database.write(
                partial(
                    _commit,
                    generation_id=generation_id,
                    kind=kind,
                    spec=spec,
                    prompt=json.dumps(compiled.prompt, separators=(",", ":")),
                    receipt=json.dumps(receipt, separators=(",", ":")),
                )
            )
            undo.pop_all()
        self._tracker.follow(record)
        self._host.enqueue(checked)
        log.info("AvatarForge: generation %s (%s, pictures: %d) accepted", record.id, kind, len(spec.views))
        return record

    async def reroll(self, generation_id: str, view: str, seed: int | None) -> GenerationRecord:
        """Make one view anew and keep the others. Raises NotFoundError, ConflictError,
        UnprocessableError, PromptRefusedError."""
        record = await self.get(generation_id)
        if record.status != "completed" or record.kind == BY_HAND:
            state = "a graph that was queued by hand" if record.kind == BY_HAND else record.status
            raise ConflictError(
                f"Only a completed generation of the API can be re-rolled; this one is {state}."
            )
        spec = AvatarSpec.from_json(record.spec)
        if view not in spec.views:
            has = ", ".join(filter(None, spec.views)) or "none"
            raise UnprocessableError(f"This generation has no {view} view. It has: {has}.", ("query", "pose"))
        await self._check_inputs(spec)
        chosen = secrets.randbits(53) if seed is None else seed
        position = spec.views.index(view)
        planned = replace(spec, reseeded={**spec.reseeded, view: chosen})
        compiled = compile_reroll(planned, generation_id, position)
        checked = await self._host.check(str(uuid.uuid4()), compiled.prompt)
        again = partial(
            queries.begin_again,
            generation_id=generation_id,
            prompt=json.dumps(compiled.prompt, separators=(",", ":")),
            prompt_id=checked.prompt_id,
            reroll=Reroll(position, view, chosen, tuple(_lines(compiled, checked.prompt_id))).to_json(),
            status="queued",
            attempts=1,
        )
        if not await self._database.write(again):
            raise ConflictError("Another re-roll of this generation has just begun. Wait for it.")
        record = await self.get(generation_id)
        self._tracker.follow(record)
        self._host.enqueue(checked)
        log.info("AvatarForge: generation %s makes its %s view anew", generation_id, view)
        return record

    async def get(self, generation_id: str) -> GenerationRecord:
        record = await self._database.read(partial(queries.get, generation_id=generation_id))
        if record is None:
            raise unknown_generation(generation_id)
        return record

    async def page(self, *, status: str | None, limit: int, offset: int, cursor: str | None) -> Page:
        """Newest first. `cursor` is the `next_cursor` of the page before."""
        before = _read_cursor(cursor)
        total, records = await self._database.read(
            partial(queries.page, status=status, limit=limit + 1, offset=offset, before=before)
        )
        more = len(records) > limit
        records = records[:limit]
        return Page(total, records, str(records[-1].sequence) if more else None)

    async def delete(self, generation_id: str, *, keep_outputs: bool) -> None:
        """Remove it: cancelled first when it still runs, its pictures with it, its files released."""
        record = await self.get(generation_id)
        note = note_of_outputs(generation_id)
        await self._files.release(
            partial(_remove, generation_id=generation_id), noting=() if keep_outputs else (note,)
        )
        if record.status in queries.ACTIVE:
            self._tracker.discard(record)
        if not keep_outputs:
            await self._workers.disk(self._outputs.remove, generation_id)
        if record.prompt_id not in self._host.queue_state().running:
            # One that still runs may write pictures yet: its note stays for the next start.
            await self._files.settle(note)
        log.info("AvatarForge: generation %s deleted", generation_id)

    async def output(self, generation_id: str, filename: str) -> tuple[OutputRecord, Path]:
        """One picture of a finished generation. Raises NotFoundError."""
        record = await self._database.read(
            partial(queries.output, generation_id=generation_id, filename=filename)
        )
        if record is None:
            raise NotFoundError(f"Generation {generation_id} has no picture of that name.")
        return record, self._outputs.of(generation_id) / record.filename

    async def _image(
        self, file_id: str | None, text: str | None, role: str, undo: AsyncExitStack
    ) -> FileRecord | None:
        pictures_only = role == "reference"
        if file_id is not None and text is not None:
            raise UnprocessableError(
                f"Give {role}_file_id or {role}_image, not both.", ("body", f"{role}_image")
            )
        if file_id is not None:
            record = await self._files.get(file_id)
            if pictures_only:
                require_picture(record, "reference_file_id")
            return record
        if text is None:
            return None
        received = await self._files.receive_base64(text, f"{role}.png", pictures_only=pictures_only)
        undo.push_async_callback(self._files.forget, received)
        return received.file

    async def _recognise(self, record: FileRecord) -> GivenPose:
        kept = {}
        for style in BoneStyle:
            found = await self._files.extracted_pose(record.content_hash, style.value)
            if found is not None:
                kept[style.value] = found.id
        return GivenPose(record, await self._files.pose_kind(record), kept)

    async def _fit(self, spec: AvatarSpec, asked: str | None) -> AvatarSpec:
        """Several views run as one batch where the card has room for it, unless told otherwise."""
        if len(spec.views) == 1 or asked in ("batch", "sequential"):
            return spec
        fits = await self._host.batch_fits(spec.checkpoint, spec.width, spec.height, len(spec.views))
        return spec if fits else replace(spec, turnaround="sequential")

    async def _check_inputs(self, spec: AvatarSpec) -> None:
        """A picture that was deleted by force since cannot be applied again."""
        for file_id in _used(spec).values():
            if await self._database.read(partial(file_queries.get_any, file_id=file_id)) is None:
                raise ConflictError(
                    f"This generation uses file {file_id}, which was deleted. Upload it again."
                )


def unknown_generation(generation_id: str) -> NotFoundError:
    return NotFoundError(f"No generation {generation_id} exists.")


def _read_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise UnprocessableError("cursor must be the next_cursor of an earlier page.", ("query", "cursor"))
    return int(cursor)


def _lines(compiled: CompiledPrompt, prompt_id: str) -> list[dict[str, Any]]:
    """The receipt: each line names a node, and a node has its meaning in one prompt."""
    return [{**asdict(line), "prompt_id": prompt_id} for line in compiled.inputs]


def _used(spec: AvatarSpec) -> dict[str, str]:
    """role -> file id of the given pictures."""
    used = {"pose": spec.pose.file.file_id} if spec.pose else {}
    return used | ({"reference": spec.reference.file_id} if spec.reference else {})


def _commit(
    connection: Connection, generation_id: str, kind: str, spec: AvatarSpec, prompt: str, receipt: str
) -> GenerationRecord:
    now = clock.now()
    used = _used(spec)
    for file_id in used.values():
        # Looked up again in the writing transaction: it may have been deleted since.
        if file_queries.get_live(connection, file_id) is None:
            raise unknown_file(file_id)
    file_queries.touch(connection, list(used.values()), now)
    values = {
        "id": generation_id,
        "kind": kind,
        "status": "queued",
        "prompt_id": generation_id,
        "spec": spec.to_json(),
        "receipt": receipt,
        "attempts": 1,
        "error": None,
        "created_at": now,
        "started_at": None,
        "completed_at": None,
        "reroll": None,
    }
    return queries.add(connection, values, prompt, used)


def _remove(connection: Connection, generation_id: str) -> list[FileRecord]:
    return file_queries.take_released(connection, queries.remove(connection, generation_id))
