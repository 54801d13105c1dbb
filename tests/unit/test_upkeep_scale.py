"""What the check and the clean-up do for each file does not grow with the number of files."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from disks import WatchedDisk
from engines import reader_of, writer_of
from services import Product, product
from sqlalchemy import Connection, event, insert

from avatarforge.db.tables import files, generation_inputs, generations
from avatarforge.forge.maintenance import verify
from avatarforge.forge.store import files as store_files

BATCH = 20
FEW, MANY = 150, 300


@asynccontextmanager
async def filled(
    folder: Path, unused: int, in_use: int = 0, disk: WatchedDisk | None = None
) -> AsyncIterator[Product]:
    """A store with so many small files; those in use are older than the others."""
    async with product(folder, disk=disk) as forge:
        await forge.database.write(lambda connection: fill(connection, forge, unused, in_use))
        yield forge


def fill(connection: Connection, forge: Product, unused: int, in_use: int) -> None:
    rows = []
    for number in range(in_use + unused):
        content = b"%d" % number
        content_hash = hashlib.sha256(content).hexdigest()
        path = forge.blobs.path(content_hash, "png")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        times = {"created_at": number, "last_used_at": number}
        rows.append(
            {"id": str(uuid.uuid4()), "content_hash": content_hash, "filename": "a.png", **times}
            | {"size": len(content), "mime_type": "image/png", "extension": "png", "width": 1, "height": 1}
        )
    connection.execute(insert(files), rows)
    texts = {"spec": "{}", "prompt": "{}", "receipt": "{}", "attempts": 1, "created_at": 1}
    state = {"prompt_id": "g", "kind": "avatar", "status": "completed"}
    connection.execute(insert(generations).values(id="g", **state, **texts))
    uses = [{"generation_id": "g", "role": str(n), "file_id": rows[n]["id"]} for n in range(in_use)]
    if uses:
        connection.execute(insert(generation_inputs), uses)


class Steps:
    """How much SQLite works, in pieces of ten of its instructions, and the statements of the writer."""

    def __init__(self, forge: Product) -> None:
        self.pieces = 0
        self.statements: Counter[str] = Counter()
        for engine in (reader_of(forge.database), writer_of(forge.database)):
            event.listen(engine, "before_cursor_execute", self._look)
        self._writer = writer_of(forge.database)

    def _look(self, connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        cursor.connection.set_progress_handler(self._step, 10)
        if connection.engine is self._writer:
            self.statements[statement.split()[0]] += 1

    def _step(self) -> int:
        self.pieces += 1
        return 0


async def growth(folder: Path, work: Callable[[Product], Any], in_use: bool = False) -> float:
    """How much more of SQLite's work twice the files take."""
    pieces = []
    for size in (FEW, MANY):
        async with filled(folder / str(size), size, size if in_use else 0) as forge:
            steps = Steps(forge)
            await work(forge)
            pieces.append(steps.pieces)
    return pieces[1] / pieces[0]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_files, "CLEANUP_BATCH", BATCH)


async def test_a_clean_up_is_linear_though_older_files_are_in_use(tmp_path: Path) -> None:
    async def clean_up(forge: Product) -> None:
        assert await forge.files.clean_up(1) in (FEW, MANY)

    assert await growth(tmp_path, clean_up, in_use=True) < 2.5


async def test_a_check_is_linear(tmp_path: Path) -> None:
    async def check(forge: Product) -> None:
        report = await forge.verifier.run(repair=False)
        assert (report.clean, report.files) in ((True, FEW), (True, MANY))

    assert await growth(tmp_path, check) < 2.2


async def test_a_batch_is_one_transaction_of_few_statements_and_one_note(tmp_path: Path) -> None:
    operations: Counter[str] = Counter()
    disk = WatchedDisk(lambda name: operations.update([name]))
    async with filled(tmp_path, 5 * BATCH, disk=disk) as forge:
        steps = Steps(forge)
        operations.clear()
        assert await forge.files.clean_up(1) == 5 * BATCH
        assert list(forge.blobs.incoming.iterdir()) == []
    assert steps.statements["DELETE"] == 5
    assert sum(steps.statements.values()) <= 5 * 6
    assert operations["touch"] + operations["create"] == 5


async def test_a_check_takes_a_page_of_small_files_to_its_thread_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = []

    class Counting(ThreadPoolExecutor):
        def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
            jobs.append(args)
            return super().submit(*args, **kwargs)

    monkeypatch.setattr(verify, "ThreadPoolExecutor", Counting)
    async with filled(tmp_path, 1500) as forge:
        assert (await forge.verifier.run(repair=False)).files == 1500
    # Three for each of 256 folders: what lies in it, its rows, the files of those. And a few for the rest.
    assert len(jobs) <= 256 * 3 + 20
