"""Renders events and webhooks. Each is rendered once, however many clients receive it."""

from __future__ import annotations

import json
from typing import Any

from ..forge.generations.service import GenerationRecord
from ..forge.live.state import GenerationEvent, LiveState
from . import rendering


def event_json(event: GenerationEvent) -> str:
    """The `data` of a server-sent event: one line of JSON."""
    record, state = event.record, event.state
    data: dict[str, Any] = {
        "generation_id": event.generation_id,
        "at": rendering.iso_time(event.at),
        "status": record.status,
        "progress": rendering.progress(state),
    }
    if event.kind == "queued":
        data["queue_position"] = state.queue_position
    elif event.kind == "progress":
        data |= {"current": rendering.current(state), "eta_seconds": state.eta_seconds}
    elif event.kind == "preview":
        data["previews"] = rendering.previews(event.generation_id, state)
    elif event.kind == "output":
        data["output_files"] = rendering.output_files(record)
    elif event.kind in ("completed", "failed"):
        data["generation"] = rendering.generation_fields(record, state)
    return json.dumps(data, separators=(",", ":"))


def webhook_json(record: GenerationRecord) -> str:
    """The body of a webhook, with the type, timestamp and data that Standard Webhooks recommends."""
    state = LiveState(1.0 if record.status == "completed" else 0.0)
    body = {
        "type": f"generation.{record.status}",
        "timestamp": rendering.iso_time(record.completed_at or record.created_at),
        "data": rendering.generation_fields(record, state),
    }
    return json.dumps(body, separators=(",", ":"))
