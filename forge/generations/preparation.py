"""Prepares a prompt up to its commit: resolve and compile the request, and have ComfyUI validate the
prompt."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pydantic_core import to_json

from ...db import generations as queries
from ...db.engine import Database, Query
from ...db.records import GenerationRecord
from ..characters.service import CharacterService
from ..characters.use import FilledRequest, chosen_template, fill_request
from ..errors import UnavailableError, UnprocessableError
from ..families import FAMILIES
from ..graphs.compile import compile_prompt, compile_reroll
from ..graphs.drawn_words import words_warnings
from ..graphs.models import require_models, with_installed_names
from ..ports import CheckedPrompt, Host, InstalledModels
from ..poses.service import PoseLibrary
from ..settings import Settings
from ..spec.avatar import AvatarSpec, Kind
from ..spec.receipt import Receipt
from ..spec.request import AvatarRequest
from ..spec.reroll import Reroll
from ..spec.warning import GenerationWarning
from ..store.files import FileStore
from ..templates.fill import compile_template
from ..templates.service import TemplateService
from ..templates.template import Template
from .applicability import check_expression, chosen_views
from .inputs import Inputs
from .resolve import ResolvedRequest, resolve_request
from .template import draw_seed, fillable_fields, require_seed_slot, resolve_template
from .transactions import (
    commit_new,
    receipt_for_reroll,
    receipt_for_retry,
    requeue,
    restore,
    withdraw,
)


@dataclass(frozen=True)
class PreparedRun:
    """A validated prompt, the query that commits its row, and the query that undoes the commit."""

    checked: CheckedPrompt
    commit: Query[GenerationRecord]
    undo: Query[object]


class RunPreparer:
    """Every method may raise UnprocessableError, UnavailableError and PromptRefusedError."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        files: FileStore,
        host: Host,
        templates: TemplateService,
        poses: PoseLibrary,
        characters: CharacterService,
    ) -> None:
        self._templates = templates
        self._characters = characters
        self._settings = settings
        self._database = database
        self._host = host
        self._inputs = Inputs(database, files, poses)

    async def prepare_new(
        self, request: AvatarRequest, kind: Kind, views: tuple[str, ...] | None, undo: AsyncExitStack
    ) -> PreparedRun:
        """Prepare a new generation. If `views` is None, it has one picture: the view of the pose image, or
        the front. `undo` withdraws uploads. May also raise NotFoundError and what receiving a file raises."""
        filled, template = await self._fill(request, kind, views)
        request = filled.request
        views = chosen_views(request, kind, views)
        check_expression(request, filled.expression_words, filled.expressions)
        pose, references = await self._inputs.resolve(request, undo, filled.references)
        shown: dict[str, Any] = {"character": filled.character, "expression_words": filled.expression_words}
        generation_id = str(uuid.uuid4())
        if template is not None:
            resolved = await self._resolve(
                partial(resolve_template, request, template, views, pose, references, **shown)
            )
            spec = resolved.spec
            compiled = compile_template(template, spec, generation_id)
        else:
            resolved = await self._resolve(
                partial(resolve_request, request, views, pose, references, **shown)
            )
            spec = await self._choose_turnaround(resolved.spec, request.turnaround)
            compiled = compile_prompt(spec, generation_id, spare_controlnet=resolved.spare_controlnet)
        checked = await self._host.check(generation_id, compiled.prompt)
        warnings = (*resolved.warnings, *await _words_warnings(spec), *compiled.warnings)
        receipt = Receipt(compiled.inputs, warnings)
        commit = partial(
            commit_new,
            generation_id=generation_id,
            kind=kind,
            spec=spec,
            prompt=to_json(compiled.prompt).decode(),
            receipt=receipt.for_prompt(generation_id),
            callback_url=request.callback_url,
            now=self._database.now(),
            hidden=[item.record.id for item in references if item.record.deleted_at is not None],
        )
        poses = [pose.record] if pose is not None and pose.record is not None else []
        # A file can be used in several ways.
        used = list(
            {record.id: record for record in (*poses, *(item.record for item in references))}.values()
        )
        return PreparedRun(checked, commit, partial(withdraw, generation_id=generation_id, used=used))

    async def prepare_reroll(self, record: GenerationRecord, view: str, seed: int | None) -> PreparedRun:
        """Prepare to generate one view of a completed generation again. A `seed` of None draws a new one. May
        also raise ConflictError."""
        spec = record.spec
        if view not in spec.views:
            available = ", ".join(filter(None, spec.views)) or "none"
            raise UnprocessableError(
                f"This generation has no {view} view. It has: {available}.",
                ("query", "pose"),
                code="view_not_found",
            )
        require_seed_slot(spec)
        await self._inputs.check_present(spec)
        new_seed = draw_seed(template=spec.template is not None) if seed is None else seed
        position = spec.views.index(view)
        reseeded = replace(spec, reseeded={**spec.reseeded, view: new_seed})
        if spec.template is not None:
            template = await self._templates.used(spec.template)
            compiled = compile_template(template, reseeded, record.id, [position])
        else:
            compiled = compile_reroll(reseeded, record.id, position)
        installed = await self._host.installed_models()
        require_models(installed, spec)
        prompt = with_installed_names(compiled.prompt, installed)
        checked = await self._host.check(str(uuid.uuid4()), prompt)
        inputs = Receipt(compiled.inputs).for_prompt(checked.prompt_id).inputs
        commit = partial(
            requeue,
            before=record,
            refusal="Another re-roll of this generation has just begun. Wait for it.",
            receipt=receipt_for_reroll(record, installed).to_json(),
            prompt=to_json(prompt).decode(),
            prompt_id=checked.prompt_id,
            reroll=Reroll(position, view, new_seed, inputs).to_json(),
        )
        return PreparedRun(checked, commit, partial(restore, before=record))

    async def prepare_retry(self, record: GenerationRecord) -> PreparedRun:
        """Prepare to run the graph of a failed generation again. May also raise ConflictError."""
        spec = record.spec
        await self._inputs.check_present(spec)
        installed = await self._host.installed_models()
        require_models(installed, spec)
        text = await self._database.read(partial(queries.prompt_of, generation_id=record.id))
        prompt = with_installed_names(json.loads(text or "{}"), installed)
        checked = await self._host.check(str(uuid.uuid4()), prompt)
        commit = partial(
            requeue,
            before=record,
            refusal="Another retry of this generation has just begun. Wait for it.",
            prompt_id=checked.prompt_id,
            receipt=receipt_for_retry(record, checked.prompt_id, installed).to_json(),
            started_at=None,
            completed_at=None,
            error=None,
        )
        return PreparedRun(checked, commit, partial(restore, before=record))

    async def _fill(
        self, request: AvatarRequest, kind: Kind, views: tuple[str, ...] | None
    ) -> tuple[FilledRequest, Template | None]:
        """The request with what its character adds, and its template. Raises NotFoundError."""
        if request.character_id is None:
            name = request.template
            return FilledRequest(request), None if name is None else await self._templates.find(name)
        version = await self._characters.find(request.character_id, request.character_version)
        name = chosen_template(request, version.content)
        template = None if name is None else await self._templates.find(name)
        fillable = None if template is None else fillable_fields(template)
        return fill_request(request, version, kind, views, fillable), template

    async def _resolve(
        self, resolve: Callable[[InstalledModels, Settings], ResolvedRequest]
    ) -> ResolvedRequest:
        """Resolve with the cached list of models; if that fails or warns, with a fresh one."""
        cached = await self._host.installed_models(fresh=False)
        try:
            resolved = resolve(cached, self._settings)
            if not resolved.warnings:
                return resolved
        except (UnavailableError, UnprocessableError):
            pass
        return resolve(await self._host.installed_models(), self._settings)

    async def _choose_turnaround(self, spec: AvatarSpec, requested: str | None) -> AvatarSpec:
        """Run several views as one batch if the GPU's memory allows it, unless the request decides that. What
        is drawn needs no GPU."""
        if len(spec.views) == 1 or spec.turnaround == "sequential" or requested == "batch" or spec.is_drawn:
            return spec
        fits = await self._host.batch_fits(
            spec.model_folder, spec.checkpoint, spec.width, spec.height, len(spec.views)
        )
        return spec if fits else replace(spec, turnaround="sequential")


async def _words_warnings(spec: AvatarSpec) -> tuple[GenerationWarning, ...]:
    """What a family that draws does not understand. Long texts take it too long for the event loop."""
    if spec.template is not None or not FAMILIES[spec.family].drawn:
        return ()
    return await asyncio.to_thread(words_warnings, spec)
