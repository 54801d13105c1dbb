"""Helpers for tests of batches with the fake host."""

from __future__ import annotations

from services import Product

from avatarforge.forge.generations.batches import Batch, BatchRequest
from avatarforge.forge.ports import PromptEvent
from avatarforge.forge.spec.request import AvatarRequest


def item(prompt: str = "a knight", **values: object) -> BatchRequest:
    """A request for one picture."""
    return BatchRequest(AvatarRequest(prompt=prompt, **values), "avatar", None)  # type: ignore[arg-type]


async def submit_batch(forge: Product, *items: BatchRequest, name: str | None = None) -> Batch:
    return await forge.batches.submit(items or (item(), item(), item()), name, None)


def ids(batch: Batch) -> list[str]:
    return [found.generation_id for found in batch.items]


def statuses(batch: Batch) -> list[str]:
    return [found.status for found in batch.items]


async def handed_out(forge: Product, count: int) -> list[str]:
    """Wait until so many prompts were enqueued, and return their ids."""
    while len(forge.host.submitted) < count:
        await forge.batches.page(limit=1, cursor=None, text=None)  # each read lets other tasks run
    return forge.host.submitted


async def finish(forge: Product, count: int) -> None:
    """Let the next `count` prompts of ComfyUI's queue succeed, one after another."""
    for _ in range(count):
        while not forge.host.queued:
            await forge.batches.page(limit=1, cursor=None, text=None)
        prompt_id = forge.host.queued[0]
        forge.host.succeed(prompt_id)
        await forge.until(await owner(forge, prompt_id), "completed", "failed")


async def fail_next(forge: Product) -> None:
    while not forge.host.queued:
        await forge.batches.page(limit=1, cursor=None, text=None)
    prompt_id = forge.host.queued[0]
    forge.host.start(prompt_id)
    forge.host.end(PromptEvent("failed", prompt_id, "no", reason="KSampler (node 5): ValueError"))
    await forge.until(await owner(forge, prompt_id), "failed")


async def owner(forge: Product, prompt_id: str) -> str:
    """The id of the generation with this prompt."""
    page = await forge.generations.page(status=None, limit=100, offset=0, cursor=None)
    return next(record.id for record in page.records if record.prompt_id == prompt_id)


async def until_batch(forge: Product, batch_id: str, *wanted: str) -> Batch:
    while (batch := await forge.batches.get(batch_id)).status not in wanted:
        pass  # each read lets other tasks run; pytest's own timeout bounds this
    return batch
