"""The pictures that came out: one folder per generation under ComfyUI's output folder.

Every function blocks: call it in a thread.
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
from ..spec.outputs import OUTPUT_NAME
from ..store.blobs import write_whole
from ..store.disk import Disk, open_to_read
from ..store.recovery_journal import RecoveryJournal
from ..store.structure import InvalidImage
from ..store.structure_png import png_size

_PART = re.compile(r"\.[0-9a-f-]{36}\.part")

log = logging.getLogger("avatarforge")


def outputs_entry(generation_id: str) -> str:
    """The name under which it is noted that the pictures of a generation are about to go."""
    return f"{generation_id}.outputs"


def note_of_parts(generation_id: str) -> str:
    """The name under which it is noted that temp files of pictures could not be removed."""
    return f"{generation_id}.parts"


@dataclass(frozen=True)
class Measured:
    """What a file was when it was read, and the stamp (bytes, ns, inode) by which a change is seen."""

    picture: OutputRecord
    stamp: tuple[int, int, int]


class OutputFolder:
    """Writes, finds, measures and removes pictures. Generation ids are UUIDs of ours, never a client's text.

    `notes` is where it is noted that something could not be removed; None where nothing is written.
    """

    def __init__(self, folder: Path, notes: RecoveryJournal | None = None, disk: Disk | None = None) -> None:
        self.folder = folder
        self._notes = notes
        self._disk = disk or Disk()

    def folder_of(self, generation_id: str) -> Path:
        return self.folder / generation_id

    def file(self, generation_id: str, position: int) -> Path:
        """Where a picture lies; `position` counts from 0."""
        return self.folder_of(generation_id) / OUTPUT_NAME.format(position + 1)

    def write(self, generation_id: str, position: int, write: Callable[[BinaryIO], object]) -> Path:
        """Have `write` fill the file of a picture, which appears whole or not at all; give back its path.

        Raises StorageFullError or UnavailableError.
        """
        path = self.file(generation_id, position)
        note = partial(self._notes.keep, note_of_parts(generation_id)) if self._notes else None
        write_whole(path, write, self._disk, note)
        return path

    def measure_if_changed(
        self, generation_id: str, position: int, view: str | None, known: Measured | None = None
    ) -> Measured:
        """`measure`, unless the file is still the one that is `known`."""
        path = self.file(generation_id, position)
        try:
            found = path.stat()
        except OSError as error:
            raise _unreadable(path) from error
        # Looked at before it is read: what changes meanwhile has another stamp the next time.
        stamp = (found.st_size, found.st_mtime_ns, found.st_ino)
        if known is not None and known.stamp == stamp:
            return known
        return Measured(self.measure(generation_id, position, view), stamp)

    def measure(self, generation_id: str, position: int, view: str | None) -> OutputRecord:
        """What the file of a finished picture really is; `position` counts from 0.

        Raises NotFoundError when it is missing or broken.
        """
        path = self.file(generation_id, position)
        try:
            with open_to_read(path) as file:
                content = file.read()
            # Not by Pillow, which fails on a workflow of more text than its limits.
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
        )

    def parts(self, generation_id: str) -> list[Path]:
        """Pictures that were begun and never finished; those that are being written now are among them."""
        try:
            return self._parts(generation_id)
        except OSError:
            return []

    def remove(self, generation_id: str, *, patient: bool = True) -> bool:
        """Remove the folder of a generation; say whether it is gone. What the system will not let go of, such
        as on Windows while somebody reads it, stays; all else goes."""
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
        return self._is_drive_there()

    def remove_parts(self, generation_id: str) -> bool:
        """Remove what was begun and never finished; say whether all of it is gone."""
        gone = True
        try:
            for path in self._parts(generation_id):
                gone &= self._remove_part(path)
        except FileNotFoundError:
            return self._is_drive_there()
        except OSError:
            return False
        return gone

    def _remove_part(self, path: Path) -> bool:
        try:
            self._disk.unlink(path, patient=False)
        except OSError:
            return False
        return True

    def _parts(self, generation_id: str) -> list[Path]:
        return [path for path in self.folder_of(generation_id).iterdir() if _PART.fullmatch(path.name)]

    def _is_drive_there(self) -> bool:
        """Where the drive is gone, nothing that lay on it is removed: it will be back with the drive."""
        return Path(self.folder.anchor).exists()


def _unreadable(path: Path) -> NotFoundError:
    return NotFoundError(f"ComfyUI reported success, but {path.name} cannot be read.", code="file_lost")
