"""Opens the store without ComfyUI: `dev.py fsck` and `dev.py backup`.

Uses the same settings as the running pack: `AVATARFORGE_*` variables and the pack's `.env`.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from ..db.engine import DatabaseUnavailableError
from .errors import AvatarForgeError, UnavailableError
from .generations.outputs import OutputFolder
from .maintenance.backup import OUTPUT_NAME, Copied, copy_store
from .maintenance.places import (
    require_database,
    require_destination,
    require_pictures,
    require_storage,
    require_unfinished_backup,
    usual_data_folder,
    usual_output_folder,
)
from .maintenance.report import Report
from .maintenance.verify import Verifier
from .product import lock_store, open_store
from .settings import Settings, load_settings
from .store.blobs import BlobStore
from .store.db_errors import database_error
from .store.disk import Disk
from .store.folder_lock import InUseError

PACK = Path(__file__).parents[1]

__all__ = ["CannotRun", "backup", "find_output_folder", "fsck", "usual_data_folder"]


class CannotRun(Exception):
    """The command could not do its work; the message says why."""


def find_output_folder(data_folder: Path) -> Path | None:
    """The usual folder of the store's pictures; None if they are not there. Raises CannotRun."""
    with _cannot_run():
        return usual_output_folder(load_settings(os.environ, PACK / ".env"), data_folder)


def fsck(data_folder: Path, output_folder: Path | None, *, repair: bool) -> Report:
    """Check the store while ComfyUI is stopped. First migrates the database, as a start does.

    Generated pictures are not checked if `output_folder` is None. Raises CannotRun.
    """
    with _cannot_run():
        settings = load_settings(os.environ, PACK / ".env")
        require_database(settings, data_folder)
        _require_folders(settings, data_folder, output_folder)
        return _check(settings, data_folder, output_folder, repair=repair)


def backup(data_folder: Path, output_folder: Path | None, target: Path) -> tuple[Copied, Report]:
    """Copy the store into `target`, also while ComfyUI runs, then check the copy. Raises CannotRun.

    `target` is created only once the copy is complete.
    """
    with _cannot_run():
        settings = load_settings(os.environ, PACK / ".env")
        source = require_database(settings, data_folder)
        if source is None:
            raise UnavailableError(
                "DATABASE_URL is not SQLite: copy that database with its own tools first, and then the "
                "storage folder."
            )
        storage = settings.storage_folder(data_folder)
        require_destination(target, [data_folder, storage, *([output_folder] if output_folder else [])])
        partial = target.with_name(f"{target.name}.partial")
        require_unfinished_backup(partial)
        _require_folders(settings, data_folder, output_folder)
        disk = Disk()
        disk.remove_tree(partial)
        partial.mkdir(parents=True)
        outputs = OutputFolder(output_folder) if output_folder else None
        copied = copy_store(source, BlobStore(storage), outputs, partial)
        own = settings.model_copy(update={"storage_path": "", "database_url": ""})
        report = _check(own, partial, partial / OUTPUT_NAME if outputs else None, repair=False)
        disk.replace(partial, target)
        disk.sync_folder(target.parent)
        return copied, report


def _check(settings: Settings, data_folder: Path, output_folder: Path | None, *, repair: bool) -> Report:
    with ExitStack() as resources:
        try:
            lock_store(settings, data_folder, resources)
        except InUseError as error:
            raise CannotRun(
                "A running ComfyUI uses this store. Stop it, or have it do the check: "
                "POST /avatarforge-controller/maintenance/verify."
            ) from error
        store = open_store(settings, data_folder, resources, sweep=False)
        outputs = OutputFolder(output_folder) if output_folder else None
        return asyncio.run(Verifier(store.checked(outputs, alone=True)).run(repair=repair))


def _require_folders(settings: Settings, data_folder: Path, output_folder: Path | None) -> None:
    """Raises UnavailableError for a folder that cannot be the right one."""
    require_storage(settings, data_folder)
    if output_folder is not None:
        require_pictures(settings, data_folder, output_folder)


@contextmanager
def _cannot_run() -> Iterator[None]:
    """Turn every expected error into CannotRun with one sentence."""
    try:
        yield
    except (AvatarForgeError, DatabaseUnavailableError) as error:
        raise CannotRun(str(error)) from error
    except SQLAlchemyError as error:
        raise CannotRun(str(database_error(error))) from error
    except (OSError, sqlite3.Error) as error:
        raise CannotRun(f"It could not be done: {str(error) or type(error).__name__}.") from error
