"""Exports of pictures: what routes do with them."""

from __future__ import annotations

import hashlib
import zlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import PIL

from ..errors import TooLargeError
from ..pictures.figure_box import FigureBox, measure_figure
from ..settings import Settings
from ..spec.stored import to_json_text
from ..store.spool import Spool
from ..workers import Slots, Workers
from .formats import FORMATS
from .material import DrawnPart, ExportOptions, Material, full_name, load_picture
from .members import Checksums, FilePart, Part, PartArchive, TextPart
from .picture_manifest import MANIFEST, manifest_bytes
from .selection import ExportPicture, Selector, Subject, has_bytes, require_bytes

#: Exports that are made or sent at the same time, and how many more wait.
AT_ONCE, WAITING = 2, 8
#: Figures whose place is kept, by the hash of their picture.
MOST_FIGURES = 4_096
#: Part of each tag. Increment it when the same pictures give other bytes than before.
VERSION = 1

#: Raises if nobody waits for the export any more.
GoOn = Callable[[], None]


@dataclass(frozen=True)
class PreparedExport:
    """What was chosen. `tag` identifies the bytes of the export."""

    subject: Subject
    pictures: tuple[ExportPicture, ...]
    options: ExportOptions
    left_out: tuple[str, ...]
    tag: str

    @property
    def filename(self) -> str:
        extension = "json" if self.options.format == "manifest" else "zip"
        return f"{self.subject.slug}-{self.options.format}.{extension}"


@dataclass(frozen=True)
class OpenExport:
    """An export whose `size` is known. `pieces` gives the bytes from a start to a stop, and blocks."""

    size: int
    pieces: Callable[[int, int], Iterator[bytes]]


class PictureExports:
    """Every method raises the errors of `forge.errors`."""

    def __init__(
        self, settings: Settings, selector: Selector, spool: Spool, workers: Workers, *, exported_by: str
    ) -> None:
        self.selector = selector
        self._most_bytes = settings.max_export_size
        self._spool = spool
        self._workers = workers
        self._exported_by = exported_by
        self._slots = Slots(AT_ONCE, WAITING)
        self._checksums = Checksums()
        self._figures: OrderedDict[str, FigureBox] = OrderedDict()

    @property
    def busy(self) -> int:
        """How many exports are being made or sent."""
        return self._slots.taken

    async def prepare(self, subject: Subject, options: ExportOptions) -> PreparedExport:
        """Raises NotFoundError if the bytes of a picture are gone, unless those are left out."""
        pictures, left_out = await self._workers.disk(_present, subject, skip_lost=options.skip_lost)
        tag = await self._workers.check(_tag, subject, pictures, options, left_out, self._exported_by)
        return PreparedExport(subject, pictures, options, left_out, tag)

    @asynccontextmanager
    async def open(self, prepared: PreparedExport, go_on: GoOn) -> AsyncIterator[OpenExport]:
        """Its bytes, as long as the context is open. Raises BusyError, ConflictError, TooLargeError,
        StorageFullError, NotFoundError, and what `go_on` raises, which is called between two pictures."""
        async with self._slots.take():
            chosen = FORMATS[prepared.options.format]
            figures = [await self._figure(picture, go_on) for picture in prepared.pictures if chosen.measures]
            material = Material(
                prepared.subject,
                prepared.pictures,
                prepared.options,
                self._exported_by,
                tuple(figures),
                prepared.left_out,
            )
            plan = await self._workers.check(chosen.plan, material)
            manifest = TextPart(MANIFEST, await self._workers.check(manifest_bytes, plan.manifest))
            if prepared.options.format == "manifest":
                yield OpenExport(manifest.size, lambda start, stop: iter((manifest.content[start:stop],)))
                return
            making = _Making((manifest, *plan.parts), self._most_bytes)
            if not making.draws:
                yield _opened(making.parts(None), self._checksums, self._most_bytes)
                return
            async with self._spool.make(making.pieces, drawn=True, go_on=go_on) as path:
                yield _opened(making.parts(path), self._checksums, self._most_bytes)

    async def _figure(self, picture: ExportPicture, go_on: GoOn) -> FigureBox:
        key = f"{picture.output.content_hash}/{picture.joints is not None}"
        if key in self._figures:
            self._figures.move_to_end(key)
            return self._figures[key]
        go_on()
        self._figures[key] = found = await self._workers.decode(_measure, picture)
        if len(self._figures) > MOST_FIGURES:
            self._figures.popitem(last=False)
        return found


class _Making:
    """Draws the parts that must be drawn, one after another into one file."""

    def __init__(self, parts: tuple[TextPart | FilePart | DrawnPart, ...], most_bytes: int) -> None:
        self._planned = parts
        self._most_bytes = most_bytes
        self._made: dict[str, tuple[int, int, int]] = {}  # start, size, CRC-32

    @property
    def draws(self) -> bool:
        return any(isinstance(part, DrawnPart) for part in self._planned)

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the drawn parts. Blocks. Raises TooLargeError."""
        at = 0
        for part in self._planned:
            if isinstance(part, DrawnPart):
                start, crc = at, 0
                for piece in part.pieces():
                    crc = zlib.crc32(piece, crc)
                    at += len(piece)
                    _check_size(at, self._most_bytes)
                    yield piece
                self._made[part.name] = start, at - start, crc

    def parts(self, path: Path | None) -> list[Part]:
        """All parts, once those that are drawn lie in the file at `path`."""
        found: list[Part] = []
        for part in self._planned:
            if isinstance(part, DrawnPart):
                if path is None:
                    raise ValueError(f"{part.name} has not been drawn.")
                start, size, crc = self._made[part.name]
                found.append(FilePart(part.name, path, size, start=start, crc=crc))
            else:
                found.append(part)
        return found


def _opened(parts: list[Part], checksums: Checksums, most_bytes: int) -> OpenExport:
    archive = PartArchive(parts, checksums)
    _check_size(archive.size, most_bytes)
    return OpenExport(archive.size, archive.pieces)


def _check_size(size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise TooLargeError(
            f"The export would have {size} bytes or more; the limit is {most_bytes} (MAX_EXPORT_SIZE). "
            "Export fewer pictures, or smaller frames with height.",
            code="export_too_large",
            parameters={"limit": most_bytes},
        )


def _present(subject: Subject, *, skip_lost: bool) -> tuple[tuple[ExportPicture, ...], tuple[str, ...]]:
    """(the pictures that have bytes, the names of the others). Blocks."""
    kept = tuple(picture for picture in subject.pictures if has_bytes(picture))
    if not skip_lost or not kept:
        require_bytes(subject.pictures)
    names = {picture.name for picture in kept}
    return kept, tuple(full_name(picture) for picture in subject.pictures if picture.name not in names)


def _measure(picture: ExportPicture) -> FigureBox:
    return measure_figure(load_picture(picture), picture.joints)


def _tag(
    subject: Subject,
    pictures: tuple[ExportPicture, ...],
    options: ExportOptions,
    left_out: tuple[str, ...],
    exported_by: str,
) -> str:
    """Everything that decides the bytes, and what draws and packs them."""
    listed = [
        [
            picture.name,
            picture.animation,
            picture.output.generation_id,
            picture.output.position,
            picture.output.take,
            picture.output.content_hash,
            vars(picture.shows),
            picture.seed,
            dict(picture.words),
            picture.joints,
        ]
        for picture in pictures
    ]
    about = {
        "subject": [subject.kind, subject.id, subject.name, subject.unfinished],
        "options": vars(options),
        "pictures": listed,
        "left_out": left_out,
        "made_by": [VERSION, exported_by, PIL.__version__, zlib.ZLIB_RUNTIME_VERSION],
    }
    return hashlib.sha256(to_json_text(about).encode()).hexdigest()
