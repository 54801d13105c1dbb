"""A real database and a real store in a folder of the test's own."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from damages import Rows, Store, fill
from services import product

from avatarforge.db.engine import Database, open_database
from avatarforge.forge.store.blobs import BlobStore
from avatarforge.forge.store.content_store import ContentStore
from avatarforge.forge.store.files import FileStore
from avatarforge.forge.store.images import ImageLimits
from avatarforge.forge.store.quota import Quota
from avatarforge.forge.workers import Workers


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database("", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    store = BlobStore(tmp_path / "storage")
    store.open()
    return store


@pytest.fixture
def workers() -> Iterator[Workers]:
    pools = Workers()
    yield pools
    pools.close()


@pytest.fixture
def contents(database: Database, blobs: BlobStore, workers: Workers) -> ContentStore:
    return ContentStore(database, blobs, workers, Quota())


@pytest.fixture
def files(database: Database, contents: ContentStore, workers: Workers) -> FileStore:
    return FileStore(database, contents, workers, ImageLimits(), max_bytes=100_000)


@pytest.fixture(scope="session")
def filled_store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    """Made once and copied for each test: making a database takes longer than the tests do."""
    folder = tmp_path_factory.mktemp("prepared") / "store"
    return folder, asyncio.run(fill(folder))


@pytest.fixture
async def store(tmp_path: Path, filled_store: tuple[Path, Rows]) -> AsyncIterator[Store]:
    """A store of the test's own, to be damaged and checked."""
    folder, rows = filled_store
    shutil.copytree(folder, tmp_path / "store")
    async with product(tmp_path / "store") as forge:
        yield Store(forge, *rows)
