"""The endpoint of matrices: one character in every combination of what varies, as one batch."""

from __future__ import annotations

from typing import Any

from ..forge.generations.batches import Batch
from ..forge.generations.matrix import Matrix
from ..forge.idempotency import Claim
from ..forge.settings import Settings
from ..forge.spec.request import AvatarRequest
from . import batch_requests, responses
from .batch_rendering import render_batch
from .context import Answer, BodyLimits, Call, Endpoint
from .idempotency import HEADERS as IDEMPOTENT
from .idempotency import replay_or_run

#: Bytes of the longest lists and texts, each character written as an escape of JSON.
LARGEST_BODY = 1024 * 1024


def _size(_: Settings) -> int:
    return LARGEST_BODY


#: Values: a thousand poses, and every field of a request.
LIMITS = BodyLimits(_size, depth=8, values=3_000)


async def submit(call: Call) -> Answer:
    services = call.services
    body = call.validated_body(batch_requests.MatrixBody)
    values = body.base.model_dump(exclude_unset=True) if body.base is not None else {}
    matrix = Matrix(
        outfits=_items(body.outfits),
        expressions=_items(body.expressions),
        views=_items(body.views),
        poses=_items(body.poses),
        count=body.count or 1,
    )

    async def work(claim: Claim | None) -> Batch:
        return await services.matrices.submit(
            call.path("character_id"),
            body.version,
            matrix,
            AvatarRequest(**values),
            name=body.name,
            callback_url=body.callback_url,
            claim=claim,
        )

    return await replay_or_run(call, work, services.batches.get, render_batch)


def _items(values: list[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/characters/{character_id}/matrix",
        submit,
        "Accept every combination of outfits, expressions, views and poses of a character as one batch",
        "batches",
        answer=responses.BatchAnswer,
        body=batch_requests.MatrixBody,
        limits=LIMITS,
        refusals=(404, 408, 409, 411, 413, 415),
        headers=IDEMPOTENT,
    ),
)
