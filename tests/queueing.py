"""Helpers for tests of the queue with the fake host."""

from __future__ import annotations

import asyncio

from services import Product

from avatarforge.db import row_counts
from avatarforge.db.records import GenerationRecord
from avatarforge.forge.generations.outputs import OutputFolder
from avatarforge.forge.generations.recorder import GenerationRecorder
from avatarforge.forge.ports import PromptEvent
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.spec.views import SHEET_VIEWS

KNIGHT = AvatarRequest(prompt="a knight", seed=5)


def outputs(forge: Product) -> OutputFolder:
    return OutputFolder(forge.host.output_folder)


def recorder(forge: Product) -> GenerationRecorder:
    tracker = forge.tracker
    return GenerationRecorder(forge.database, outputs(forge), tracker.is_deleted, tracker.record_start)


async def begin(forge: Product, record: GenerationRecord) -> None:
    """Record the start of a prompt, as the save node does when ComfyUI's worker gets its fingerprint."""
    await asyncio.to_thread(recorder(forge).record_start, record.prompt_id)


async def submit(forge: Product, kind: str = "avatar") -> GenerationRecord:
    views = SHEET_VIEWS if kind == "all_poses" else None
    return await forge.generations.submit(KNIGHT, kind, views)  # type: ignore[arg-type]


async def fail(forge: Product, record: GenerationRecord, error: str = "no") -> GenerationRecord:
    forge.host.start(record.prompt_id)
    forge.host.end(PromptEvent("failed", record.prompt_id, error, reason="KSampler (node 5): ValueError"))
    return await forge.until(record.id, "failed")


async def in_queue(forge: Product, count: int) -> None:
    while len(forge.host.submitted) < count:
        await count_generations(forge)  # each read lets other tasks run; pytest's own timeout bounds this


async def count_generations(forge: Product) -> int:
    return await forge.database.read(lambda connection: row_counts.count_generations(connection, None))
