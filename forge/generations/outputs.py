"""The pictures that came out: one folder per generation under ComfyUI's output folder.

Every function blocks: call it in a thread.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ...db.records import OutputRecord
from ..errors import NotFoundError
from ..views import OUTPUT_NAME

_PART = re.compile(r"\.[0-9a-f-]{36}\.part")


def note_of_outputs(generation_id: str) -> str:
    """The name under which it is noted that the pictures of a generation are about to go."""
    return f"{generation_id}.outputs"


@dataclass(frozen=True)
class Measured:
    """What a file was when it was read, and the stamp (bytes, ns, inode) by which a change is seen."""

    picture: OutputRecord
    stamp: tuple[int, int, int]


class OutputFolder:
    """Finds, measures and removes pictures. Generation ids are UUIDs of ours, never a client's text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, generation_id: str) -> Path:
        return self.folder / generation_id

    def file(self, generation_id: str, position: int) -> Path:
        """Where a picture lies; `position` counts from 0."""
        return self.of(generation_id) / OUTPUT_NAME.format(position + 1)

    def look(
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
            content = path.read_bytes()
            with Image.open(path, formats=["PNG"]) as picture:
                width, height = picture.size
        except OSError as error:
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
            return [path for path in self.of(generation_id).iterdir() if _PART.fullmatch(path.name)]
        except OSError:
            return []

    def remove(self, generation_id: str) -> None:
        shutil.rmtree(self.of(generation_id), ignore_errors=True)


def _unreadable(path: Path) -> NotFoundError:
    return NotFoundError(f"ComfyUI reported success, but {path.name} cannot be read.")
