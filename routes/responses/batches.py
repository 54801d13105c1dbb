"""Responses about batches."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...forge.spec.views import ViewName
from ..models import LazyModel
from .generations import Status


class BatchItem(LazyModel):
    generation_id: str
    status: Status
    outfit: str | None = Field(description="Of the character.")
    expression: str | None
    view: ViewName | None = Field(description="null: several views, or none in particular.")
    pose_id: str | None = Field(description="Of the pose library.")
    seed: int | None = Field(description="That it was accepted with; null: its template has no slot for one.")


class BatchSummary(LazyModel):
    batch_id: str
    name: str | None
    status: Status = Field(
        description="failed: all have ended, and at least one has failed or was cancelled."
    )
    total: int = Field(description="How many were accepted.")
    completed: int
    failed: int
    deleted: int = Field(description="How many were deleted one by one since.")
    progress: float = Field(description="0 to 1, with the share of those that run. 1: all have ended.")
    eta_seconds: float | None = Field(
        description="Running time left, by those that have run; single requests in between are not counted. "
        "null: not known."
    )
    created_at: str
    completed_at: str | None = Field(description="When the last one ended.")


class BatchAnswer(BatchSummary):
    generations: list[BatchItem] = Field(description="In the order of the request.")


class BatchesAnswer(LazyModel):
    total: int = Field(description="How many match.")
    batches: list[BatchSummary]
    limit: int
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last.")


class BatchDeletedAnswer(LazyModel):
    batch_id: str
    deleted: Literal[True]
    message: str
