"""What people do with many generations at once: filter them, note favourites and tags, and delete them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from ...db import gallery, terms
from ...db import generations as queries
from ...db.engine import Database
from ...db.gallery import GalleryFilter
from ...db.records import GenerationRecord
from ..errors import UnprocessableError
from .removal import GenerationRemover
from .tracker import GenerationTracker

__all__ = ["ChosenOnes", "GalleryFilter", "GalleryService", "Offered", "tag_key", "to_filter"]

log = logging.getLogger("avatarforge")

#: Generations of one request.
MOST_CHOSEN = 500
MOST_TAGS = 20  # of one generation
LONGEST_TAG = 50  # characters
LONGEST_SEARCH = 200  # characters
#: Values of each filter that are offered, those of the most generations first.
MOST_OFFERED = 200
#: Other writes have their turn between two parts of a large deletion.
_DELETED_AT_ONCE = 50


@dataclass(frozen=True)
class Offered:
    """A value of a filter and how many generations have it. `name` is what people call it."""

    value: str
    name: str
    number: int


@dataclass(frozen=True)
class Offers:
    """The values of each filter that at least one generation has."""

    models: list[Offered]
    characters: list[Offered]
    tags: list[Offered]
    views: list[Offered]
    kinds: list[Offered]
    favourites: int


@dataclass(frozen=True)
class ChosenOnes:
    """What became of the chosen generations; `missing` are the ids that no generation has."""

    records: list[GenerationRecord]
    missing: list[str]


def tag_key(tag: str) -> str:
    """A tag in the form in which tags are kept: case and spaces around words make no difference."""
    return " ".join(terms.search_key(tag).split())


def to_filter(
    *,
    q: str | None = None,
    status: str | None = None,
    character_id: str | None = None,
    batch_id: str | None = None,
    view: str | None = None,
    kind: str | None = None,
    model: str | None = None,
    tag: str | None = None,
    favourite: bool = False,
    created_from: int | None = None,
    created_before: int | None = None,
    oldest_first: bool = False,
) -> GalleryFilter | None:
    """The filter of a request. None if it needs nothing of what only the gallery's index has."""
    words = tuple(dict.fromkeys(terms.search_key(q).split())) if q else ()
    named = [
        (kind_of_term, value)
        for kind_of_term, value in (
            (terms.VIEW, view),
            (terms.KIND, kind),
            (terms.MODEL, model),
            (terms.TAG, tag),
        )
        if value is not None
    ]
    if favourite:
        named.append(terms.FAVOURITE)
    if not (named or words or oldest_first or created_from is not None or created_before is not None):
        return None
    for kind_of_term, value in ((terms.STATUS, status), (terms.CHARACTER, character_id)):
        if value is not None:
            named.append((kind_of_term, value))
    return GalleryFilter(tuple(named), words, batch_id, created_from, created_before, oldest_first)


class GalleryService:
    """Every method raises the errors of `forge.errors`. Ids that no generation has are told, not refused:
    somebody else may have deleted them."""

    def __init__(self, database: Database, tracker: GenerationTracker, remover: GenerationRemover) -> None:
        self._database = database
        self._tracker = tracker
        self._remover = remover

    async def offers(self) -> Offers:
        """The values that the filters can have now."""
        return await self._database.read(_offers)

    async def chosen(self, generation_ids: Sequence[str]) -> ChosenOnes:
        return await self._database.read(partial(_chosen, generation_ids=generation_ids))

    async def mark(
        self,
        generation_ids: Sequence[str],
        *,
        favourite: bool | None,
        added: Sequence[str],
        removed: Sequence[str],
    ) -> ChosenOnes:
        """Make generations favourites or not (None: as before), and add and remove tags: for all, or for
        none. Raises UnprocessableError if one would have too many tags."""
        change = partial(
            _mark, generation_ids=generation_ids, favourite=favourite, added=added, removed=removed
        )
        return await self._database.write(change)

    async def delete(self, generation_ids: Sequence[str], *, keep_outputs: bool) -> ChosenOnes:
        """Delete generations as `GenerationService.delete` does. What a crash interrupts can be repeated."""
        work = self._delete(list(dict.fromkeys(generation_ids)), keep_outputs=keep_outputs)
        chosen = await asyncio.shield(asyncio.create_task(work))
        log.info("AvatarForge: %s generations deleted", len(chosen.records))
        return chosen

    async def _delete(self, generation_ids: list[str], *, keep_outputs: bool) -> ChosenOnes:
        deleted: list[GenerationRecord] = []
        missing: list[str] = []
        for start in range(0, len(generation_ids), _DELETED_AT_ONCE):
            some = generation_ids[start : start + _DELETED_AT_ONCE]
            async with self._tracker.queue_lock:
                found = await self.chosen(some)
                if found.records:
                    await self._remover.delete_rows(found.records, keep_outputs=keep_outputs)
            deleted += found.records
            missing += found.missing
        await self._remover.remove_outputs(deleted, keep_outputs=keep_outputs)
        return ChosenOnes(deleted, missing)


def _chosen(connection: Connection, generation_ids: Sequence[str]) -> ChosenOnes:
    wanted = list(dict.fromkeys(generation_ids))
    records = queries.get_many(connection, wanted)
    found = {record.id for record in records}
    return ChosenOnes(records, [generation_id for generation_id in wanted if generation_id not in found])


def _mark(
    connection: Connection,
    generation_ids: Sequence[str],
    favourite: bool | None,
    added: Sequence[str],
    removed: Sequence[str],
) -> ChosenOnes:
    chosen = _chosen(connection, generation_ids)
    for record in chosen.records:
        if len({*record.tags, *added} - set(removed)) > MOST_TAGS:
            raise UnprocessableError(
                f"Generation {record.id} would have more than {MOST_TAGS} tags. Remove one first.",
                ("body", "add_tags"),
                code="too_many_tags",
                parameters={"limit": MOST_TAGS},
            )
    gallery.mark(connection, chosen.records, favourite=favourite, added=added, removed=removed)
    return _chosen(connection, generation_ids)


def _offers(connection: Connection) -> Offers:
    characters = terms.listed(connection, terms.CHARACTER, MOST_OFFERED)
    names = terms.character_names(connection, [value for value, _ in characters])
    favourites = terms.find(connection, terms.FAVOURITE)

    def plain(kind: str) -> list[Offered]:
        listed = terms.listed(connection, kind, MOST_OFFERED)
        return [Offered(value, value, number) for value, number in listed]

    return Offers(
        models=plain(terms.MODEL),
        characters=[Offered(value, names.get(value, value), number) for value, number in characters],
        tags=plain(terms.TAG),
        views=plain(terms.VIEW),
        kinds=plain(terms.KIND),
        favourites=favourites[1] if favourites else 0,
    )
