"""Generated pictures on disk: one folder per generation in ComfyUI's output folder.

Every function blocks, so call it in a thread.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ...db.records import OutputRecord
from ..errors import NotFoundError
from ..spec.outputs import output_name
from ..store.blobs import write_whole
from ..store.disk import Disk, open_to_read
from ..store.recovery_journal import RecoveryJournal
from ..store.structure import InvalidImage
from ..store.structure_png import png_size
from .failures import UNREADABLE

_TAKE_ENTRY = re.compile(r"take([0-9]{1,5})x([0-9]{1,9})")
_PART = re.compile(r"\.[0-9a-f-]{36}\.part")

log = logging.getLogger("avatarforge")


def outputs_entry(generation_id: str) -> str:
    """The recovery journal's entry for a generation whose pictures are about to be removed."""
    return f"{generation_id}.outputs"


def take_entry(generation_id: str, position: int, take: int) -> str:
    """The recovery journal's entry for a deleted take whose file is about to be removed."""
    return f"{generation_id}.take{position}x{take}"


def take_of_entry(name: str) -> tuple[str, int, int] | None:
    """(generation id, position, take) of an entry from `take_entry`; None for any other entry."""
    subject, _, kind = name.partition(".")
    match = _TAKE_ENTRY.fullmatch(kind)
    return (subject, int(match[1]), int(match[2])) if match else None


def parts_entry(generation_id: str) -> str:
    """The recovery journal's entry for temp files of pictures that could not be removed."""
    return f"{generation_id}.parts"


@dataclass(frozen=True)
class Measured:
    """The row for a file as it was read, and its stamp (size in bytes, modification time in ns, inode), which
    changes with the file."""

    picture: OutputRecord
    stamp: tuple[int, int, int]


class OutputFolder:
    """Writes, finds, measures and removes pictures. Generation ids are UUIDs made here, never client input.

    `journal` gets an entry for temp files that could not be removed. It is optional for callers that do not
    write.
    """

    def __init__(
        self, folder: Path, journal: RecoveryJournal | None = None, disk: Disk | None = None
    ) -> None:
        self.folder = folder
        self._journal = journal
        self._disk = disk or Disk()

    def folder_of(self, generation_id: str) -> Path:
        return self.folder / generation_id

    def file(self, generation_id: str, position: int, take: int = 1) -> Path:
        """The path of a take of a picture; `position` counts from 0, `take` from 1."""
        return self.folder_of(generation_id) / output_name(position, take)

    def file_of(self, picture: OutputRecord) -> Path:
        """The path of a picture with a row."""
        return self.folder_of(picture.generation_id) / picture.filename

    def write(
        self, generation_id: str, position: int, write: Callable[[BinaryIO], object], take: int = 1
    ) -> Path:
        """Write a picture's file atomically; `write` receives it open. Returns its path.

        Raises StorageFullError or UnavailableError.
        """
        path = self.file(generation_id, position, take)
        on_leftover = partial(self._journal.keep, parts_entry(generation_id)) if self._journal else None
        write_whole(path, write, self._disk, on_leftover)
        return path

    def measure_if_changed(
        self,
        generation_id: str,
        position: int,
        view: str | None,
        previous: Measured | None = None,
        take: int = 1,
    ) -> Measured:
        """`measure`, or `previous` if the file has not changed since."""
        path = self.file(generation_id, position, take)
        try:
            stat = path.stat()
        except OSError as error:
            raise _unreadable(path) from error
        # Taken before the file is read, so that a change during the read gives another stamp the next time.
        stamp = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
        if previous is not None and previous.stamp == stamp:
            return previous
        return Measured(self.measure(generation_id, position, view, take), stamp)

    def measure(self, generation_id: str, position: int, view: str | None, take: int = 1) -> OutputRecord:
        """Read a picture's file and return the row for it; `position` counts from 0, `take` from 1.

        Raises NotFoundError if it is missing or broken.
        """
        path = self.file(generation_id, position, take)
        try:
            with open_to_read(path) as file:
                content = file.read()
            # Not with Pillow, which fails if the workflow in the file exceeds its limits for text.
            width, height = png_size(io.BytesIO(content))
        except (OSError, InvalidImage) as error:
            raise _unreadable(path) from error
        return OutputRecord(
            generation_id=generation_id,
            position=position,
            filename=path.name,
            view=view,
            size=len(content),
            width=width,
            height=height,
            content_hash=hashlib.sha256(content).hexdigest(),
            take=take,
            takes=1,
            last_take=take,
        )

    def parts(self, generation_id: str) -> list[Path]:
        """The temp files of unfinished pictures, also of those being written now."""
        try:
            return self._parts(generation_id)
        except OSError:
            return []

    def remove(self, generation_id: str, *, patient: bool = True) -> bool:
        """Remove the folder of a generation; returns whether it is gone. Files that the system does not let
        us remove stay, such as one that is open on Windows; the others are removed."""
        try:
            self._disk.remove_tree(self.folder_of(generation_id), patient=patient)
        except OSError as error:
            if patient:
                log.warning(
                    "AvatarForge: pictures of the deleted generation %s stay for now: %s",
                    generation_id,
                    error.strerror,
                )
            return False
        return self._is_drive_present()

    def remove_file(self, generation_id: str, position: int, take: int, *, patient: bool = True) -> bool:
        """Remove the file of a take; returns whether it is gone."""
        try:
            self._disk.unlink(self.file(generation_id, position, take), patient=patient)
        except FileNotFoundError:
            pass
        except OSError:
            return False
        return self._is_drive_present()

    def remove_parts(self, generation_id: str) -> bool:
        """Remove the temp files of unfinished pictures; returns whether all are gone."""
        removed = True
        try:
            for path in self._parts(generation_id):
                removed &= self._remove_part(path)
        except FileNotFoundError:
            return self._is_drive_present()
        except OSError:
            return False
        return removed

    def _remove_part(self, path: Path) -> bool:
        try:
            self._disk.unlink(path, patient=False)
        except OSError:
            return False
        return True

    def _parts(self, generation_id: str) -> list[Path]:
        return [path for path in self.folder_of(generation_id).iterdir() if _PART.fullmatch(path.name)]

    def _is_drive_present(self) -> bool:
        """If the drive is absent, its files are not removed: they come back with the drive."""
        return Path(self.folder.anchor).exists()


def _unreadable(path: Path) -> NotFoundError:
    return NotFoundError(UNREADABLE.format(name=path.name), code="file_lost")
