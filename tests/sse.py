"""A parser for server-sent events (HTML Living Standard, 9.2.6)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Event:
    id: str
    kind: str
    data: dict[str, Any] = field(repr=False)

    @property
    def number(self) -> int:
        return int(self.id.rpartition("-")[2])


def read(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events in `lines`, which have no line breaks. Skips comments and an incomplete last event."""
    fields: dict[str, str] = {}
    for line in lines:
        if line == "":
            if "data" in fields:
                yield Event(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"]))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
