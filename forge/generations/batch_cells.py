"""What each generation of a batch shows, kept in memory: a client asks for its batch again and again, and a
generation's cell never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import partial

from sqlalchemy import Connection

from ...db import batches as queries
from ...db.engine import Database
from ..spec.cell import Cell

#: Batches that are kept. Each has up to a thousand cells, of some 300 bytes.
KEPT = 32

Cells = Mapping[str, Cell]


def read_cells(specs: Iterable[tuple[str, str]]) -> Cells:
    """The cells of (generation id, stored spec). A spec that is damaged has an empty one: the others can
    still be shown."""
    return {generation_id: _read(text) for generation_id, text in specs}


class BatchCells:
    """The cells of the batches that were asked for last, by generation id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[str, Cells] = OrderedDict()

    async def of(self, batch_id: str) -> Cells:
        """The cells of a batch; of generations that were deleted since, too."""
        cells = self._kept.get(batch_id)
        if cells is None:
            cells = await self._database.read(partial(_read_batch, batch_id=batch_id))
            if not cells:
                return cells
        self.keep(batch_id, cells)
        return cells

    def keep(self, batch_id: str, cells: Cells) -> None:
        self._kept[batch_id] = cells
        self._kept.move_to_end(batch_id)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def _read_batch(connection: Connection, batch_id: str) -> Cells:
    return read_cells(queries.specs(connection, batch_id))


def _read(text: str) -> Cell:
    try:
        return Cell.from_json(text)
    except ValueError:
        return Cell()
