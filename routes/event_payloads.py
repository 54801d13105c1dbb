"""Renders events and webhooks. Each is rendered once, however many clients receive it."""

from __future__ import annotations

import json
from typing import Any

from ..forge.generations.batches import BatchSummary
from ..forge.generations.service import GenerationRecord
from ..forge.live.state import BatchEvent, BatchState, GenerationEvent, LiveState
from . import rendering
from .batch_rendering import batch_fields


def event_json(event: GenerationEvent | BatchEvent) -> str:
    """The `data` of a server-sent event: one line of JSON."""
    if isinstance(event, BatchEvent):
        return _batch_event_json(event)
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
        data["waiting_rerolls"] = rendering.waiting_rerolls(record)
        data["tries"] = rendering.tries(record)
    elif event.kind in ("completed", "failed"):
        data["generation"] = rendering.generation_fields(record, state)
    return json.dumps(data, separators=(",", ":"))


def _batch_event_json(event: BatchEvent) -> str:
    fields = batch_fields(event.state)
    if event.kind == "batch_deleted":
        fields = {"batch_id": fields["batch_id"]}
    data = {"batch_id": fields.pop("batch_id"), "at": rendering.iso_time(event.at), **fields}
    return json.dumps(data, separators=(",", ":"))


def webhook_json(subject: GenerationRecord | BatchSummary) -> str:
    """The body of a webhook, with the type, timestamp and data that Standard Webhooks recommends."""
    if isinstance(subject, BatchSummary):
        return _webhook(
            f"batch.{subject.status}",
            subject.record.completed_at or subject.record.created_at,
            batch_fields(BatchState(subject, 1.0)),
        )
    return _generation_webhook(subject)


def _generation_webhook(record: GenerationRecord) -> str:
    state = LiveState(1.0 if record.status == "completed" else 0.0)
    at = record.completed_at or record.created_at
    return _webhook(f"generation.{record.status}", at, rendering.generation_fields(record, state))


def _webhook(kind: str, at: int, data: dict[str, object]) -> str:
    body = {"type": kind, "timestamp": rendering.iso_time(at), "data": data}
    return json.dumps(body, separators=(",", ":"))
