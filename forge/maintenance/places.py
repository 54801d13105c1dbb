"""Checks that the folders an operator names are the right ones.

With a wrong folder, the store would seem to have lost everything, and a repair would mark it all lost.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from ...db import verify as queries
from ...db.engine import DATABASE_NAME, Database, DatabaseUnavailableError, database_url, sqlite_file
from ..errors import UnavailableError
from ..ids import is_canonical_id
from ..settings import Settings

DATA_PARTS = ("user", "__avatarforge")
OUTPUT_PARTS = ("output", "avatarforge")
_DATA_IS = "--data-folder is ComfyUI's user/__avatarforge"
_OUTPUT_IS = "--output-folder is ComfyUI's output/avatarforge"


def usual_data_folder(pack: Path) -> Path:
    """The data folder of the ComfyUI whose custom_nodes contains the pack."""
    return pack.parent.parent.joinpath(*DATA_PARTS)


def usual_output_folder(settings: Settings, data_folder: Path) -> Path | None:
    """The output folder of the ComfyUI with this data folder; None if it is missing or has none of the
    pictures."""
    folder = data_folder.resolve().parent.parent.joinpath(*OUTPUT_PARTS)
    if not folder.is_dir():
        return None
    with _reading(settings, data_folder) as database:
        return folder if _holds_pictures(database, folder) else None


def require_database(settings: Settings, data_folder: Path) -> Path | None:
    """The file of an SQLite database; None for another database. Raises UnavailableError."""
    file = sqlite_file(settings.database_url, data_folder)
    if data_folder.is_dir() and (file is None or file.is_file()):
        return file
    wrong = f"{file} does not exist" if data_folder.is_dir() else f"{data_folder} is no folder"
    candidates = (data_folder / DATA_PARTS[1], data_folder.joinpath(*DATA_PARTS), data_folder.parent)
    raise UnavailableError(
        f"{wrong}. {_DATA_IS}{_hint(candidates, lambda folder: (folder / DATABASE_NAME).is_file())}."
    )


def require_storage(settings: Settings, data_folder: Path) -> None:
    """Raises UnavailableError if the storage folder is missing but should have files, for example because its
    drive is not mounted."""
    storage = settings.storage_folder(data_folder)
    if storage.is_dir():
        return
    count = 0
    with _reading(settings, data_folder) as database, contextlib.suppress(SQLAlchemyError):
        count = database.read_here(queries.count_stored) if database else 0
    if count:
        raise UnavailableError(
            f"{storage} is no folder, but the database names {count} stored files. Is STORAGE_PATH right, "
            "and its drive there? Make that folder, empty, if its files are lost."
        )


def require_pictures(settings: Settings, data_folder: Path, folder: Path) -> None:
    """Raises UnavailableError if the folder cannot be that of the store's pictures."""
    with _reading(settings, data_folder) as database:
        if folder.is_dir() and _holds_pictures(database, folder):
            return
        has_pictures = partial(_holds_pictures, database, surely=True)
        candidates = (
            folder / OUTPUT_PARTS[1],
            folder.joinpath(*OUTPUT_PARTS),
            folder / OUTPUT_PARTS[0],  # of a backup
            folder.parent,
        )
        hint = _hint(candidates, has_pictures)
    wrong = "holds no picture of this store" if folder.is_dir() else "is no folder"
    raise UnavailableError(f"{folder} {wrong}. {_OUTPUT_IS}{hint}.")


def require_destination(target: Path, sources: Iterable[Path]) -> None:
    """Raises UnavailableError if a backup cannot be written there."""
    if target.exists() or target.is_symlink():
        raise UnavailableError(f"{target} exists already; name a folder that does not.")
    for source in sources:
        if target.resolve().is_relative_to(source.resolve()):
            raise UnavailableError(
                f"{target} lies inside {source}, which is copied: a fault of the one would be a fault of the "
                "other. Name a folder outside of it."
            )


def require_unfinished_backup(folder: Path) -> None:
    """Raises UnavailableError if the folder has anything but an interrupted backup."""
    if folder.is_dir() and not folder.is_symlink():
        if (folder / DATABASE_NAME).is_file() or not any(folder.iterdir()):
            return
    elif not folder.exists() and not folder.is_symlink():
        return
    raise UnavailableError(
        f"{folder} exists, and is no backup that was broken off. Move it away, or name another folder."
    )


@contextlib.contextmanager
def _reading(settings: Settings, data_folder: Path) -> Iterator[Database | None]:
    """The database for reading only, also while ComfyUI runs. None if it cannot be opened; the code that
    opens it later reports why."""
    database = None
    with contextlib.suppress(
        ArgumentError, NoSuchModuleError, ImportError, OSError, DatabaseUnavailableError
    ):
        file = sqlite_file(settings.database_url, data_folder)
        if file is None or file.is_file():  # SQLite would create a missing file
            database = Database(database_url(settings.database_url, data_folder))
    try:
        yield database
    finally:
        if database is not None:
            database.close()


def _holds_pictures(database: Database | None, folder: Path, *, surely: bool = False) -> bool:
    """Whether one of its subfolders belongs to a generation that has pictures.

    If the database has no pictures except lost ones, or cannot tell (it may be of an older AvatarForge),
    returns True, or False with `surely`.
    """
    try:
        if database is None or not database.read_here(queries.has_pictures):
            return not surely
        return any(
            database.read_here(partial(queries.has_pictures, generation_id=name))
            for name in _generations_in(folder)
        )
    except SQLAlchemyError:
        return not surely


def _generations_in(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        yield from (path.name for path in folder.iterdir() if is_canonical_id(path.name))


def _hint(candidates: Iterable[Path], is_right: Callable[[Path], bool]) -> str:
    for folder in candidates:
        if is_right(folder):
            return f", here {folder}"
    return ""
