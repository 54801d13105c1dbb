"""One line in the log for each generation that was accepted, and one for its end.

Ids, kinds, numbers and reasons, never words of a prompt, unless LOG_PROMPTS asks for them: logs are
pasted into bug reports.
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
    """When a prompt entered the queue and when it was started; seconds of a clock that never jumps."""

    entered: float = field(default_factory=time.monotonic)
    started: float | None = None

    def start(self) -> None:
        if self.started is None:
            self.started = time.monotonic()

    def summary(self) -> str:
        """Such as ", waited 0.3 s, ran 12.0 s"."""
        now = time.monotonic()
        if self.started is None:
            return f", waited {now - self.entered:.1f} s"
        return f", waited {self.started - self.entered:.1f} s, ran {now - self.started:.1f} s"


class RunLogger:
    def __init__(self, *, log_prompts: bool) -> None:
        self._log_prompts = log_prompts

    def accepted(self, record: GenerationRecord) -> None:
        words = f", words: {_words(record)}" if self._log_prompts else ""
        log.info("AvatarForge: generation %s accepted: %s%s", record.id, _about(record), words)


def completed(record: GenerationRecord, timing: str) -> None:
    log.info("AvatarForge: generation %s completed: %s%s", record.id, _about(record), timing)


def failed(record: GenerationRecord, reason: str, timing: str) -> None:
    """`reason` is one of ours or the type of an exception, never what a node said."""
    log.warning("AvatarForge: generation %s failed: %s%s: %s", record.id, _about(record), timing, reason)


def _about(record: GenerationRecord) -> str:
    if record.reroll:
        return f"{record.kind}, re-roll of its {record.reroll.view} view"
    return f"{record.kind}, pictures: {len(record.spec.views)}"


def _words(record: GenerationRecord) -> str:
    spec = record.spec
    # As JSON in ASCII no line break of a prompt can forge a line of the log.
    return json.dumps(
        {
            "prompt": spec.prompt,
            "clothing": spec.clothing,
            "style": spec.style,
            "negative_prompt": spec.negative_prompt,
        }
    )
