"""The index for searches of characters finds what a look at each of them finds, with and without FTS5."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prepared_database import prepare_database
from sqlalchemy import Connection, delete, text, update

from avatarforge.db import characters, row_counts, search_index
from avatarforge.db import tables as t
from avatarforge.db.engine import Database, open_database
from avatarforge.db.records import CharacterRecord, CharacterVersionRecord
from avatarforge.db.templates import name_key

Found = tuple[int, list[str]]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    prepare_database(tmp_path)
    opened = open_database("", tmp_path)
    yield opened
    opened.close()


def add(connection: Connection, number: int, name: str, description: str = "") -> str:
    character_id = f"00000000-0000-4000-8000-{number:012d}"
    record = CharacterRecord(character_id, name, 1, description, None, 1000, 1000)
    characters.add(connection, record, CharacterVersionRecord(character_id, 1, "{}", 1000), [])
    return character_id


def rename(connection: Connection, character_id: str, name: str) -> None:
    before = characters.get(connection, character_id)
    assert before is not None
    record = CharacterRecord(character_id, name, before.version + 1, "", None, before.created_at, 1000)
    content = CharacterVersionRecord(character_id, record.version, "{}", 1000)
    characters.replace(connection, record, content, [], keep=10)


def pages(connection: Connection, wanted: str, size: int = 3) -> Found:
    """The total, and the ids of all pages."""
    ids: list[str] = []
    before = None
    while True:
        total, page = characters.page(connection, limit=size, before=before, text=wanted)
        ids += [record.id for record in page]
        if len(page) < size:
            return total, ids
        before = (page[-1].created_at, page[-1].id)


def looked_at(connection: Connection, wanted: str) -> Found:
    """The same, by a look at each character."""
    key = name_key(wanted)
    rows = connection.execute(t.characters.select().order_by(t.characters.c.created_at.desc())).all()
    ids = [row.id for row in rows if row.search_key is not None and key in row.search_key]
    return len(ids), ids


#: Few letters, so that most texts are found in several; and what FTS5 and LIKE read in a way of their own.
LETTERS = "abAB \"'*%_^(){}:+-.\nüßẞÉıI東京😀ﬁ"  # noqa: RUF001 - Turkish
TEXTS = st.text(LETTERS, max_size=6)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.tuples(TEXTS, TEXTS), max_size=8),
    steps=st.lists(
        st.tuples(st.sampled_from(("rename", "remove", "delete")), st.integers(0, 7), TEXTS), max_size=4
    ),
    wanted=st.lists(st.text(LETTERS, min_size=1, max_size=5), min_size=1, max_size=4),
    most=st.sampled_from((2, 1000)),
    longest=st.sampled_from((3, 8)),
)
def test_both_ways_find_the_same(
    database: Database,
    names: list[tuple[str, str]],
    steps: list[tuple[str, int, str]],
    wanted: list[str],
    most: int,
    longest: int,
) -> None:
    def run(connection: Connection) -> None:
        connection.execute(delete(t.characters))
        ids = [
            # Names are unique; this part of them is never looked for.
            add(connection, number, f"{name}#{number}", description)
            for number, (name, description) in enumerate(names)
        ]
        for step, number, name in steps:
            if number >= len(ids) or characters.get(connection, ids[number]) is None:
                continue
            if step == "rename":
                rename(connection, ids[number], f"{name}#{number}")
            elif step == "remove":
                # Kept, as for a generation that uses it.
                hidden = {"name_key": None, "search_key": None, "deleted_at": 1}
                connection.execute(
                    update(t.characters).where(t.characters.c.id == ids[number]).values(**hidden)
                )
            else:
                connection.execute(delete(t.characters).where(t.characters.c.id == ids[number]))
        for item in (*wanted, *(name for name, _ in names if name)):
            if name_key(item):
                assert pages(connection, item) == looked_at(connection, item), item
        # FTS5's own check that it has what the rows have.
        check = "INSERT INTO character_search(character_search, rank) VALUES ('integrity-check', 1)"
        connection.execute(text(check))

    with patch.multiple(search_index, MOST=most, LONGEST=longest):
        database.write_here(run)


def test_a_text_of_three_letters_goes_along_the_index_and_a_shorter_one_does_not(database: Database) -> None:
    def covered(connection: Connection) -> list[bool]:
        return [search_index.covers(connection, key) for key in ("mir", "mi", "京都府", "京")]

    assert database.read_here(covered) == [True, False, True, False]


def test_without_fts5_everything_works_and_with_it_the_index_is_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reopened(supported: bool) -> Database:
        monkeypatch.setattr(search_index, "is_supported", lambda _: supported)
        return open_database("", tmp_path)

    def is_used(connection: Connection) -> bool:
        return search_index.covers(connection, "knight")

    expected: list[str] = []
    for number, supported in enumerate((True, False, False, True)):
        database = reopened(supported)
        expected.insert(0, database.write_here(partial(add, number=number, name=f"a knight {number}")))
        assert database.read_here(is_used) is supported
        assert database.read_here(lambda c: pages(c, "KNIGHT")) == (len(expected), expected)
        assert database.read_here(row_counts.find_mismatches) == []
        database.close()


def test_an_index_that_lost_a_trigger_is_built_again(tmp_path: Path) -> None:
    """As after a migration that made the table again."""
    prepare_database(tmp_path)
    database = open_database("", tmp_path)
    database.write_here(lambda c: c.execute(text("DROP TRIGGER character_search_insert")))
    added = database.write_here(lambda c: add(c, 1, "Mira"))
    database.close()
    database = open_database("", tmp_path)
    assert database.read_here(lambda c: pages(c, "mira")) == (1, [added])
    database.close()


def test_only_what_many_have_is_looked_for_in_all(database: Database) -> None:
    for number in range(3):
        database.write_here(partial(add, number=number, name=f"a knight {number}"))

    def found(connection: Connection) -> list[int | None]:
        times = [
            search_index.find(connection, key) for key in ("knight 1", "a knight of", "a knight", "dragon")
        ]
        return [None if item is None else len(item) for item in times]

    assert database.read_here(found) == [1, 3, 3, 0]
    with patch.object(search_index, "MOST", 2):
        assert database.read_here(found) == [1, 0, None, 0]
