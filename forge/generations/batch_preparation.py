"""Prepares a batch up to its commit: resolves all requests, and has ComfyUI validate one graph of each shape.

What takes time runs in threads, a slice of the requests at a time.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Hashable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

from ...db.records import BatchRecord
from ..characters.use import FilledRequest, check_expression
from ..errors import UnavailableError, UnprocessableError
from ..ports import Host, InstalledModels
from ..settings import Settings
from ..spec.avatar import AvatarSpec
from ..spec.cell import Cell
from ..spec.character import CharacterUse
from ..spec.receipt import Receipt
from ..spec.warning import GenerationWarning
from ..templates.template import Template
from .applicability import chosen_views
from .batch_order import graph_shape, run_order
from .batch_request import BatchRequest, about_request, check_files_only
from .compiling import BatchFits, Resolve, choose_turnaround, compile_new, new_words_warnings
from .filling import RequestFiller, resolution
from .inputs import Inputs
from .resolve import ResolvedRequest, spare_controlnet
from .transactions import may_be_hidden, used_files
from .tries import first_tries

#: Requests that a thread works on before the next slice.
SLICE = 50
#: Graphs of different shapes that ComfyUI validates before a batch is accepted; further ones when they run.
MOST_SHAPES = 64

Result = TypeVar("Result")


@dataclass(frozen=True)
class _Filled:
    """A request with what its character adds, its template, and its views."""

    filled: FilledRequest
    template: Template | None
    views: tuple[str, ...] | None


@dataclass(frozen=True)
class PreparedItem:
    """A generation that is ready to be written. `columns` are those of its row that the batch decides, except
    for its place; `order` is its place within the batch. `used` maps roles to file ids, of which those in
    `kept` may be soft-deleted. `cell` is what it shows."""

    columns: dict[str, Any]
    order: int
    used: dict[str, str]
    kept: frozenset[str]
    template: tuple[str, int] | None
    character: CharacterUse | None
    cell: Cell


@dataclass(frozen=True)
class PreparedBatch:
    record: BatchRecord
    items: Sequence[PreparedItem]


class BatchPreparer:
    """`prepare` may raise UnprocessableError, NotFoundError, UnavailableError and PromptRefusedError; each
    names the request."""

    def __init__(self, settings: Settings, host: Host, inputs: Inputs, filler: RequestFiller) -> None:
        self._settings = settings
        self._host = host
        self._inputs = inputs
        self._filler = filler
        # A batch needs a thread and up to some 30 MB while it is prepared, so others wait.
        self._one_at_a_time = asyncio.Lock()

    async def prepare(self, record: BatchRecord, requests: Sequence[BatchRequest]) -> PreparedBatch:
        """Resolve all requests and validate their graphs; nothing is written."""
        async with self._one_at_a_time:
            filled = await self._fill(requests)
            found = await self._resolvers(filled)
            resolved = await self._resolve([resolve for resolve, _ in found])
            specs = await self._with_turnaround(filled, resolved)
            await self._check_shapes(requests, specs)
            order = await asyncio.to_thread(run_order, specs)
            places = {position: place for place, position in enumerate(order)}

            def finish(position: int) -> PreparedItem:
                spec = specs[position]
                columns = _columns(record, requests[position], spec, resolved[position].warnings, position)
                template = (spec.template.id, spec.template.version) if spec.template else None
                kept = may_be_hidden(spec, found[position][1])
                return PreparedItem(
                    columns,
                    places[position],
                    used_files(spec),
                    kept,
                    template,
                    spec.character,
                    Cell.of(spec),
                )

            return PreparedBatch(record, await _in_slices(finish, range(len(requests))))

    async def _fill(self, requests: Sequence[BatchRequest]) -> list[_Filled]:
        """The requests with what their characters and templates add."""
        filler = self._filler.remembering()
        found = []
        for position, item in enumerate(requests):
            with about_request(position):
                check_files_only(item.request)
                filled, template = await filler.fill(item.request, item.kind, item.views)
                views = chosen_views(filled.request, item.kind, item.views)
                check_expression(filled)
            found.append(_Filled(filled, template, views))
            await _give_way(position)
        return found

    async def _resolvers(self, requests: Sequence[_Filled]) -> list[tuple[Resolve, frozenset[str]]]:
        """What makes the spec of each request, with the files that it names, and which of these are
        soft-deleted."""
        names = []
        async with AsyncExitStack() as nothing:  # no picture comes with a batch
            for position, item in enumerate(requests):
                with about_request(position):
                    names.append(
                        await self._inputs.name(item.filled.request, nothing, item.filled.references)
                    )
                await _give_way(position)
        files = await self._inputs.read(names)
        resolvers = []
        for position, item in enumerate(requests):
            with about_request(position):
                pose, references = await self._inputs.given(names[position], files)
            resolve = resolution(item.filled, item.views, pose, references, item.template)
            hidden = frozenset(found.record.id for found in references if found.record.deleted_at is not None)
            resolvers.append((resolve, hidden))
            await _give_way(position)
        return resolvers

    async def _resolve(self, resolvers: Sequence[Resolve]) -> list[ResolvedRequest]:
        """Resolve with the cached list of models; what fails or warns with it, with a fresh one."""
        cached = await self._host.installed_models(fresh=False)

        def first_try(position: int) -> ResolvedRequest | None:
            try:
                resolved = resolvers[position](cached, self._settings)
            except (UnavailableError, UnprocessableError):
                return None
            return resolved if not resolved.warnings else None

        resolved = await _in_slices(first_try, range(len(resolvers)))
        again = [position for position, item in enumerate(resolved) if item is None]
        if again:
            fresh = await self._host.installed_models()
            for position, item in zip(again, await self._second_try(resolvers, again, fresh), strict=True):
                resolved[position] = item
        return [item for item in resolved if item is not None]

    async def _second_try(
        self, resolvers: Sequence[Resolve], positions: Sequence[int], installed: InstalledModels
    ) -> list[ResolvedRequest]:
        def second_try(position: int) -> ResolvedRequest:
            with about_request(position):
                return resolvers[position](installed, self._settings)

        return await _in_slices(second_try, positions)

    async def _with_turnaround(
        self, requests: Sequence[_Filled], resolved: Sequence[ResolvedRequest]
    ) -> list[AvatarSpec]:
        fits = _remembered(self._host.batch_fits)
        specs = []
        for position, (item, found) in enumerate(zip(requests, resolved, strict=True)):
            specs.append(await choose_turnaround(fits, found.spec, item.filled.request.turnaround))
            await _give_way(position)
        return specs

    async def _check_shapes(self, requests: Sequence[BatchRequest], specs: Sequence[AvatarSpec]) -> None:
        """Have ComfyUI validate the first graph of each shape."""
        shapes = await _in_slices(
            lambda position: graph_shape(specs[position], requests[position].kind), range(len(specs))
        )
        first: dict[Hashable, int] = {}
        for position, shape in enumerate(shapes):
            first.setdefault(shape, position)
        installed = await self._host.installed_models(fresh=False)
        for position in list(first.values())[:MOST_SHAPES]:
            spec = specs[position]
            with about_request(position):
                template = await self._filler.template_of(spec.template) if spec.template else None
                spare = spare_controlnet(spec, installed, self._settings)
                generation_id = str(uuid.uuid4())
                compiled = await asyncio.to_thread(compile_new, spec, generation_id, template, spare)
                await self._host.check(generation_id, compiled.prompt)
            await asyncio.sleep(0)


def _columns(
    batch: BatchRecord,
    item: BatchRequest,
    spec: AvatarSpec,
    warnings: tuple[GenerationWarning, ...],
    position: int,
) -> dict[str, Any]:
    generation_id = str(uuid.uuid4())
    receipt = Receipt().with_warnings([*warnings, *new_words_warnings(spec)])
    return {
        "id": generation_id,
        "kind": item.kind,
        "status": "queued",
        "prompt_id": generation_id,
        "spec": spec.to_json(),
        # Compiled when it is handed to ComfyUI: a thousand graphs are far larger than their specs.
        "prompt": "",
        "receipt": receipt.to_json(),
        "attempts": 0,
        "callback_url": item.request.callback_url,
        "batch_id": batch.id,
        "batch_position": position,
        "character_id": spec.character.id if spec.character else None,
        "character_version": spec.character.version if spec.character else None,
        "tries": first_tries(spec),
    }


async def _in_slices(work: Callable[[int], Result], positions: Sequence[int]) -> list[Result]:
    """`work` of each position, in a thread, SLICE of them at a time."""
    done: list[Result] = []
    for start in range(0, len(positions), SLICE):
        done += await asyncio.to_thread(_each, work, positions[start : start + SLICE])
    return done


def _each(work: Callable[[int], Result], positions: Sequence[int]) -> list[Result]:
    return [work(position) for position in positions]


async def _give_way(position: int) -> None:
    """Let other tasks run after every slice of a loop that may never wait."""
    if position % SLICE == SLICE - 1:
        await asyncio.sleep(0)


def _remembered(fits: BatchFits) -> BatchFits:
    """Asks each question once."""
    known: dict[tuple[str, str, int, int, int], bool] = {}

    async def ask(folder: str, name: str, width: int, height: int, count: int) -> bool:
        key = (folder, name, width, height, count)
        if key not in known:
            known[key] = await fits(*key)
        return known[key]

    return ask
