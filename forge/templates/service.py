"""Templates as users know them: save, replace, list, get, delete, inspect, and use in a generation."""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from ...db import templates as queries
from ...db.engine import Database
from ...db.records import FileRecord, TemplateRecord, TemplateVersionRecord
from ..errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PreconditionFailedError,
    TemplateRefusedError,
    UnprocessableError,
)
from ..ids import canonical_id, is_id
from ..ports import Host
from ..settings import Settings
from ..spec.template import TemplateUse
from ..store.files import FileStore
from ..store.listing import read_cursor
from ..workers import Workers
from . import check
from .check import Graph, Inspection
from .saved import SavedTemplate
from .slots import read_slots, write_slots
from .template import Template

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class TemplatePage:
    """A page of the list. `next_cursor` is None on the last page."""

    total: int
    templates: tuple[SavedTemplate, ...]
    next_cursor: str | None


class TemplateService:
    """What routes and generations do with templates. Every method raises the errors of `forge.errors`."""

    def __init__(
        self, settings: Settings, database: Database, files: FileStore, host: Host, workers: Workers
    ) -> None:
        self._settings = settings
        self._database = database
        self._files = files
        self._host = host
        self._workers = workers

    async def inspect(self, graph: Graph) -> Inspection:
        """What a graph would be as a template."""
        return await check.inspect(graph, self._host, self._workers, self._settings.max_template_nodes)

    async def save(self, name: str, graph: Graph) -> SavedTemplate:
        """Save a new template. Raises ForbiddenError, TemplateRefusedError, and ConflictError if the name is
        taken or too many are saved."""
        self._require_allowed()
        name = _trimmed(name)
        await self._database.read(partial(_require_free, name=name, limit=self._settings.max_templates))
        inspected = await self._accepted(graph)
        version = self._version(str(uuid.uuid4()), 1, inspected, graph)
        files = check.named_files(inspected.prompt)
        limit = self._settings.max_templates
        await self._database.write(partial(_add, name=name, version=version, files=files, limit=limit))
        log.info("AvatarForge: template %s saved", version.template_id)
        return await self.get(version.template_id)

    async def replace(
        self, reference: str, graph: Graph, *, name: str | None = None, expected: int | None = None
    ) -> SavedTemplate:
        """Save a new version of a template. `expected` is the version that it must have; None: any. Raises
        what `save` raises, NotFoundError and PreconditionFailedError."""
        self._require_allowed()
        name = _trimmed(name) if name is not None else None
        before = (await self.get(reference)).record
        _require_version(before, expected)
        inspected = await self._accepted(graph)
        files = check.named_files(inspected.prompt)

        def write(connection: Connection) -> list[FileRecord]:
            current = queries.get(connection, before.id)
            if current is None:
                raise unknown_template(reference)
            _require_version(current, expected)
            version = self._version(before.id, current.version + 1, inspected, graph)
            wanted = name or current.name
            taken = queries.by_name(connection, wanted)
            if taken is not None and taken.id != before.id:
                raise _taken(wanted)
            keep = self._settings.max_template_versions
            released = queries.replace(connection, wanted, version, keep)
            queries.add_files(connection, before.id, version.number, files)
            return released

        await self._files.release(write, entries=())
        log.info("AvatarForge: template %s replaced", before.id)
        return await self.get(before.id)

    async def get(self, reference: str) -> SavedTemplate:
        """A template by its id or name, with its graph. Raises NotFoundError."""
        return await self._database.read(partial(_get, reference=reference))

    async def page(self, *, limit: int, cursor: str | None, text: str | None) -> TemplatePage:
        """Newest first. `text` is searched in names. `cursor` is the `next_cursor` of the page before."""
        read = partial(queries.page, limit=limit + 1, before=read_cursor(cursor), text=text)
        total, records = await self._database.read(read)
        last = records[limit - 1] if len(records) > limit else None
        next_cursor = f"{last.created_at}-{last.id}" if last else None
        return TemplatePage(total, tuple(SavedTemplate(record) for record in records[:limit]), next_cursor)

    async def delete(self, reference: str) -> str:
        """Delete a template; returns its id. Generations that used it keep the version that they used. Raises
        NotFoundError."""
        record = (await self.get(reference)).record
        now = self._database.now()

        def write(connection: Connection) -> list[FileRecord]:
            if queries.get(connection, record.id) is None:
                raise unknown_template(reference)
            return queries.remove(connection, record.id, now)

        await self._files.release(write, entries=())
        log.info("AvatarForge: template %s deleted", record.id)
        return record.id

    async def find(self, reference: str) -> Template:
        """The newest version of a template for a request. Raises NotFoundError."""
        saved = await self.get(reference)
        if saved.content is None:
            raise unknown_template(reference)
        return _template(saved.record.name, saved.content)

    async def used(self, use: TemplateUse) -> Template:
        """The version that a generation uses. Raises ConflictError if the database has lost it."""
        record = await self._database.read(partial(queries.version, template_id=use.id, number=use.version))
        if record is None:
            raise ConflictError(
                f"Version {use.version} of the template {use.name!r} is gone. Send the request again."
            )
        return _template(use.name, record)

    def _require_allowed(self) -> None:
        if not self._settings.allow_templates:
            raise ForbiddenError(
                "Templates cannot be saved here, because a template runs any node that is installed. The "
                "operator can set ALLOW_TEMPLATES=true.",
                code="templates_disabled",
            )

    async def _accepted(self, graph: Graph) -> Inspection:
        """Raises TemplateRefusedError with every reason."""
        inspected = await self.inspect(graph)
        problems = check.as_problems(inspected)
        message = " ".join(problem.message for problem in problems)
        if inspected.problems:
            raise TemplateRefusedError(message, problems)
        if inspected.missing_nodes or inspected.missing_models:
            raise TemplateRefusedError(message, problems, code="template_incomplete")
        if problems:
            raise TemplateRefusedError(message, problems, code="prompt_refused")
        return inspected

    def _version(
        self, template_id: str, number: int, inspected: Inspection, graph: Graph
    ) -> TemplateVersionRecord:
        return TemplateVersionRecord(
            template_id,
            number,
            json.dumps(inspected.prompt),
            json.dumps(graph.workflow) if graph.workflow is not None else None,
            write_slots(inspected.slots),
            self._database.now(),
        )


def unknown_template(reference: str) -> NotFoundError:
    return NotFoundError(
        f"No template {reference!r} exists. GET /templates lists them.", code="template_not_found"
    )


def _template(name: str, record: TemplateVersionRecord) -> Template:
    prompt = json.loads(record.prompt_json)
    return Template(record.template_id, name, record.number, prompt, read_slots(record.slots_json))


def _get(connection: Connection, reference: str) -> SavedTemplate:
    record = queries.get(connection, canonical_id(reference)) if is_id(reference) else None
    record = record or queries.by_name(connection, reference)
    content = queries.version(connection, record.id, record.version) if record else None
    if record is None or content is None:
        raise unknown_template(reference)
    return SavedTemplate(record, content)


def _add(
    connection: Connection, name: str, version: TemplateVersionRecord, files: set[str], limit: int
) -> None:
    _require_free(connection, name, limit)
    queries.add(connection, name, version)
    queries.add_files(connection, version.template_id, version.number, files)


def _require_free(connection: Connection, name: str, limit: int) -> None:
    if queries.by_name(connection, name) is not None:
        raise _taken(name)
    if queries.count(connection) >= limit:
        raise ConflictError(
            f"{limit} templates are saved, which is the limit (MAX_TEMPLATES). Delete one first.",
            code="too_many_templates",
            parameters={"limit": limit},
        )


def _taken(name: str) -> ConflictError:
    return ConflictError(
        f"A template {name!r} exists. Replace it with PUT /templates/{{id}}, or choose another name.",
        code="template_exists",
        parameters={"name": name},
    )


def _require_version(record: TemplateRecord, expected: int | None) -> None:
    if expected is not None and record.version != expected:
        raise PreconditionFailedError(
            f"The template has version {record.version} now, not {expected}. Get it again."
        )


def _trimmed(name: str) -> str:
    trimmed = name.strip()
    if not trimmed:
        raise UnprocessableError("A name is not only spaces.", ("body", "name"))
    return trimmed
