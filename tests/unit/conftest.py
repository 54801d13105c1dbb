"""A real database and a real store in a folder of the test's own."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import stand_in_comfyui
from damages import Rows, Store, fill
from prepared_database import prepare_database
from services import product

from avatarforge.db.engine import Database, open_database
from avatarforge.forge.store.blobs import BlobStore
from avatarforge.forge.store.content_store import ContentStore
from avatarforge.forge.store.files import FileStore
from avatarforge.forge.store.images import ImageLimits
from avatarforge.forge.store.quota import Quota
from avatarforge.forge.workers import Workers


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store without rows, of which each run of a state machine takes a copy."""
    folder = tmp_path_factory.mktemp("empty") / "store"

    async def prepare() -> None:
        async with product(folder):
            pass

    asyncio.run(prepare())
    return folder


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    prepare_database(tmp_path)
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


@pytest.fixture(scope="module")
def imported_bootstrap() -> Iterator[Any]:
    """The real `bootstrap`, on stand-ins of ComfyUI's modules; gone afterwards, with all that it imported."""
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        for name, stand_in in stand_in_comfyui.modules().items():
            patch.setitem(sys.modules, name, stand_in)
        import avatarforge.bootstrap as module

        yield module
    for name in [name for name in set(sys.modules) - before if name.startswith("avatarforge.")]:
        parent, _, own = name.rpartition(".")
        sys.modules[parent].__dict__.pop(own, None) if parent in sys.modules else None
        del sys.modules[name]


@pytest.fixture
def bootstrap(imported_bootstrap: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same, with a data folder and a registry of the test's own, as after an earlier start."""
    registry = imported_bootstrap.registry
    for name, value in type(registry)().__dict__.items():
        monkeypatch.setattr(registry, name, value)
    prepare_database(tmp_path / "data")
    monkeypatch.setattr(imported_bootstrap.comfy, "data_folder", lambda: tmp_path / "data")
    monkeypatch.setattr(imported_bootstrap.comfy, "output_folder", lambda: tmp_path / "output")
    return imported_bootstrap
