"""Queries on templates, their versions and what uses them. Each takes the connection first.

A version that a generation uses is never deleted: neither with its template nor because it is old.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, delete, exists, func, insert, select, tuple_, update

from .clock import after_newest
from .files import take_released
from .records import FileRecord, TemplateRecord, TemplateVersionRecord
from .tables import files, generation_templates, template_files, template_versions, templates

_ROW = select(
    templates.c.id,
    templates.c.name,
    templates.c.version,
    templates.c.created_at,
    templates.c.updated_at,
    template_versions.c.slots,
).join(
    template_versions,
    (template_versions.c.template_id == templates.c.id) & (template_versions.c.number == templates.c.version),
)
_is_live = templates.c.name_key.is_not(None)
_is_used = exists().where(
    generation_templates.c.template_id == template_versions.c.template_id,
    generation_templates.c.number == template_versions.c.number,
)


def name_key(name: str) -> str:
    """The form of a name in which names are compared: case and the way in which letters are composed make no
    difference."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())[:300]


def get(connection: Connection, template_id: str) -> TemplateRecord | None:
    """The template with this id, unless it was deleted."""
    return _one(connection, _is_live, templates.c.id == template_id)


def by_name(connection: Connection, name: str) -> TemplateRecord | None:
    return _one(connection, templates.c.name_key == name_key(name))


def page(
    connection: Connection, *, limit: int, before: tuple[int, str] | None, text: str | None
) -> tuple[int, list[TemplateRecord]]:
    """(number of matching templates, one page, newest first). `text` is searched in names. `before` starts
    after that (created_at, id)."""
    matching: list[ColumnElement[bool]] = [_is_live]
    if text:
        matching.append(templates.c.name_key.contains(name_key(text), autoescape=True))
    total = connection.execute(select(func.count()).select_from(templates).where(*matching)).scalar_one()
    query = _ROW.where(*matching).order_by(templates.c.created_at.desc(), templates.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(tuple_(templates.c.created_at, templates.c.id) < tuple_(*before))
    return total, [TemplateRecord(*row) for row in connection.execute(query)]


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(templates).where(_is_live)).scalar_one()


def version(connection: Connection, template_id: str, number: int) -> TemplateVersionRecord | None:
    """A version, also of a template that was deleted, as long as a generation uses it."""
    row = connection.execute(
        select(template_versions).where(
            template_versions.c.template_id == template_id, template_versions.c.number == number
        )
    ).one_or_none()
    return TemplateVersionRecord(*row) if row is not None else None


def add(connection: Connection, name: str, record: TemplateVersionRecord) -> None:
    """Insert a template with its first version."""
    newest = connection.execute(select(func.max(templates.c.created_at))).scalar_one()
    now = record.created_at
    connection.execute(
        insert(templates).values(
            id=record.template_id,
            name=name,
            name_key=name_key(name),
            version=record.number,
            created_at=after_newest(newest, now),
            updated_at=now,
            deleted_at=None,
        )
    )
    _add_version(connection, record)


def replace(connection: Connection, name: str, record: TemplateVersionRecord, keep: int) -> list[FileRecord]:
    """Add a version, the newest one from now on. Only the newest `keep` versions stay, and those in use.
    Returns files that are released by that."""
    _add_version(connection, record)
    connection.execute(
        update(templates)
        .where(templates.c.id == record.template_id)
        .values(name=name, name_key=name_key(name), version=record.number, updated_at=record.created_at)
    )
    return _take_versions(connection, record.template_id, up_to=record.number - keep)


def remove(connection: Connection, template_id: str, now: int) -> list[FileRecord]:
    """Delete a template; versions in use stay until `release`. Returns files that are released by that."""
    connection.execute(
        update(templates).where(templates.c.id == template_id).values(name_key=None, deleted_at=now)
    )
    return release(connection, [template_id])


def use(connection: Connection, generation_id: str, template_id: str, number: int) -> bool:
    """Note that a generation uses a version. Returns False if the version is gone."""
    if version(connection, template_id, number) is None:
        return False
    values = {"generation_id": generation_id, "template_id": template_id, "number": number}
    connection.execute(insert(generation_templates).values(**values))
    return True


def use_many(connection: Connection, uses: Sequence[tuple[str, str, int]]) -> tuple[str, str, int] | None:
    """Like `use`, for several (generation id, template id, number). Returns the first one whose version is
    gone."""
    present = {(name, number): version(connection, name, number) for _, name, number in uses}
    for item in uses:
        if present[item[1:]] is None:
            return item
    rows = [dict(zip(("generation_id", "template_id", "number"), item, strict=True)) for item in uses]
    if rows:
        connection.execute(insert(generation_templates), rows)
    return None


def used_by(connection: Connection, generation_ids: Sequence[str]) -> list[str]:
    """The ids of the templates that generations use."""
    query = select(generation_templates.c.template_id).distinct()
    return list(
        connection.execute(query.where(generation_templates.c.generation_id.in_(generation_ids))).scalars()
    )


def release(connection: Connection, template_ids: Collection[str]) -> list[FileRecord]:
    """Delete those of these templates that were deleted and that no generation uses any more, with their
    versions. Returns files that are released by that."""
    released: list[FileRecord] = []
    for template_id in template_ids:
        row = connection.execute(
            select(templates.c.deleted_at).where(templates.c.id == template_id)
        ).one_or_none()
        if row is None or row.deleted_at is None:
            continue
        released += _take_versions(connection, template_id, up_to=None)
        rest = exists().where(template_versions.c.template_id == template_id)
        connection.execute(delete(templates).where(templates.c.id == template_id, ~rest))
    return released


def _add_version(connection: Connection, record: TemplateVersionRecord) -> None:
    connection.execute(
        insert(template_versions).values(
            template_id=record.template_id,
            number=record.number,
            prompt=record.prompt_json,
            workflow=record.workflow_json,
            slots=record.slots_json,
            created_at=record.created_at,
        )
    )


def add_files(connection: Connection, template_id: str, number: int, file_ids: Collection[str]) -> None:
    """Note the stored files that the graph of a version names. Unknown ids are left out."""
    query = select(files.c.id).where(files.c.id.in_(file_ids), files.c.deleted_at.is_(None))
    for file_id in connection.execute(query).scalars().all():
        values = {"template_id": template_id, "number": number, "file_id": file_id}
        connection.execute(insert(template_files).values(**values))


def _take_versions(connection: Connection, template_id: str, up_to: int | None) -> list[FileRecord]:
    """Delete the versions up to a number (None: all) that no generation uses; returns released files."""
    gone = [template_versions.c.template_id == template_id, ~_is_used]
    if up_to is not None:
        gone.append(template_versions.c.number <= up_to)
    numbers = list(connection.execute(select(template_versions.c.number).where(*gone)).scalars())
    if not numbers:
        return []
    of_these = (template_files.c.template_id == template_id) & template_files.c.number.in_(numbers)
    named = list(connection.execute(select(template_files.c.file_id).where(of_these).distinct()).scalars())
    # Their rows of `template_files` go with them.
    connection.execute(
        delete(template_versions).where(
            template_versions.c.template_id == template_id, template_versions.c.number.in_(numbers)
        )
    )
    return take_released(connection, named) if named else []


def _one(connection: Connection, *matching: ColumnElement[bool]) -> TemplateRecord | None:
    rows = [TemplateRecord(*row) for row in connection.execute(_ROW.where(*matching))]
    return rows[0] if rows else None
