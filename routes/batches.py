"""The endpoints of batches: submit, list, get, cancel, retry and delete."""

from __future__ import annotations

from functools import partial

from ..forge.errors import UnprocessableError
from ..forge.generations.batches import Batch, BatchRequest
from ..forge.idempotency import Claim
from ..forge.settings import Settings
from ..forge.spec.request import AvatarRequest
from ..forge.spec.views import SHEET_VIEWS
from . import batch_requests, queries, responses
from .batch_rendering import batch_fields, render_batch
from .context import Answer, BodyLimits, Call, Endpoint
from .idempotency import HEADERS as IDEMPOTENT
from .idempotency import replay_or_run


def _size(settings: Settings) -> int:
    return settings.max_batch_size


#: Values: a hundred for each of a thousand requests. A request with every field has some forty, and each LoRA
#: or reference a few more.
LIMITS = BodyLimits(_size, depth=16, values=100_000)


async def submit(call: Call) -> Answer:
    services = call.services
    body = call.validated_body(batch_requests.BatchBody)

    async def work(claim: Claim | None) -> Batch:
        items = await services.workers.disk(_requests, body)
        return await services.batches.submit(items, body.name, body.callback_url, claim)

    return await replay_or_run(call, work, services.batches.get, render_batch)


async def get(call: Call) -> Answer:
    batch_id, wait = call.path("batch_id"), call.validated_query(queries.WaitQuery).wait
    batches = call.services.batches
    return render_batch(await (batches.get_when_ended(batch_id, wait) if wait else batches.get(batch_id)))


async def list_page(call: Call) -> responses.BatchesAnswer:
    query = call.validated_query(batch_requests.BatchesQuery)
    page = await call.services.batches.page(
        limit=query.limit, cursor=query.cursor, text=query.q, character_id=query.character_id
    )
    return responses.BatchesAnswer(
        total=page.total,
        batches=[responses.BatchSummary.model_validate(batch_fields(state)) for state in page.states],
        limit=query.limit,
        next_cursor=page.next_cursor,
    )


async def cancel(call: Call) -> Answer:
    return render_batch(await call.services.batches.cancel(call.path("batch_id")))


async def retry(call: Call) -> Answer:
    batches = call.services.batches
    return await replay_or_run(call, partial(batches.retry, call.path("batch_id")), batches.get, render_batch)


async def delete(call: Call) -> responses.BatchDeletedAnswer:
    batch_id = call.path("batch_id")
    keep = call.validated_query(batch_requests.KeepGenerationsQuery).keep_generations
    await call.services.batches.delete(batch_id, keep_generations=keep)
    return responses.BatchDeletedAnswer(
        batch_id=batch_id,
        deleted=True,
        message="Batch deleted; its generations stay" if keep else "Batch and its generations deleted",
    )


def _requests(body: batch_requests.BatchBody) -> list[BatchRequest]:
    """The requests of a body. Raises UnprocessableError for a view that is missing or not wanted."""
    found = []
    for index, item in enumerate(body.requests):
        values = item.model_dump(exclude_unset=True)
        kind, view = values.pop("kind", "avatar"), values.pop("pose", None)
        if (view is not None) != (kind == "pose"):
            raise UnprocessableError(
                "A request of the kind pose needs the view in pose, and others have none.",
                ("body", "requests", index, "pose"),
                code="field_not_applicable",
                parameters={"field": "pose", "request": index},
            )
        views = {"avatar": None, "pose": (view,), "all_poses": SHEET_VIEWS}[kind]
        found.append(BatchRequest(AvatarRequest(**values), kind, views))
    return found


ENDPOINTS = (
    Endpoint(
        "POST",
        "/batch",
        submit,
        "Accept up to 1,000 requests as one batch; all, or none",
        "batches",
        answer=responses.BatchAnswer,
        body=batch_requests.BatchBody,
        limits=LIMITS,
        refusals=(404, 408, 409, 411, 413, 415),
        headers=IDEMPOTENT,
    ),
    Endpoint(
        "GET",
        "/batch",
        list_page,
        "List batches, newest first",
        "batches",
        answer=responses.BatchesAnswer,
        query=batch_requests.BatchesQuery,
    ),
    Endpoint(
        "GET",
        "/batch/{batch_id}",
        get,
        "Status of a batch, its progress, and its generations",
        "batches",
        answer=responses.BatchAnswer,
        query=queries.WaitQuery,
        refusals=(404,),
    ),
    Endpoint(
        "POST",
        "/batch/{batch_id}/cancel",
        cancel,
        "Stop everything in a batch that has not ended",
        "batches",
        answer=responses.BatchAnswer,
        refusals=(404, 409),
    ),
    Endpoint(
        "POST",
        "/batch/{batch_id}/retry",
        retry,
        "Run the failed generations of a batch again, with the same seeds and graphs",
        "batches",
        answer=responses.BatchAnswer,
        refusals=(404, 409),
        headers=IDEMPOTENT,
    ),
    Endpoint(
        "DELETE",
        "/batch/{batch_id}",
        delete,
        "Delete a batch with its generations; what has not ended is cancelled first",
        "batches",
        answer=responses.BatchDeletedAnswer,
        query=batch_requests.KeepGenerationsQuery,
        refusals=(404,),
    ),
)
