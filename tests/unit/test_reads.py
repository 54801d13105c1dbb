"""Reading at any size: every query goes along an index, and no total is counted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from services import Product, product
from sqlalchemy import Connection, event, text

from avatarforge.db import characters, files, gallery, generations, row_counts, takes, terms, verify, webhooks
from avatarforge.db.engine import Database
from avatarforge.db.gallery import GalleryFilter
from avatarforge.db.records import CharacterRecord, CharacterVersionRecord, FileRecord
from avatarforge.db.terms import Term
from avatarforge.forge.generations.cache import GenerationCache
from avatarforge.forge.health import HealthService
from avatarforge.forge.ports import InstalledModels
from avatarforge.forge.spec.request import AvatarRequest

Read = Callable[[Connection], Any]
#: As far as the gallery reads it.
SPEC = '{"prompt": "a red knight", "views": ["front"], "checkpoint": "m"}'
IDS = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")


def page(status: str | None, offset: int, before: int | None, character: str | None = None) -> Read:
    wanted = partial(generations.page, status=status, character_id=character)
    return partial(wanted, limit=51, offset=offset, before=before)


def gallery_page(*named: Term, offset: int = 0, after: int | None = None, **wanted: Any) -> Read:
    query = GalleryFilter(named, **wanted)
    return partial(gallery.page, wanted=query, limit=51, offset=offset, after=after)


def gallery_total(*named: Term) -> Read:
    return partial(gallery.count, wanted=GalleryFilter(named))


READS: dict[str, Read] = {
    "generation": partial(generations.get, generation_id=IDS[0]),
    "page": page(None, 0, None),
    "page of a status": page("completed", 0, None),
    "page by offset": page(None, 900_000, None),
    "page of a status by offset": page("completed", 900_000, None),
    "page by cursor": page(None, 0, 500_000),
    "page of a status by cursor": page("completed", 0, 500_000),
    "page of a character": page(None, 0, None, IDS[0]),
    "page of a character by offset": page(None, 900_000, None, IDS[0]),
    "page of a character by cursor": page(None, 0, 500_000, IDS[0]),
    "page of a character and a status by offset": page("queued", 900_000, None, IDS[0]),
    "page of a character and a status by cursor": page("queued", 0, 500_000, IDS[0]),
    "total of a character": partial(generations.count, character_id=IDS[0]),
    "total of a character and a status": partial(generations.count, status="queued", character_id=IDS[0]),
    "gallery": gallery_page(),
    "gallery from the oldest": gallery_page(oldest_first=True),
    "gallery by date": gallery_page(created_from=5, created_before=9),
    "gallery by view": gallery_page(("view", "front")),
    "gallery by offset": gallery_page(("view", "front"), offset=900_000),
    "gallery by cursor": gallery_page(("view", "front"), after=500_000),
    "gallery by status and model and tag": gallery_page(("status", "queued"), ("model", "m"), ("tag", "t")),
    "gallery by favourite and date": gallery_page(terms.FAVOURITE, created_from=5),
    "gallery by short words": gallery_page(("view", "front"), words=("ab",)),
    "gallery by words": gallery_page(words=("knight", "red")),
    "gallery by words and a cursor": gallery_page(words=("knight", "red"), after=500_000),
    "gallery by words and a view": gallery_page(("view", "front"), words=("knight",)),
    "total of the gallery": gallery_total(),
    "total of a view": gallery_total(("view", "front")),
    "total of a view and a model": gallery_total(("view", "front"), ("model", "m")),
    "models": partial(terms.listed, kind=terms.MODEL, most=50),
    "rows of a page": partial(generations.by_sequence, sequences=range(51)),
    "total": partial(row_counts.count_generations, status=None),
    "total of a status": partial(row_counts.count_generations, status="queued"),
    "numbers by status": generations.count_by_status,
    "active ones": partial(generations.active, limit=100),
    "number of active ones": generations.count_active,
    "prompt": partial(generations.prompt_of, generation_id=IDS[0]),
    "status of a prompt": partial(generations.status_of_prompt, prompt_id=IDS[0]),
    "output": partial(generations.output, generation_id=IDS[0], filename="a.png"),
    "takes": partial(takes.of_picture, generation_id=IDS[0], position=0),
    "take": partial(takes.get, generation_id=IDS[0], position=0, take=1),
    "number of takes": partial(takes.count, generation_id=IDS[0], position=0),
    "picture of a take": partial(takes.picture, generation_id=IDS[0], filename="a.png"),
    "re-rolls that wait": takes.waiting_generations,
    "completed ones": partial(generations.completed, limit=200),
    "file": partial(files.get_any, file_id=IDS[0]),
    "hash": partial(files.by_hash, content_hash="0" * 64),
    "files": partial(files.page, limit=51, before=None),
    "files by cursor": partial(files.page, limit=51, before=(5, IDS[0])),
    "uses of a file": partial(files.reference_count, file_id=IDS[0]),
    "stored": files.totals,
    "characters": partial(characters.page, limit=51, before=None, text=None),
    "characters by cursor": partial(characters.page, limit=51, before=(5, IDS[0]), text=None),
    "search of characters": partial(characters.page, limit=51, before=None, text="mira"),
    "search of characters by cursor": partial(characters.page, limit=51, before=(5, IDS[0]), text="mira"),
    "search of characters for many letters": partial(
        characters.page, limit=51, before=None, text="red hair and"
    ),
    "search of characters for two letters": partial(characters.page, limit=51, before=None, text="mi"),
    "character by name": partial(characters.by_name, name="Mira"),
    "version of a character": partial(characters.version, character_id=IDS[0], number=1),
    "version for a request": partial(characters.version_for_use, character_id=IDS[0], number=None),
    "versions of a character": partial(characters.versions, character_id=IDS[0], limit=51, before=None),
    "character of a generation": partial(characters.used_by, generation_ids=[IDS[0]]),
    "webhooks that are due": partial(webhooks.due, now=5, limit=10),
    "next webhook": webhooks.next_at,
}
#: In the order of one index, from its one end: SQLite calls that a scan, and it ends with the page.
ALONG = {
    "page": "SCAN generations USING COVERING INDEX ix_generations_sequence",
    "page by offset": "SCAN generations USING COVERING INDEX ix_generations_sequence",
    "files": "SCAN files USING INDEX ix_files_created_at_id",
    # Names and beginnings of descriptions, which a search for one or two letters looks through.
    "characters": "SCAN characters USING COVERING INDEX ix_characters_created_at_id_search_key",
    # The rows of a subquery that has been read along its index.
    "subquery": "SCAN users",
    # Generations with re-rolls that wait: few ever have one.
    "waiting re-rolls": "SCAN generations USING COVERING INDEX ix_generations_waiting_rerolls",
    "constant": "SCAN CONSTANT ROW",
}
#: A text in the index of trigrams, which is M1. The number, which tells the order, is SQLite's own affair.
SEARCH = re.compile(r"SCAN (character|generation)_search VIRTUAL TABLE INDEX \d+:[<>=]*M\d[<>=]*")


def a_file_and_a_generation(connection: Connection) -> None:
    """So that no query is left out because an earlier one found nothing."""
    record = FileRecord(IDS[0], "0" * 64, "a.png", 7, "image/png", "png", 64, 64, 1, 1, None)
    files.add_or_restore(connection, record)
    values = dict.fromkeys(("error", "started_at", "completed_at", "reroll", "callback_url"))
    texts = {"id": IDS[0], "kind": "avatar", "status": "queued", "prompt_id": IDS[0], "spec": SPEC}
    numbers = {"receipt": "{}", "attempts": 0, "created_at": 1}
    shown = {"character_id": IDS[0], "character_version": 1}
    added = generations.add(connection, {**values, **texts, **numbers, **shown}, "{}", {"pose": IDS[0]})
    gallery.mark(connection, [added], favourite=True, added=["t"], removed=[])
    character = CharacterRecord(IDS[0], "Mira", 1, "red hair and freckles", IDS[0], 1, 1)
    version = CharacterVersionRecord(IDS[0], 1, '{"name":"Mira","description":"red hair"}', 1)
    characters.add(connection, character, version, [IDS[0]])


def plans(database: Database, read: Read) -> list[str]:
    """Each step of each statement that a read sends."""

    def explained(connection: Connection) -> list[str]:
        sent: list[tuple[str, Any]] = []

        @event.listens_for(connection, "before_cursor_execute")
        def note(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
            sent.append((statement, values))

        read(connection)
        return [
            str(row[3])
            for statement, values in tuple(sent)
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        ]

    return database.read_here(explained)


@pytest.mark.parametrize("name", READS)
def test_a_read_goes_along_an_index_and_sorts_nothing(
    database: Database, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "FEW", 0)  # so that a search goes along the index of words
    database.write_here(a_file_and_a_generation)
    steps = plans(database, READS[name])
    assert steps
    for step in steps:
        assert "TEMP B-TREE" not in step, steps
        along = step in ALONG.values() or SEARCH.fullmatch(step)
        assert along or not step.startswith("SCAN"), steps


def test_what_is_skipped_is_read_from_the_index_alone(database: Database) -> None:
    for name in ("page by offset", "page of a status by offset", "page of a status by cursor"):
        assert "COVERING INDEX" in plans(database, READS[name])[0], name
    for name in READS:
        if "of a character" in name and name.startswith("page"):
            assert "COVERING INDEX ix_generations_character_id" in plans(database, READS[name])[0], name
    assert "COVERING INDEX" in " ".join(plans(database, READS["uses of a file"]))


def test_the_total_of_a_character_is_kept_and_not_counted(database: Database) -> None:
    database.write_here(a_file_and_a_generation)
    for name in ("total of a character", "total of a character and a status"):
        (step,) = plans(database, READS[name])
        assert step.startswith("SEARCH character_tallies USING"), step
        assert database.read_here(READS[name]) == 1
    other = partial(generations.count, status="failed", character_id=IDS[0])
    assert database.read_here(other) == 0
    changed = partial(generations.update_row, generation_id=IDS[0], only_if=["queued"], status="failed")
    database.write_here(changed)
    assert database.read_here(other) == 1
    assert database.read_here(READS["total of a character and a status"]) == 0
    by_hand = text("UPDATE character_tallies SET number = 9")
    database.write_here(lambda connection: connection.execute(by_hand))
    (said,) = database.read_here(row_counts.find_mismatches)
    assert "1 characters" in said
    database.write_here(row_counts.update_counts)
    assert database.read_here(other) == 1
    database.write_here(lambda connection: generations.remove(connection, IDS[0]))
    assert database.read_here(READS["total of a character"]) == 0
    assert database.read_here(row_counts.find_mismatches) == []


async def test_the_kept_totals_are_those_of_the_rows_whatever_happens(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        first, second, third = [
            await forge.generations.submit(AvatarRequest(prompt=f"knight {number}"), "avatar", None)
            for number in range(3)
        ]
        forge.host.succeed(first.prompt_id)
        await forge.until(first.id, "completed")
        await forge.generations.cancel(second.id)
        await forge.generations.delete(third.id, keep_outputs=False)
        await forge.generations.retry(second.id)
        assert forge.database.read_here(row_counts.generations_by_status) == {"completed": 1, "queued": 1}
        assert forge.database.read_here(row_counts.find_mismatches) == []

        forge.database.write_here(a_file_and_a_generation)
        assert forge.database.read_here(files.totals) == (1, 7)
        record = forge.database.read_here(READS["file"])
        for change in (
            partial(verify.set_lost, record=record, lost_at=5),
            partial(verify.set_found, record=record, size=9),
            partial(files.hide, file_id=record.id, now=5),
            partial(characters.remove, character_id=IDS[0], now=5),
            partial(files.add_or_restore, record=record),
            partial(files.remove, records=[record]),
        ):
            forge.database.write_here(change)
            assert forge.database.read_here(row_counts.find_mismatches) == []
        assert forge.database.read_here(files.totals) == (0, 0)


def test_totals_that_somebody_changed_by_hand_are_found_and_counted_anew(database: Database) -> None:
    database.write_here(a_file_and_a_generation)
    database.write_here(lambda connection: connection.execute(text("UPDATE tallies SET number = 9")))
    assert len(database.read_here(row_counts.find_mismatches)) == 7
    database.write_here(row_counts.update_counts)
    assert database.read_here(row_counts.find_mismatches) == []
    assert database.read_here(partial(row_counts.count_generations, status=None)) == 1


async def kept(forge: Product, generation_id: str) -> bool:
    """Whether it is answered from memory."""
    return await forge.cache.get(generation_id) is await forge.cache.get(generation_id)


async def test_what_is_kept_is_given_up_by_every_change_of_it(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        mine, other = [
            await forge.generations.submit(AvatarRequest(prompt=f"knight {number}"), "avatar", None)
            for number in range(2)
        ]
        untouched = await forge.generations.get_cached(other.id)
        for change, status in (
            (partial(generations.set_started, prompt_id=mine.prompt_id, now=5), "processing"),
            (
                partial(
                    generations.update_row, generation_id=mine.id, only_if=["processing"], status="failed"
                ),
                "failed",
            ),
        ):
            assert await kept(forge, mine.id)
            await forge.database.write(change)
            assert (await forge.generations.get_cached(mine.id)).status == status
        assert await forge.generations.get_cached(other.id) is untouched
        await forge.database.write(
            lambda connection: connection.execute(text("UPDATE generations SET error = 'x'"))
        )
        # Nobody said which one that was about: all of them are read again.
        assert (await forge.generations.get_cached(other.id)).error == "x"
        page = await forge.generations.page(status=None, limit=9, offset=0, cursor=None)
        assert [known.error for known in page.records] == ["x", "x"]
        await forge.generations.delete(mine.id, keep_outputs=False)
        assert await forge.cache.get(mine.id) is None
        page = await forge.generations.page(status=None, limit=9, offset=0, cursor=None)
        assert (page.total, [record.id for record in page.records]) == (1, [other.id])


async def test_nothing_is_kept_that_was_read_while_a_change_became_visible(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        record = await forge.generations.submit(AvatarRequest(prompt="a knight"), "avatar", None)
        forge.cache.begin(frozenset([record.id]))
        assert not await kept(forge, record.id)
        forge.cache.end()
        assert await kept(forge, record.id)


async def test_a_failed_write_leaves_what_is_kept_right(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        record = await forge.generations.submit(AvatarRequest(prompt="a knight"), "avatar", None)
        before = await forge.generations.get_cached(record.id)

        def change_then_fail(connection: Connection) -> None:
            generations.set_started(connection, record.prompt_id, 5)
            raise RuntimeError("on purpose")

        with pytest.raises(RuntimeError, match="on purpose"):
            await forge.database.write(change_then_fail)
        assert await forge.generations.get_cached(record.id) is before


async def test_memory_for_what_is_kept_is_bounded(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        records = [
            await forge.generations.submit(AvatarRequest(prompt="a" * 5000), "avatar", None) for _ in range(4)
        ]
        small = GenerationCache(forge.database, max_bytes=100_000)
        first = [await small.get(record.id) for record in records]
        again = [await small.get(record.id) for record in reversed(records)]
        same = [old is new for old, new in zip(first, reversed(again), strict=True)]
        assert same[-1]
        assert not all(same)


async def test_health_is_measured_once_for_all_who_ask_meanwhile_and_never_before_they_ask(
    tmp_path: Path,
) -> None:
    async with product(tmp_path) as forge:
        begun, go_on, installed_models = asyncio.Event(), asyncio.Event(), forge.host.installed_models

        async def slowly(*, fresh: bool = True) -> InstalledModels:
            begun.set()
            await go_on.wait()
            return await installed_models(fresh=fresh)

        forge.host.installed_models = slowly  # type: ignore[method-assign]
        health = HealthService(forge.database, forge.blobs, forge.workers, forge.host, forge.settings)
        first = asyncio.create_task(health.measure())
        await begun.wait()
        asking = [asyncio.create_task(health.measure()) for _ in range(20)]
        go_on.set()  # they ask before the first goes on
        others = await asyncio.gather(*asking)
        assert all(other is others[0] for other in others)
        assert others[0] is not await first


def test_a_database_without_such_triggers_counts_its_rows(database: Database) -> None:
    database.write_here(a_file_and_a_generation)

    def counted(connection: Connection) -> tuple[object, ...]:
        connection.dialect.name = "another"
        try:
            return (
                row_counts.generations_by_status(connection),
                row_counts.count_generations(connection, None),
                row_counts.listed_files(connection),
                row_counts.stored_files(connection),
                row_counts.listed_characters(connection),
                row_counts.find_mismatches(connection),
            )
        finally:
            connection.dialect.name = "sqlite"

    assert database.read_here(counted) == ({"queued": 1}, 1, 1, (1, 7), 1, [])
