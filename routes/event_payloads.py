"""Events and webhooks in the words of the API. Called once for each, wherever it is told."""

from __future__ import annotations

import json
from typing import Any

from ..forge.generations.service import GenerationRecord
from ..forge.live.state import GenerationEvent, LiveState
from . import rendering


def event_json(happening: GenerationEvent) -> str:
    """The `data` of a server-sent event: one line of JSON."""
    record, state = happening.record, happening.state
    data: dict[str, Any] = {
        "generation_id": happening.generation_id,
        "at": rendering.iso_time(happening.at),
        "status": record.status,
        "progress": rendering.progress(state),
    }
    if happening.kind == "queued":
        data["queue_position"] = state.queue_position
    elif happening.kind == "progress":
        data |= {"current": rendering.current(state), "eta_seconds": state.eta_seconds}
    elif happening.kind == "preview":
        data["previews"] = rendering.previews(happening.generation_id, state)
    elif happening.kind == "output":
        data["output_files"] = rendering.output_files(record)
    elif happening.kind in ("completed", "failed"):
        data["generation"] = rendering.generation_fields(record, state)
    return json.dumps(data, separators=(",", ":"))


def webhook_json(record: GenerationRecord) -> str:
    """The body of a webhook, in the form that Standard Webhooks recommends: type, timestamp, data."""
    state = LiveState(1.0 if record.status == "completed" else 0.0)
    body = {
        "type": f"generation.{record.status}",
        "timestamp": rendering.iso_time(record.completed_at or record.created_at),
        "data": rendering.generation_fields(record, state),
    }
    return json.dumps(body, separators=(",", ":"))
