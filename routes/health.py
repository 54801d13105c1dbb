"""The endpoints for health and the list of views."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from ..forge.pictures.skeleton import LIMBS, Skeleton, view_skeleton
from ..forge.spec.views import SHEET_VIEWS, VIEWS
from . import capabilities, responses
from .context import Answer, Call, Caller, Endpoint, Unavailable
from .json_body import JsonBody

DRAWING_HEIGHT = 768  # pixels; the same for all views, so that they have the same scale side by side

log = logging.getLogger("avatarforge")


async def health(call: Call) -> responses.HealthAnswer | responses.HealthStatus:
    measured = await call.services.health.measure()
    status = responses.HealthStatus(api_status="degraded" if measured.reasons else "healthy")
    if not call.caller.authorized:  # the rest reveals versions, arguments and models of this machine
        return status
    return responses.HealthAnswer(
        api_status=status.api_status,
        reason=" ".join(measured.reasons) or None,
        comfyui=responses.ComfyPart(status="healthy", url=measured.url, stats=_printable(measured.stats)),
        database=responses.Part(
            status="unhealthy" if measured.database_fault else "healthy", reason=measured.database_fault
        ),
        storage=responses.StoragePart(
            status="unhealthy" if measured.storage_fault else "healthy",
            reason=measured.storage_fault,
            files=measured.stored_files,
            bytes=measured.stored_bytes,
        ),
        queue=responses.QueuePart(
            status="unhealthy" if measured.queue_fault else "healthy",
            reason=measured.queue_fault,
            waiting=measured.waiting,
            running=measured.running,
            generations=dict(measured.generations),
        ),
        capabilities=capabilities.summary(measured.capabilities),
    )


async def health_while_unavailable(
    state: Unavailable, caller: Caller
) -> responses.HealthAnswer | responses.HealthStatus:
    """The answer of `health` if the pack could not start."""
    if not caller.authorized:
        return responses.HealthStatus(api_status="unavailable")
    stopped = "AvatarForge could not start."
    try:
        stats = _printable(await state.system_stats())
    except Exception:  # another pack may have broken them, and the reason must be reported anyway
        log.exception("AvatarForge: ComfyUI's system statistics could not be read")
        stats = {}
    return responses.HealthAnswer(
        api_status="unavailable",
        reason=" ".join([state.reason, *state.other_faults()]),
        comfyui=responses.ComfyPart(status="healthy", url=state.url, stats=stats),
        database=responses.Part(status="unhealthy", reason=stopped),
        storage=responses.StoragePart(status="unhealthy", reason=stopped),
        queue=responses.QueuePart(status="unhealthy", reason=stopped),
        capabilities=responses.CapabilitiesSummary(missing=[stopped]),
    )


def _printable(stats: Mapping[str, Any]) -> dict[str, Any]:
    """Replace surrogates (PEP 383) in ComfyUI's arguments and folders, because JSON cannot contain them."""
    printable: dict[str, Any] = json.loads(
        json.dumps(dict(stats), ensure_ascii=False).encode("utf-8", "replace")
    )
    return printable


async def poses(_: Call) -> Answer:
    return _poses()


@functools.cache  # the views are constant
def _poses() -> JsonBody:
    views = [
        responses.Pose(
            name=view.name,
            description=view.description,
            narrow=view.narrow,
            skeleton=_drawing(view_skeleton(view.name)),
        )
        for view in (VIEWS[name] for name in SHEET_VIEWS)
    ]
    return JsonBody(to_json(responses.PosesAnswer(poses=views)))


def _drawing(skeleton: Skeleton) -> responses.SkeletonDrawing:
    width = round(DRAWING_HEIGHT * skeleton.aspect)
    return responses.SkeletonDrawing(
        width=width,
        height=DRAWING_HEIGHT,
        joints=[
            None if point is None else (round(point.x * width, 1), round(point.y * DRAWING_HEIGHT, 1))
            for point in skeleton.keypoints
        ],
        bones=list(LIMBS),
    )


HEALTH = Endpoint(
    "GET",
    "/health",
    health,
    "Health of the API, of ComfyUI, of the database and of the storage",
    "utility",
    answer=responses.HealthAnswer,
    anonymous_answer=responses.HealthStatus,
)
ENDPOINTS = (
    HEALTH,
    Endpoint("GET", "/poses", poses, "The supported views", "utility", answer=responses.PosesAnswer),
)
