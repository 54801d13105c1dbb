"""The terms of generations: what a page of them is filtered by, and the words that a search looks at.

Each filter is a list of sequences in `generation_terms`, so that any of them is read from its newest end, and
several together by a look into each. In SQLite, triggers keep the term of the status, and the number of
generations that have a term. Each function takes the connection first.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    String,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from .tables import characters, generation_terms, generation_texts, generations, terms

#: (kind, value)
Term = tuple[str, str]

ALL: Term = ("all", "")
FAVOURITE: Term = ("favourite", "")
STATUS, KIND, CHARACTER, MODEL, VIEW, TAG = "status", "kind", "character", "model", "view", "tag"

#: Characters of a text that a search looks at.
LONGEST_TEXT = 4_000
LONGEST_VALUE = 512
#: The fields of a spec that a search looks at, after the name of its character.
_SEARCHED = ("prompt", "clothing", "outfit", "style", "checkpoint")
# Older SQLite takes 999 values in a statement.
_AT_ONCE = 300

_kind, _value = bindparam("of_kind", type_=String), bindparam("of_value", type_=String)
_this = (terms.c.kind == _kind) & (terms.c.value == _value)
# There is one writer, so nothing comes between the look and the insertion.
_ADD_TERM = insert(terms).from_select(
    ["kind", "value", "number"], select(_kind, _value, literal(0)).where(~exists().where(_this))
)
_used = select(
    terms.c.id, bindparam("of_sequence", type_=Integer), bindparam("of_time", type_=BigInteger)
).where(_this)
_has_it = exists().where(
    generation_terms.c.term_id == terms.c.id,
    generation_terms.c.sequence == bindparam("of_sequence", type_=Integer),
)
_ADD_USE = insert(generation_terms).from_select(["term_id", "sequence", "created_at"], _used.where(~_has_it))
_REMOVE_USE = delete(generation_terms).where(
    generation_terms.c.term_id == select(terms.c.id).where(_this).scalar_subquery(),
    generation_terms.c.sequence == bindparam("of_sequence", type_=Integer),
)
_FIND = select(terms.c.id, terms.c.number).where(_this)
_COUNTED = (
    select(func.count())
    .select_from(generation_terms)
    .where(generation_terms.c.term_id == terms.c.id)
    .scalar_subquery()
)
_LISTED = (
    select(terms.c.value, terms.c.number)
    .where(terms.c.kind == _kind, terms.c.number > 0)
    .order_by(terms.c.number.desc())
    .limit(bindparam("most"))
)


def search_key(text: str) -> str:
    """A text in the form in which texts are compared: case and the way in which letters are composed make no
    difference."""
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).casefold())
    return composed[:LONGEST_TEXT]


def add_rows(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add the terms and the words of new generations: rows with id, kind, spec, character_id and
    created_at."""
    sequences = _sequences(connection, [row["id"] for row in rows])
    uses, texts = [], []
    for row in rows:
        sequence, (found, text) = sequences[row["id"]], read(row)
        uses += [_use(term, sequence, row["created_at"]) for term in found]
        texts.append({"sequence": sequence, "search_key": text})
    _add_uses(connection, uses)
    connection.execute(insert(generation_texts), texts)


def change(
    connection: Connection, sequence: int, created_at: int, added: Iterable[Term], removed: Iterable[Term]
) -> None:
    """Add terms to a generation, and remove some. Those that it has, or has not, stay as they are."""
    for term in removed:
        kind, value = term
        connection.execute(_REMOVE_USE, {"of_kind": kind, "of_value": value, "of_sequence": sequence})
    _add_uses(connection, [_use(term, sequence, created_at) for term in added])


def find(connection: Connection, term: Term) -> tuple[int, int] | None:
    """(id, number of generations) of a term; None if no generation ever had it."""
    row = connection.execute(_FIND, {"of_kind": term[0], "of_value": term[1]}).one_or_none()
    if row is None:
        return None
    if connection.dialect.name == "sqlite":
        return row.id, row.number
    counted = select(func.count()).select_from(generation_terms).where(generation_terms.c.term_id == row.id)
    return row.id, connection.execute(counted).scalar_one()


def listed(connection: Connection, kind: str, most: int) -> list[tuple[str, int]]:
    """(value, number of generations) of the terms of this kind that most generations have."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(_LISTED, {"of_kind": kind, "most": most})
    else:
        number = func.count().label("number")
        rows = connection.execute(
            select(terms.c.value, number)
            .join(generation_terms, generation_terms.c.term_id == terms.c.id)
            .where(terms.c.kind == kind)
            .group_by(terms.c.value)
            .order_by(number.desc())
            .limit(most)
        )
    return [(row.value, row.number) for row in rows]


def count_wrong(connection: Connection) -> int:
    """How many terms have a stored number that differs from the rows. Reads every row."""
    if connection.dialect.name != "sqlite":
        return 0
    query = select(func.count()).select_from(terms).where(terms.c.number != _COUNTED)
    return connection.execute(query).scalar_one()


def update_numbers(connection: Connection) -> None:
    """Set the stored numbers to those of the rows."""
    connection.execute(update(terms).values(number=_COUNTED))


def character_names(connection: Connection, character_ids: Sequence[str]) -> dict[str, str]:
    """The names of characters, also of deleted ones that generations keep."""
    names: dict[str, str] = {}
    for start in range(0, len(character_ids), _AT_ONCE):
        some = character_ids[start : start + _AT_ONCE]
        rows = connection.execute(select(characters.c.id, characters.c.name).where(characters.c.id.in_(some)))
        names.update({row.id: row.name for row in rows})
    return names


def _sequences(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        rows = connection.execute(
            select(generations.c.id, generations.c.sequence).where(generations.c.id.in_(some))
        )
        found.update({row.id: row.sequence for row in rows})
    return found


def _use(term: Term, sequence: int, created_at: int) -> dict[str, Any]:
    return {"of_kind": term[0], "of_value": term[1], "of_sequence": sequence, "of_time": created_at}


def _add_uses(connection: Connection, uses: Sequence[Mapping[str, Any]]) -> None:
    if not uses:
        return
    distinct = {(use["of_kind"], use["of_value"]) for use in uses}
    for kind, value in sorted(distinct):
        connection.execute(_ADD_TERM, {"of_kind": kind, "of_value": value})
    for use in uses:
        connection.execute(_ADD_USE, use)


def read(row: Mapping[str, Any]) -> tuple[list[Term], str]:
    """The terms and the text of a generation. A spec that is none has neither."""
    found: list[Term] = [ALL, (KIND, row["kind"])]
    if row.get("character_id") is not None:
        found.append((CHARACTER, row["character_id"]))
    spec = _fields_of(row["spec"])
    found += [(VIEW, view) for view in dict.fromkeys(spec.get("views") or ()) if view]
    if spec.get("checkpoint"):
        found.append((MODEL, spec["checkpoint"][:LONGEST_VALUE]))
    named = (spec.get("character") or {}).get("name")
    parts = [named, *(spec.get(name) for name in _SEARCHED)]
    return found, search_key("\n".join(part for part in parts if part))


def _fields_of(spec_json: str) -> dict[str, Any]:
    try:
        spec = json.loads(spec_json)
    except ValueError:
        return {}
    return spec if isinstance(spec, dict) else {}
