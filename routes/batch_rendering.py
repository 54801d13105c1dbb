"""Renders batches to the API's JSON."""

from __future__ import annotations

from pydantic_core import to_json

from ..forge.generations.batches import Batch
from ..forge.live.state import BatchState
from .json_body import JsonBody
from .rendering import iso_time


def batch_fields(state: BatchState) -> dict[str, object]:
    """The fields of `responses.BatchSummary` in its order, as plain values."""
    summary = state.summary
    record, counts = summary.record, summary.counts
    ended_at = record.completed_at if not counts.active else None
    return {
        "batch_id": record.id,
        "name": record.name,
        "status": summary.status,
        "total": record.total,
        "completed": counts.completed,
        "failed": counts.failed,
        "deleted": summary.deleted,
        "progress": round(float(state.progress), 4),
        "eta_seconds": None if state.eta_seconds is None else float(state.eta_seconds),
        "created_at": iso_time(record.created_at),
        "completed_at": None if ended_at is None else iso_time(ended_at),
    }


def render_batch(batch: Batch) -> JsonBody:
    """Render a `responses.BatchAnswer`."""
    items = [
        {"generation_id": item.generation_id, "status": item.status, **vars(batch.cell_of(item))}
        for item in batch.items
    ]
    return JsonBody(to_json({**batch_fields(batch.state), "generations": items}))
