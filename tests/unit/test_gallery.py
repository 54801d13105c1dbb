"""The gallery's index: a filter finds what a look at each generation finds, with and without FTS5."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prepared_database import prepare_database
from sqlalchemy import Connection, delete, select, text

from avatarforge.db import gallery, generation_search, generations, row_counts, search_index, terms
from avatarforge.db import tables as t
from avatarforge.db.engine import Database, open_database
from avatarforge.db.gallery import GalleryFilter
from avatarforge.db.records import GenerationRecord

START = 1_000_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    prepare_database(tmp_path)
    opened = open_database("", tmp_path)
    yield opened
    opened.close()


def add(connection: Connection, number: int, **spec: Any) -> GenerationRecord:
    """A generation of this number, made so many microseconds after START; every third one has failed."""
    generation_id = f"00000000-0000-4000-8000-{number:012d}"
    empty = dict.fromkeys(("error", "started_at", "completed_at", "reroll", "callback_url"))
    values = {
        **empty,
        "id": generation_id,
        "kind": spec.pop("kind", "avatar"),
        "status": "completed" if number % 3 else "failed",
        "prompt_id": generation_id,
        "spec": json.dumps({"prompt": "a knight", "views": [None], **spec}),
        "receipt": "{}",
        "attempts": 1,
        "created_at": START + number,
        "character_id": spec.pop("character_id", None),
        "character_version": None,
    }
    return generations.add(connection, values, "{}", {})


def found(connection: Connection, size: int = 2, **wanted: Any) -> list[int]:
    """The numbers of all generations that match, read in pages of `size`; the total is checked."""
    query = GalleryFilter(**wanted)
    sequences: list[int] = []
    while True:
        after = sequences[-1] if sequences else None
        page = gallery.page(connection, query, limit=size, offset=0, after=after)
        sequences += page
        if len(page) < size:
            break
    assert gallery.count(connection, query) == len(sequences)
    skipped = gallery.page(connection, query, limit=100, offset=1, after=None)
    assert skipped == sequences[1:]
    records = generations.by_sequence(connection, sequences)
    return [records[sequence].created_at - START for sequence in sequences]


def test_each_filter_finds_its_own_newest_first(database: Database) -> None:
    def run(connection: Connection) -> None:
        add(connection, 1, views=["front", "back", "front"], checkpoint="a.safetensors")
        add(connection, 2, views=["back"], checkpoint="b.safetensors", kind="pose")
        add(connection, 3, views=None, checkpoint="a.safetensors")
        for wanted, expected in (
            ({}, [3, 2, 1]),
            ({"oldest_first": True}, [1, 2, 3]),
            ({"terms": (("view", "back"),)}, [2, 1]),
            ({"terms": (("view", "back"),), "oldest_first": True}, [1, 2]),
            ({"terms": (("view", "front"), ("view", "back"))}, [1]),
            ({"terms": (("model", "a.safetensors"),)}, [3, 1]),
            ({"terms": (("model", "c.safetensors"),)}, []),
            ({"terms": (("kind", "pose"),)}, [2]),
            ({"terms": (("status", "failed"),)}, [3]),
            ({"terms": (("status", "failed"), ("model", "a.safetensors"))}, [3]),
            ({"terms": (("status", "queued"), ("model", "a.safetensors"))}, []),
            ({"created_from": START + 2}, [3, 2]),
            ({"created_before": START + 2}, [1]),
            ({"created_from": START + 2, "created_before": START + 3}, [2]),
            ({"terms": (("view", "back"),), "created_before": START + 2}, [1]),
        ):
            assert found(connection, **wanted) == expected, wanted

    database.write_here(run)


def test_the_term_of_the_status_goes_with_the_status(database: Database) -> None:
    def run(connection: Connection) -> None:
        record = add(connection, 1)
        assert found(connection, terms=(("status", "completed"),)) == [1]
        generations.update_row(connection, record.id, ["completed"], status="failed")
        assert found(connection, terms=(("status", "completed"),)) == []
        assert found(connection, terms=(("status", "failed"),)) == [1]

    database.write_here(run)


def test_favourites_and_tags_are_noted_on_the_generation_and_in_the_index(database: Database) -> None:
    def run(connection: Connection) -> None:
        first, second = add(connection, 1), add(connection, 2)
        mark = partial(gallery.mark, connection)
        mark([first, second], favourite=True, added=["cover", "blue"], removed=[])
        assert found(connection, terms=(terms.FAVOURITE,)) == [2, 1]
        (record,) = generations.get_many(connection, [first.id])
        assert (record.favourite, record.tags) == (True, ("blue", "cover"))
        mark([record], favourite=None, added=["red"], removed=["blue", "unknown"])
        (record,) = generations.get_many(connection, [first.id])
        assert (record.favourite, record.tags) == (True, ("cover", "red"))
        assert found(connection, terms=((terms.TAG, "blue"),)) == [2]
        assert dict(terms.listed(connection, terms.TAG, 10)) == {"cover": 2, "blue": 1, "red": 1}
        mark([record], favourite=False, added=[], removed=["red", "cover"])
        assert found(connection, terms=(terms.FAVOURITE,)) == [2]
        assert dict(terms.listed(connection, terms.TAG, 10)) == {"cover": 1, "blue": 1}

    database.write_here(run)


def test_numbers_that_somebody_changed_by_hand_are_found_and_counted_anew(database: Database) -> None:
    def run(connection: Connection) -> None:
        add(connection, 1, views=["front"])
        assert row_counts.find_mismatches(connection) == []
        connection.execute(text("UPDATE terms SET number = 9 WHERE kind = 'view'"))
        (said,) = row_counts.find_mismatches(connection)
        assert "1 filters" in said
        row_counts.update_counts(connection)
        assert row_counts.find_mismatches(connection) == []
        assert terms.listed(connection, terms.VIEW, 5) == [("front", 1)]

    database.write_here(run)


def test_a_deleted_generation_leaves_nothing_behind(database: Database) -> None:
    def run(connection: Connection) -> None:
        record = add(connection, 1, views=["front"], checkpoint="a.safetensors")
        gallery.mark(connection, [record], favourite=True, added=["cover"], removed=[])
        generations.remove(connection, record.id)
        for table in (t.generation_terms, t.generation_texts):
            assert connection.execute(select(table)).all() == []
        assert connection.execute(select(t.terms).where(t.terms.c.number != 0)).all() == []
        assert terms.find(connection, (terms.MODEL, "a.safetensors")) is None
        check = "INSERT INTO generation_search(generation_search, rank) VALUES ('integrity-check', 1)"
        connection.execute(text(check))
        assert found(connection, words=("knight",)) == []

    database.write_here(run)


def test_many_generations_at_once_are_indexed_like_single_ones(database: Database) -> None:
    def run(connection: Connection) -> None:
        record = add(connection, 1, views=["front"])
        other = "00000000-0000-4000-8000-000000000009"
        row = {**generations.columns_of(record), "id": other, "prompt_id": other, "prompt": "{}"}
        del row["sequence"]
        generations.add_many(connection, [row], [])
        assert len(found(connection, terms=(("view", "front"),))) == 2
        assert len(found(connection, words=("knight",))) == 2

    database.write_here(run)


@pytest.mark.parametrize("spec", ["{}", "no JSON", "[]", '{"views": null, "character": null}'])
def test_a_spec_that_says_little_is_listed_all_the_same(database: Database, spec: str) -> None:
    row = {"id": "a", "kind": "graph", "spec": spec, "created_at": 1}
    found_terms, words = terms.read(row)
    assert (found_terms, words) == ([terms.ALL, (terms.KIND, "graph")], "")


#: Few letters, so that most texts are found in several; and what FTS5 and LIKE read in a way of their own.
LETTERS = "abAB \"'*%_^(){}:+-.\nüßẞÉıI東京😀ﬁ"  # noqa: RUF001 - Turkish
TEXTS = st.text(LETTERS, max_size=8)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prompts=st.lists(st.tuples(TEXTS, TEXTS), max_size=8),
    wanted=st.lists(st.text(LETTERS, min_size=1, max_size=7), min_size=1, max_size=4),
    gone=st.sets(st.integers(0, 7), max_size=3),
    few=st.sampled_from((0, 2, 1000)),
)
def test_a_search_finds_each_generation_with_all_words(
    database: Database, prompts: list[tuple[str, str]], wanted: list[str], gone: set[int], few: int
) -> None:
    def run(connection: Connection) -> None:
        connection.execute(delete(t.generations))
        texts = {}
        for number, (prompt, clothing) in enumerate(prompts):
            record = add(connection, number, prompt=prompt, clothing=clothing, views=["front"])
            texts[number] = terms.search_key("\n".join(part for part in (prompt, clothing) if part))
            if number in gone:
                generations.remove(connection, record.id)
                del texts[number]
        for item in wanted:
            words = tuple(dict.fromkeys(terms.search_key(item).split()))
            expected = [
                number
                for number in sorted(texts, reverse=True)
                if all(word in texts[number] for word in words)
            ]
            for others in ((), (("view", "front"),)):
                assert found(connection, words=words, terms=others) == expected, (item, others)

    with patch.object(gallery, "FEW", few):
        database.write_here(run)


def test_without_fts5_everything_works_and_with_it_the_index_is_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_database(tmp_path)
    monkeypatch.setattr(gallery, "FEW", 0)
    for number, supported in enumerate((True, False, False, True)):
        monkeypatch.setattr(search_index, "is_supported", lambda _, supported=supported: supported)
        database = open_database("", tmp_path)
        database.write_here(partial(add, number=number))
        assert database.read_here(generation_search.is_usable) is supported
        expected = list(range(number, -1, -1))
        assert database.read_here(partial(found, words=("knight",))) == expected
        database.close()


def test_an_index_that_lost_a_trigger_is_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "FEW", 0)
    prepare_database(tmp_path)
    database = open_database("", tmp_path)
    database.write_here(lambda c: c.execute(text("DROP TRIGGER generation_search_insert")))
    database.write_here(partial(add, number=1))
    assert database.read_here(partial(found, words=("knight",))) == []
    database.close()
    database = open_database("", tmp_path)
    assert database.read_here(partial(found, words=("knight",))) == [1]
    database.close()
