"""The list of characters is read again after every change of a character, and only then."""

from __future__ import annotations

from pathlib import Path

from services import Product, product
from sqlalchemy import text

from avatarforge.db import characters as queries
from avatarforge.forge.characters.saved import CharacterPage


async def first_page(forge: Product, words: str | None = None) -> CharacterPage:
    """From memory where it can be; it has to be what a read of the database finds."""
    page = await forge.characters.page(limit=9, cursor=None, text=words)
    read = forge.database.read_here(lambda each: queries.page(each, limit=10, before=None, text=words))
    assert (page.total, list(page.characters)) == read
    return page


async def test_every_change_is_seen_at_once_and_nothing_else_is_read_twice(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        empty = await first_page(forge)
        assert await first_page(forge) is empty
        saved = await forge.characters.create({"name": "Mira", "description": "a woman with red hair"})
        for change in (
            lambda: forge.characters.change(saved.record.id, {"description": "a woman with green hair"}),
            lambda: forge.database.write(lambda each: each.execute(text("UPDATE characters SET name = 'x'"))),
            lambda: forge.characters.delete(saved.record.id),
        ):
            pages = [await first_page(forge), await first_page(forge, "hair")]
            assert [page.total for page in pages] == [1, 1]
            assert [await first_page(forge), await first_page(forge, "hair")] == pages
            assert await first_page(forge) is pages[0]
            await change()
            assert await first_page(forge) is not pages[0]
        assert (await first_page(forge)).total == 0


async def test_nothing_is_kept_that_was_read_while_a_change_became_visible(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        version = forge.database.changes.characters
        version.number += 1
        assert await first_page(forge) is not await first_page(forge)
        version.number += 1
        assert await first_page(forge) is await first_page(forge)
