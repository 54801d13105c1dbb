"""Generations as users know them: submit, look, list, delete."""

from __future__ import annotations

import json
import logging
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ...db import files as file_queries
from ...db import generations as queries
from ...db.engine import Database
from ...db.records import FileRecord, GenerationRecord, OutputRecord
from .. import clock
from ..errors import NotFoundError, UnprocessableError
from ..graphs.compile import CompiledPrompt, compile_prompt
from ..graphs.models import choose_checkpoint, choose_pose_controlnet
from ..ports import Host, InstalledModels
from ..settings import Settings
from ..store.files import FileStore, Received, unknown_file
from ..workers import Workers
from .outputs import OutputFolder
from .spec import AvatarSpec, ImageUse, Kind
from .tracker import GenerationTracker

__all__ = ["AvatarRequest", "GenerationRecord", "GenerationService", "OutputRecord", "Page"]

DEFAULT_STRENGTHS = {"pose": 1.0, "reference": 0.5}

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class AvatarRequest:
    """What a client asked for; None leaves the choice to us. The `*_image` fields hold base64."""

    prompt: str
    clothing: str | None = None
    style: str | None = None
    realism: bool = False
    pose_file_id: str | None = None
    reference_file_id: str | None = None
    pose_image: str | None = None
    reference_image: str | None = None
    negative_prompt: str | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    seed: int | None = None
    checkpoint: str | None = None
    pose_strength: float | None = None
    reference_strength: float | None = None


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
        adopted: list[Received] = []
        try:
            pose = await self._image(request.pose_file_id, request.pose_image, "pose", adopted)
            reference = await self._image(
                request.reference_file_id, request.reference_image, "reference", adopted
            )
            installed = await self._host.installed_models()
            spec = self._decide(request, views, pose, reference, installed)
            generation_id = str(uuid.uuid4())
            compiled = compile_prompt(spec, generation_id)
            checked = await self._host.check(generation_id, compiled.prompt)
            record = await self._database.write(
                partial(_commit, generation_id=generation_id, kind=kind, spec=spec, compiled=compiled)
            )
        except BaseException:
            for received in adopted:
                await self._files.forget(received)
            raise
        self._tracker.follow(record)
        self._host.enqueue(checked)
        log.info("AvatarForge: generation %s (%s, pictures: %d) accepted", record.id, kind, len(spec.views))
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
        released = await self._database.write(partial(_remove, generation_id=generation_id))
        if record.status in queries.ACTIVE:
            self._tracker.discard(record)
        if not keep_outputs:
            await self._workers.disk(self._outputs.remove, generation_id)
        await self._files.drop_bytes(released)
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
        self, file_id: str | None, text: str | None, role: str, adopted: list[Received]
    ) -> FileRecord | None:
        if file_id is not None and text is not None:
            raise UnprocessableError(
                f"Give {role}_file_id or {role}_image, not both.", ("body", f"{role}_image")
            )
        if file_id is not None:
            return await self._files.get(file_id)
        if text is None:
            return None
        received = await self._files.receive_base64(text, f"{role}.png")
        if not received.is_duplicate:
            adopted.append(received)
        return received.file

    def _decide(
        self,
        request: AvatarRequest,
        views: tuple[str, ...] | None,
        pose: FileRecord | None,
        reference: FileRecord | None,
        installed: InstalledModels,
    ) -> AvatarSpec:
        checkpoint, family = choose_checkpoint(
            installed, self._settings, realism=request.realism, requested=request.checkpoint
        )
        pose_use = _use("pose", pose, request.pose_strength)
        steered = pose_use is not None and pose_use.strength > 0
        controlnet = choose_pose_controlnet(installed, self._settings, family.name).name if steered else None
        _check_offered("sampler", request.sampler, installed.samplers)
        _check_offered("scheduler", request.scheduler, installed.schedulers)
        chosen_views: tuple[str | None, ...] = views if views else ((None,) if steered else ("front",))
        return AvatarSpec(
            prompt=request.prompt,
            clothing=request.clothing,
            style=request.style,
            realism=request.realism,
            negative_prompt=request.negative_prompt,
            views=chosen_views,
            pose=pose_use,
            reference=_use("reference", reference, request.reference_strength),
            width=_either(request.width, self._settings.default_width or family.width),
            height=_either(request.height, self._settings.default_height or family.height),
            steps=_either(request.steps, self._settings.default_steps or family.steps),
            cfg=_either(request.cfg, family.cfg),
            sampler=_either(request.sampler, family.sampler),
            scheduler=_either(request.scheduler, family.scheduler),
            # 53 bits survive JavaScript's numbers, so that a seed that was read can be sent again.
            seed=_either(request.seed, secrets.randbits(53)),
            checkpoint=checkpoint,
            family=family.name,
            controlnet=controlnet,
        )


def unknown_generation(generation_id: str) -> NotFoundError:
    return NotFoundError(f"No generation {generation_id} exists.")


def _either(asked: Any, otherwise: Any) -> Any:
    return otherwise if asked is None else asked


def _use(role: str, record: FileRecord | None, strength: float | None) -> ImageUse | None:
    if record is None:
        return None
    return ImageUse(record.id, record.content_hash, _either(strength, DEFAULT_STRENGTHS[role]))


def _check_offered(field: str, asked: str | None, offered: tuple[str, ...]) -> None:
    if asked is not None and asked not in offered:
        raise UnprocessableError(
            f"This ComfyUI has no {field} {asked!r}. It has: {', '.join(offered)}.", ("body", field)
        )


def _read_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise UnprocessableError("cursor must be the next_cursor of an earlier page.", ("query", "cursor"))
    return int(cursor)


def _commit(
    connection: Connection, generation_id: str, kind: str, spec: AvatarSpec, compiled: CompiledPrompt
) -> GenerationRecord:
    now = clock.now()
    used = {role: use.file_id for role, use in (("pose", spec.pose), ("reference", spec.reference)) if use}
    for file_id in used.values():
        # Looked up again in the writing transaction: it may have been deleted since.
        if file_queries.get_live(connection, file_id) is None:
            raise unknown_file(file_id)
    file_queries.touch(connection, list(used.values()), now)
    receipt = {"inputs": [asdict(line) for line in compiled.inputs], "warnings": []}
    record: Mapping[str, Any] = {
        "id": generation_id,
        "kind": kind,
        "status": "queued",
        "prompt_id": generation_id,
        "spec": spec.to_json(),
        "receipt": json.dumps(receipt, separators=(",", ":")),
        "attempts": 1,
        "error": None,
        "created_at": now,
        "started_at": None,
        "completed_at": None,
    }
    return queries.add(connection, record, json.dumps(compiled.prompt, separators=(",", ":")), used)


def _remove(connection: Connection, generation_id: str) -> list[FileRecord]:
    return file_queries.take_released(connection, queries.remove(connection, generation_id))
