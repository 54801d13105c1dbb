"""Pages of generations by any of their terms, their words and their time. Each function takes the connection
first.

A page goes along the list of its rarest term, or along the index of words, and looks into the lists of the
other terms for each generation on the way. So what it costs grows with that one list at most.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    column,
    exists,
    func,
    literal_column,
    select,
    table,
    update,
)

from . import generation_search, terms
from .changes import of_generation
from .records import GenerationRecord
from .tables import generation_terms, generation_texts, generations
from .terms import Term

#: Up to so many generations are looked through for words rather than found along the index of words.
FEW = 2_000

_driver = generation_terms.alias("driver")
_words = table(generation_search.TABLE, column("rowid", Integer))


@dataclass(frozen=True)
class GalleryFilter:
    """What a page shows. `words` are in the form of `terms.search_key`; a generation has all of them. Times
    are in microseconds since 1970: from the first, up to but without the second."""

    terms: tuple[Term, ...] = ()
    words: tuple[str, ...] = ()
    batch_id: str | None = None
    created_from: int | None = None
    created_before: int | None = None
    oldest_first: bool = False


@dataclass(frozen=True)
class _Source:
    """Where the sequences come from. `number` is how many there are, if that is known without counting."""

    sequence: ColumnElement[int]
    conditions: list[ColumnElement[bool]]
    number: int | None


def page(
    connection: Connection, wanted: GalleryFilter, *, limit: int, offset: int, after: int | None
) -> list[int]:
    """The sequences of a page, in the order of the filter. `after` is the last one of the page before."""
    source = _source(connection, wanted)
    if source is None:
        return []
    sequence = source.sequence
    query = select(sequence).where(*source.conditions)
    if after is not None:
        query = query.where(sequence > after if wanted.oldest_first else sequence < after)
    query = query.order_by(sequence.asc() if wanted.oldest_first else sequence.desc())
    return list(connection.execute(query.limit(limit).offset(offset)).scalars())


def count(connection: Connection, wanted: GalleryFilter) -> int:
    """How many generations match. One term alone is not counted."""
    source = _source(connection, wanted)
    if source is None:
        return 0
    if source.number is not None:
        return source.number
    return connection.execute(select(func.count(source.sequence)).where(*source.conditions)).scalar_one()


def mark(
    connection: Connection,
    records: Sequence[GenerationRecord],
    *,
    favourite: bool | None,
    added: Sequence[str],
    removed: Sequence[str],
) -> None:
    """Make generations favourites or not (None: as before), and add and remove tags."""
    for record in records:
        tags = sorted({*record.tags, *added} - set(removed))
        values: dict[str, Any] = {"tags": json.dumps(tags, ensure_ascii=False) if tags else None}
        new = [(terms.TAG, tag) for tag in tags if tag not in record.tags]
        gone = [(terms.TAG, tag) for tag in record.tags if tag not in tags]
        if favourite is not None:
            values["favourite"] = favourite
            (new if favourite else gone).append(terms.FAVOURITE)
        changed = update(generations).where(generations.c.id == record.id).values(**values)
        connection.execute(changed, execution_options=of_generation(record.id))
        terms.change(connection, record.sequence, record.created_at, new, gone)


def _source(connection: Connection, wanted: GalleryFilter) -> _Source | None:
    """None if there can be no such generation."""
    named, looked_up = _split(connection, wanted.terms)
    found = [terms.find(connection, term) for term in named or (terms.ALL,)]
    ids = sorted((number, term_id) for number, term_id in ((item[1], item[0]) for item in found if item))
    if len(ids) < len(found):
        return None
    (least, rarest), others = ids[0], [term_id for _, term_id in ids[1:]]
    conditions: list[ColumnElement[bool]] = []
    words = wanted.words
    along = [word for word in words if generation_search.covers(word)]
    if along and least > FEW and generation_search.is_usable(connection):
        words = tuple(word for word in words if word not in along)
        sequence: ColumnElement[int] = _words.c.rowid
        match = literal_column(generation_search.TABLE).op("MATCH")(generation_search.match_all(along))
        conditions += [match, _has(rarest, sequence, wanted)]
    else:
        sequence = _driver.c.sequence
        conditions += [_driver.c.term_id == rarest, *_in_time(_driver.c.created_at, wanted)]
    conditions += [_has(term_id, sequence, None) for term_id in others]
    conditions += [_has_word(word, sequence) for word in words]
    conditions += [_has_status(status, sequence) for status in looked_up]
    if wanted.batch_id is not None:
        conditions.append(
            sequence.in_(select(generations.c.sequence).where(generations.c.batch_id == wanted.batch_id))
        )
    return _Source(sequence, conditions, least if len(conditions) == 1 else None)


def _split(connection: Connection, wanted: Sequence[Term]) -> tuple[list[Term], list[str]]:
    """(terms, statuses to look up): only SQLite has the term of the status."""
    if connection.dialect.name == "sqlite":
        return list(wanted), []
    named = [term for term in wanted if term[0] != terms.STATUS]
    return named, [value for kind, value in wanted if kind == terms.STATUS]


def _in_time(created_at: ColumnElement[int], wanted: GalleryFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.created_from is not None:
        conditions.append(created_at >= wanted.created_from)
    if wanted.created_before is not None:
        conditions.append(created_at < wanted.created_before)
    return conditions


def _has(term_id: int, sequence: ColumnElement[int], wanted: GalleryFilter | None) -> ColumnElement[bool]:
    other = generation_terms.alias(f"other_{term_id}")
    in_time = _in_time(other.c.created_at, wanted) if wanted is not None else []
    return exists().where(other.c.term_id == term_id, other.c.sequence == sequence, *in_time)


def _has_word(word: str, sequence: ColumnElement[int]) -> ColumnElement[bool]:
    return exists().where(
        generation_texts.c.sequence == sequence, generation_texts.c.search_key.contains(word, autoescape=True)
    )


def _has_status(status: str, sequence: ColumnElement[int]) -> ColumnElement[bool]:
    return sequence.in_(select(generations.c.sequence).where(generations.c.status == status))
