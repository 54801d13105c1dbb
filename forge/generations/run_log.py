"""Logs one line when a generation is accepted, and one when it ends.

A line has ids, kinds, numbers and reasons, but no text of a prompt unless LOG_PROMPTS is set: logs are pasted
into bug reports.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field

from ...db.records import GenerationRecord

log = logging.getLogger("avatarforge")


@dataclass
class Stopwatch:
    """When a prompt was queued and when it started, in seconds of the monotonic clock."""

    queued: float = field(default_factory=time.monotonic)
    started: float | None = None

    def start(self) -> None:
        if self.started is None:
            self.started = time.monotonic()

    def summary(self) -> str:
        """Text such as ", waited 0.3 s, ran 12.0 s"."""
        now = time.monotonic()
        if self.started is None:
            return f", waited {now - self.queued:.1f} s"
        return f", waited {self.started - self.queued:.1f} s, ran {now - self.started:.1f} s"


class RunLogger:
    def __init__(self, *, log_prompts: bool) -> None:
        self._log_prompts = log_prompts

    def accepted(self, record: GenerationRecord) -> None:
        texts = f", texts: {_texts(record)}" if self._log_prompts else ""
        log.info("AvatarForge: generation %s accepted: %s%s", record.id, _summary(record), texts)


def completed(record: GenerationRecord, timing: str) -> None:
    log.info("AvatarForge: generation %s completed: %s%s", record.id, _summary(record), timing)


def failed(record: GenerationRecord, reason: str, timing: str) -> None:
    """`reason` is AvatarForge's own text or the type of an exception, never a node's message."""
    log.warning("AvatarForge: generation %s failed: %s%s: %s", record.id, _summary(record), timing, reason)


def _summary(record: GenerationRecord) -> str:
    if record.reroll:
        return f"{record.kind}, re-roll of {record.reroll.describe(record.spec)}"
    return f"{record.kind}, pictures: {len(record.spec.pictures)}"


def _texts(record: GenerationRecord) -> str:
    spec = record.spec
    # ASCII JSON, so that a line break in a prompt cannot forge a log line.
    return json.dumps(
        {
            "prompt": spec.prompt,
            "clothing": spec.clothing,
            "style": spec.style,
            "negative_prompt": spec.negative_prompt,
        }
    )
