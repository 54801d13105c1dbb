"""What was read of files stays in memory, and is never older than the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from engines import reader_of, writer_of
from pictures import picture
from services import Product, product
from sqlalchemy import Connection, event, text

from avatarforge.db import files, generations, verify
from avatarforge.db.records import FileRecord
from avatarforge.forge.settings import Settings
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.store import cache as known_files
from avatarforge.forge.store.cache import FileCache
from avatarforge.forge.store.listing import FilePage, read_page


async def upload(forge: Product, seed: int) -> FileRecord:
    async def chunks() -> AsyncIterator[bytes]:
        yield picture(seed)

    return (await forge.files.receive(chunks(), "a.png")).file


async def first_page(forge: Product) -> FilePage:
    """From memory where it can be; it has to be what a look into the database finds."""
    found = await forge.files.page(limit=9, cursor=None)
    looked_up = forge.database.read_here(partial(read_page, limit=9, before=None))
    assert (found.total, found.files) == (looked_up.total, looked_up.files)
    return found


async def test_every_change_of_a_file_is_seen_at_once(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        known = FileCache(forge.database)
        record = await upload(forge, 1)
        for change in (
            partial(files.touch, file_ids=[record.id], now=record.last_used_at + 5),
            partial(verify.set_lost, record=record, lost_at=5),
            partial(verify.set_found, record=record, size=record.size),
            partial(files.hide, file_id=record.id, now=5),
            partial(files.add_or_restore, record=record),
            lambda connection: connection.execute(text("UPDATE files SET filename = 'x.png'")),
            partial(files.remove, records=[record]),
        ):
            before = await first_page(forge)
            assert await first_page(forge) is before
            await forge.database.write(change)
            assert await first_page(forge) is not before
            looked_up = forge.database.read_here(partial(files.by_hash, content_hash=record.content_hash))
            assert await known.by_hash(record.content_hash) == looked_up
        assert (await first_page(forge)).total == 0
        assert await forge.files.find(record.content_hash) is None


async def test_who_uses_a_file_is_seen_in_the_list(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        record = await upload(forge, 1)
        assert [listed.references for listed in (await first_page(forge)).files] == [0]
        request = AvatarRequest(prompt="a knight", reference_file_id=record.id)
        generation = await forge.generations.submit(request, "avatar", None)
        assert [listed.references for listed in (await first_page(forge)).files] == [1]
        kept = await first_page(forge)
        await forge.database.write(partial(generations.set_started, prompt_id=generation.prompt_id, now=5))
        assert await first_page(forge) is kept  # how far a generation is says nothing of its files
        await forge.generations.delete(generation.id, keep_outputs=False)
        assert [listed.references for listed in (await first_page(forge)).files] == [0]


async def test_nothing_is_kept_that_was_read_while_a_change_became_visible(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        await upload(forge, 1)
        version = forge.database.changes.files
        version.number += 1
        assert await first_page(forge) is not await first_page(forge)
        version.number += 1
        assert await first_page(forge) is await first_page(forge)


async def test_memory_for_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_files, "PAGES", 2)
    async with product(tmp_path) as forge:
        known = FileCache(forge.database)
        pages = {limit: await known.page(limit, None) for limit in (1, 2, 3)}
        assert [await known.page(limit, None) is pages[limit] for limit in (3, 2, 1)] == [True, True, False]


async def test_a_hash_check_still_looks_for_the_bytes(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        record = await upload(forge, 1)
        assert await forge.files.find(record.content_hash) == record
        forge.files.path(record).unlink()
        assert await forge.files.find(record.content_hash) is None


async def test_an_upload_under_a_quota_counts_no_rows(tmp_path: Path) -> None:
    settings = Settings(storage_quota_bytes=10_000_000, storage_quota_files=100)
    async with product(tmp_path, settings=settings) as forge:
        await upload(forge, 1)
        said: list[str] = []

        def note(
            _connection: Connection, _cursor: object, sql: str, _values: object, _context: object, _many: bool
        ) -> None:
            said.append(sql.lower())

        for engine in (writer_of(forge.database), reader_of(forge.database)):
            event.listen(engine, "before_cursor_execute", note)
        await upload(forge, 2)
        assert any("tallies" in sql for sql in said)
        assert [sql for sql in said if "count(" in sql or "sum(" in sql] == []
