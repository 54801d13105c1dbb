"""What each generation of a batch shows, from its stored spec."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from batching import ids, item, submit_batch
from services import Product, product
from specs import SKELETON, spec

from avatarforge.db import batches as queries
from avatarforge.forge.generations import batch_cells
from avatarforge.forge.generations.batch_cells import BatchCells, read_cells
from avatarforge.forge.spec.cell import Cell
from avatarforge.forge.spec.character import CharacterUse


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


def test_a_cell_is_read_from_a_spec() -> None:
    full = replace(
        spec(),
        views=("back",),
        expression="happy",
        character=CharacterUse("c", 1, "Mira", "a woman", "Coat"),
        pose=replace(SKELETON, pose_id="sitting"),
        seed=2**64 - 1,
    )
    sheet = replace(spec(), views=("front", "back"))
    for wanted, cell in (
        (full, Cell("Coat", "happy", "back", "sitting", 2**64 - 1)),
        (sheet, Cell(seed=42)),
    ):
        assert Cell.of(wanted) == Cell.from_json(wanted.to_json()) == cell
    assert Cell.from_json("{}") == Cell()


def test_a_damaged_spec_does_not_hide_the_others() -> None:
    cells = read_cells([("a", "{"), ("b", spec().to_json())])
    assert cells == {"a": Cell(), "b": Cell(view="front", seed=42)}


async def test_a_batch_is_read_once_however_often_it_is_asked_for(
    forge: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = await submit_batch(forge, item(seed=1), item(seed=2))
    reads: list[str] = []
    read = queries.specs

    def counted(connection: Any, batch_id: str) -> Any:
        reads.append(batch_id)
        return read(connection, batch_id)

    monkeypatch.setattr(queries, "specs", counted)
    for _ in range(2):
        found = await forge.batches.get(batch.id)
        assert [found.cell_of(each).seed for each in found.items] == [1, 2]
    assert reads == []  # they are known from its acceptance
    fresh = BatchCells(forge.database)
    assert list(await fresh.of(batch.id)) == list(await fresh.of(batch.id))
    assert set(await fresh.of(batch.id)) == set(ids(batch))
    assert reads == [batch.id]


async def test_only_the_last_batches_are_kept(forge: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_cells, "KEPT", 2)
    cells = BatchCells(forge.database)
    for name in ("a", "b", "c"):
        cells.keep(name, {name: Cell(seed=1)})
    assert await cells.of("c") == {"c": Cell(seed=1)}
    assert await cells.of("a") == {}  # there is no such batch
