"""The store without ComfyUI: the composition root of `dev.py fsck` and `dev.py backup`.

Takes the same settings as the running pack: `AVATARFORGE_*` variables and the pack's `.env`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from ...db.engine import DatabaseUnavailableError, open_database, sqlite_file
from ..errors import AvatarForgeError, UnavailableError
from ..generations.outputs import OutputFolder
from ..settings import Settings, load_settings
from ..store.blobs import BlobStore
from ..store.contents import Contents
from ..store.faults import database_error
from ..store.folder_lock import InUseError, lock_folders
from ..store.images import ImageLimits
from ..store.quota import Quota
from ..workers import Workers
from .backup import OUTPUT_NAME, Copied, copy_store
from .report import Report
from .run import Parts
from .verify import Verifier

PACK = Path(__file__).parents[2]


class CannotRun(Exception):
    """The command could not do its work; the message says why."""


def fsck(data_folder: Path, output_folder: Path | None, *, repair: bool) -> Report:
    """Check the store while ComfyUI is stopped. Brings its tables up to date first, as a start would.

    `output_folder` None leaves the generated pictures out. Raises CannotRun.
    """
    with _told():
        settings = load_settings(os.environ, PACK / ".env")
        _require_database(settings, data_folder)
        return _check(settings, data_folder, output_folder, repair=repair)


def backup(data_folder: Path, output_folder: Path | None, target: Path) -> tuple[Copied, Report]:
    """Copy the store into `target`, also while ComfyUI runs; then check the copy. Raises CannotRun.

    `target` appears when the copy is whole, and not before.
    """
    with _told():
        settings = load_settings(os.environ, PACK / ".env")
        source = _require_database(settings, data_folder)
        if source is None:
            raise UnavailableError(
                "DATABASE_URL is not SQLite: copy that database with its own tools first, and then the "
                "storage folder."
            )
        if target.exists():
            raise UnavailableError(f"{target} exists already; name a folder that does not.")
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        outputs = OutputFolder(output_folder) if output_folder else None
        copied = copy_store(source, BlobStore(settings.storage_folder(data_folder)), outputs, partial)
        own = settings.model_copy(update={"storage_path": "", "database_url": ""})
        report = _check(own, partial, partial / OUTPUT_NAME if outputs else None, repair=False)
        partial.rename(target)
        return copied, report


def _check(settings: Settings, data_folder: Path, output_folder: Path | None, *, repair: bool) -> Report:
    storage = settings.storage_folder(data_folder)
    with ExitStack() as stack:
        try:
            locks = lock_folders(data_folder, storage)
        except InUseError as error:
            raise CannotRun(
                "A running ComfyUI uses this store. Stop it, or have it do the check: "
                "POST /avatarforge-controller/maintenance/verify."
            ) from error
        for lock in locks:
            stack.callback(lock.release)
        blobs = BlobStore(storage)
        blobs.make_folders()
        database = open_database(settings.database_url, data_folder)
        stack.callback(database.close)
        workers = Workers()
        stack.callback(workers.close)
        contents = Contents(database, blobs, workers, Quota())
        limits = ImageLimits(settings.min_image_dimension, settings.max_image_dimension)
        outputs = OutputFolder(output_folder) if output_folder else None
        parts = Parts(database, blobs, contents, workers, limits, outputs, alone=True)
        return asyncio.run(Verifier(parts).run(repair=repair))


def _require_database(settings: Settings, data_folder: Path) -> Path | None:
    """The file of an SQLite database. A wrong folder must not look like an empty store."""
    if not data_folder.is_dir():
        raise UnavailableError(f"{data_folder} is no folder. --data-folder is ComfyUI's user/__avatarforge.")
    file = sqlite_file(settings.database_url, data_folder)
    if file is not None and not file.is_file():
        raise UnavailableError(f"{file} does not exist. --data-folder is ComfyUI's user/__avatarforge.")
    return file


@contextmanager
def _told() -> Iterator[None]:
    """Every expected fault as one sentence."""
    try:
        yield
    except (AvatarForgeError, DatabaseUnavailableError) as error:
        raise CannotRun(str(error)) from error
    except SQLAlchemyError as error:
        raise CannotRun(str(database_error(error))) from error
    except (OSError, sqlite3.Error) as error:
        raise CannotRun(f"It could not be done: {str(error) or type(error).__name__}.") from error
