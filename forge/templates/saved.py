"""A template as it is stored."""

from __future__ import annotations

from dataclasses import dataclass

from ...db.records import TemplateRecord, TemplateVersionRecord
from .slots import Slots, read_slots


@dataclass(frozen=True)
class SavedTemplate:
    """A template with its newest version. `content` is None in lists."""

    record: TemplateRecord
    content: TemplateVersionRecord | None = None

    @property
    def slots(self) -> Slots:
        return read_slots(self.record.slots_json)
