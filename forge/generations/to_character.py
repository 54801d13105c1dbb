"""Makes a character of a completed generation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from ...db import generations as queries
from ...db.engine import Database
from ...db.records import GenerationRecord, OutputRecord
from ..characters.saved import SavedCharacter
from ..characters.service import CharacterService
from ..errors import ConflictError, NotFoundError
from ..spec.avatar import AvatarSpec
from ..spec.views import VIEW_NAMES
from .output_copies import OutputCopies


class CharacterMaker:
    """Its pictures become identity references by view, and what decided them becomes the character."""

    def __init__(
        self,
        database: Database,
        copies: OutputCopies,
        characters: CharacterService,
    ) -> None:
        self._database = database
        self._copies = copies
        self._characters = characters

    async def make(self, generation_id: str, values: Mapping[str, Any]) -> SavedCharacter:
        """Save a character of a completed generation; `values` are fields that it has instead. Pictures are
        not stored if `values` have references.

        Raises NotFoundError, ConflictError, and what storing a file and `CharacterService.create` raise. An
        error leaves nothing behind.
        """
        record = await self._database.read(partial(queries.get, generation_id=generation_id))
        if record is None:
            raise NotFoundError(f"No generation {generation_id} exists.", code="generation_not_found")
        if record.status != "completed" or record.is_manual:
            raise ConflictError(
                "Only a completed generation of the API can become a character.",
                code="generation_not_completed",
            )
        found = _content(record.spec)
        async with AsyncExitStack() as undo:
            if "references" not in values:
                found["references"] = await self._store_pictures(record, undo)
            saved = await self._characters.create({**found, **values})
            undo.pop_all()
        return saved

    async def _store_pictures(self, record: GenerationRecord, undo: AsyncExitStack) -> list[dict[str, Any]]:
        """The pictures as references, each content once, in the order of the views. Of several pictures of
        a view, which show other people or other expressions, only the first."""
        references: dict[str, dict[str, Any]] = {}
        first = {picture.view: picture for picture in reversed(record.outputs)}
        for picture in sorted(first.values(), key=_place):
            received = await self._copies.store(picture, undo)
            reference = {"file_id": received.file.id, "role": "identity", "view": picture.view}
            references.setdefault(received.file.id, reference)
        return list(references.values())


def _place(picture: OutputRecord) -> int:
    return VIEW_NAMES.index(picture.view) if picture.view in VIEW_NAMES else len(VIEW_NAMES)


def _content(spec: AvatarSpec) -> dict[str, Any]:
    """What decided the pictures, as fields of a character. What a template decides is left to it."""
    description = ", ".join(filter(None, [spec.description, spec.prompt]))
    found: dict[str, Any] = {
        "description": description,
        "clothing": spec.clothing,
        "style": spec.style,
        "negative": spec.negative_prompt,
        "seed": spec.seed,
    }
    if spec.template is not None:
        return {**found, "template": spec.template.id}
    loras = [
        {"name": lora.name, "strength": lora.strength, "clip_strength": lora.clip_strength}
        for lora in spec.loras
        if not lora.helps
    ]
    return {**found, "realism": spec.realism, "model": spec.checkpoint, "loras": loras}
