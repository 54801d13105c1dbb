"""Finds the pictures of a generation, a batch or a character, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from sqlalchemy import Connection

from ...db import characters as character_queries
from ...db import gallery, terms
from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord, OutputRecord
from ..characters.service import unknown_character
from ..errors import ConflictError, NotFoundError, TooLargeError
from ..generations.batch_transactions import read_batch
from ..generations.outputs import OutputFolder
from ..generations.service import unknown_generation
from ..spec.avatar import AvatarSpec
from ..spec.expressions import expression_words
from ..spec.views import VIEWS
from ..workers import Workers
from .limits import MOST_PICTURES
from .naming import Shows, name_pictures, slug
from .target import joints_in

Key = TypeVar("Key", int, str)
SubjectKind = Literal["generation", "batch", "character"]
#: The name of pictures that show no saved character.
NO_NAME = "avatar"
#: Generations that are read at once: their specs and receipts are in memory until their facts are taken.
_AT_ONCE = 100


@dataclass(frozen=True)
class ExportPicture:
    """A finished picture. `name` is unique, and pictures of one `animation` follow each other. `words` are
    the texts that decided it, by what they are about. `joints` are the visible keypoints of its skeleton, in
    pixels, if they are known."""

    output: OutputRecord
    path: Path
    shows: Shows
    seed: int | None
    words: Mapping[str, str]
    joints: tuple[tuple[float, float], ...] | None
    posed: bool
    name: str = ""
    animation: str = ""


@dataclass(frozen=True)
class Subject:
    """What is exported. `name` is what people call it, and `slug` the same for files. `unfinished` is how
    many of its generations have no picture yet."""

    kind: SubjectKind
    id: str
    name: str
    pictures: tuple[ExportPicture, ...]
    unfinished: int = 0

    @property
    def slug(self) -> str:
        return slug(self.name)


class Selector:
    """Every method raises NotFoundError, TooLargeError, and ConflictError if nothing is finished."""

    def __init__(self, database: Database, outputs: OutputFolder, workers: Workers) -> None:
        self._database = database
        self._outputs = outputs
        self._workers = workers

    async def generation(self, generation_id: str) -> Subject:
        found = await self._read([generation_id], queries.get_many)
        if not found.records:
            raise unknown_generation(generation_id)
        return await self._workers.check(_subject, "generation", generation_id, None, found)

    async def batch(self, batch_id: str) -> Subject:
        def read(connection: Connection) -> tuple[str | None, list[str]]:
            summary, items = read_batch(connection, batch_id)
            return summary.record.name, [item.generation_id for item in items]

        name, ids = await self._database.read(read)
        found = await self._read(ids, queries.get_many)
        return await self._workers.check(_subject, "batch", batch_id, name, found)

    async def character(self, character_id: str, *, favourites: bool) -> Subject:
        def read(connection: Connection) -> tuple[str, list[int]]:
            record = character_queries.get(connection, character_id)
            if record is None:
                raise unknown_character(character_id)
            return record.name, _sequences_of(connection, character_id, favourites=favourites)

        name, sequences = await self._database.read(read)
        found = await self._read(sequences, _by_sequences)
        return await self._workers.check(_subject, "character", character_id, name, found)

    async def _read(
        self, keys: Sequence[Key], read: Callable[[Connection, Sequence[Key]], list[GenerationRecord]]
    ) -> _Found:
        """Some at a time: the records, with their long JSON, are not kept."""
        found = _Found()
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            found += await self._database.read(partial(self._describe, read=read, keys=some))
            _check_number(len(found.pictures))
        return found

    def _describe(
        self,
        connection: Connection,
        read: Callable[[Connection, Sequence[Key]], list[GenerationRecord]],
        keys: Sequence[Key],
    ) -> _Found:
        found = _Found()
        for record in read(connection, keys):
            character = None if record.is_manual else record.spec.character
            found.records += 1
            found.characters.add(character.name if character is not None else None)
            found.pictures += [self._picture(record, output) for output in record.outputs]
            found.unfinished += not record.outputs
        return found

    def _picture(self, record: GenerationRecord, output: OutputRecord) -> ExportPicture:
        path = self._outputs.file_of(output)
        if record.is_manual:
            return ExportPicture(output, path, Shows(view=output.view), None, {}, None, posed=False)
        spec = record.spec
        shows = Shows(
            outfit=spec.character.outfit if spec.character is not None else None,
            expression=spec.expression_at(output.position) or spec.expression,
            pose=spec.pose.name if spec.pose is not None else None,
            view=output.view,
        )
        return ExportPicture(
            output,
            path,
            shows,
            spec.seed_at(output.position),
            _words(spec, shows),
            joints_in(spec, output.view, output.width, output.height),
            posed=spec.pose is not None,
        )


@dataclass
class _Found:
    """What was found so far."""

    records: int = 0
    pictures: list[ExportPicture] = field(default_factory=list)
    characters: set[str | None] = field(default_factory=set)
    unfinished: int = 0

    def __iadd__(self, more: _Found) -> _Found:
        self.records += more.records
        self.pictures += more.pictures
        self.characters |= more.characters
        self.unfinished += more.unfinished
        return self


def _by_sequences(connection: Connection, sequences: Sequence[int]) -> list[GenerationRecord]:
    found = queries.by_sequence(connection, sequences)
    return [found[sequence] for sequence in sequences if sequence in found]


def _sequences_of(connection: Connection, character_id: str, *, favourites: bool) -> list[int]:
    """The completed generations of a character, oldest first."""
    named = [(terms.CHARACTER, character_id), (terms.STATUS, "completed")]
    if favourites:
        named.append(terms.FAVOURITE)
    wanted = gallery.GalleryFilter(tuple(named), oldest_first=True)
    sequences = gallery.page(connection, wanted, limit=MOST_PICTURES + 1, offset=0, after=None)
    _check_number(len(sequences))  # each has a picture at least
    return sequences


def _subject(kind: SubjectKind, subject_id: str, name: str | None, found: _Found) -> Subject:
    """`name`: that of the character which all of them show when left out. Raises ConflictError."""
    if not found.pictures:
        raise ConflictError(
            f"This {kind} has no finished picture. Export it when one of its generations is completed.",
            code="nothing_to_export",
        )
    named = [
        replace(found.pictures[item.index], name=item.name, animation=item.animation)
        for item in name_pictures([picture.shows for picture in found.pictures])
    ]
    if name is None and len(found.characters) == 1:
        (name,) = found.characters
    return Subject(kind, subject_id, name or NO_NAME, tuple(named), found.unfinished)


def _words(spec: AvatarSpec, shows: Shows) -> dict[str, str]:
    expression = spec.expression_words or shows.expression or ""
    if spec.redraw is not None:
        redrawn = [item for item in spec.redraw.expressions if item.name == shows.expression]
        expression = (redrawn[0].words if redrawn else "") or shows.expression or ""
    words = {
        "prompt": spec.prompt,
        "clothing": spec.clothing,
        "expression": expression_words(expression, sentences=False),
        "pose": (shows.pose or "").replace("_", " "),
        "view": VIEWS[shows.view].positive if shows.view in VIEWS else "",
        "style": spec.style,
    }
    return {name: text for name, text in words.items() if text}


def _check_number(pictures: int) -> None:
    if pictures > MOST_PICTURES:
        raise TooLargeError(
            f"An export has at most {MOST_PICTURES} pictures; this one would have {pictures}. Export its "
            "generations or batches one by one, or a character's favourites alone, with favourites=true.",
            code="export_too_large",
            parameters={"limit": MOST_PICTURES},
        )


def require_bytes(pictures: Sequence[ExportPicture]) -> None:
    """Blocks. Raises NotFoundError if the bytes of a picture are gone or others."""
    lost = [picture for picture in pictures if not has_bytes(picture)]
    if lost:
        first = ", ".join(f"{item.output.generation_id}/{item.output.filename}" for item in lost[:3])
        raise NotFoundError(
            f"The bytes of {len(lost)} of {len(pictures)} pictures are gone from the disk: {first}"
            f"{', ...' if len(lost) > 3 else ''}. Re-roll them, or send skip_lost=true to leave them out.",
            code="file_lost",
        )


def has_bytes(picture: ExportPicture) -> bool:
    """Whether its file is there, with as many bytes as it had. Blocks."""
    if picture.output.lost_at is not None:
        return False
    try:
        return picture.path.stat().st_size == picture.output.size
    except OSError:
        return False
