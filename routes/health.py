"""Health and the list of views."""

from __future__ import annotations

from ..forge.views import VIEWS
from . import capabilities, schemas
from .context import Call, Caller, Endpoint, Unavailable


async def health(call: Call) -> schemas.HealthAnswer | schemas.HealthStatus:
    found = await call.services.health.measure()
    status = schemas.HealthStatus(api_status="degraded" if found.reasons else "healthy")
    if not call.caller.known:  # the rest tells of this machine: versions, arguments, models
        return status
    return schemas.HealthAnswer(
        api_status=status.api_status,
        reason=" ".join(found.reasons) or None,
        comfyui=schemas.ComfyPart(status="healthy", url=found.url, stats=dict(found.stats)),
        database=schemas.Part(
            status="unhealthy" if found.database_fault else "healthy", reason=found.database_fault
        ),
        storage=schemas.StoragePart(
            status="unhealthy" if found.storage_fault else "healthy",
            reason=found.storage_fault,
            files=found.stored_files,
            bytes=found.stored_bytes,
        ),
        queue=schemas.QueuePart(
            status="unhealthy" if found.queue_fault else "healthy",
            reason=found.queue_fault,
            waiting=found.waiting,
            running=found.running,
            generations=dict(found.generations),
        ),
        capabilities=capabilities.summary(found.capabilities),
    )


async def health_while_unavailable(
    state: Unavailable, caller: Caller
) -> schemas.HealthAnswer | schemas.HealthStatus:
    """The same shapes while the pack could not start."""
    if not caller.known:
        return schemas.HealthStatus(api_status="unavailable")
    stopped = "AvatarForge could not start."
    return schemas.HealthAnswer(
        api_status="unavailable",
        reason=state.reason,
        comfyui=schemas.ComfyPart(status="healthy", url=state.url, stats=dict(await state.system_stats())),
        database=schemas.Part(status="unhealthy", reason=stopped),
        storage=schemas.StoragePart(status="unhealthy", reason=stopped),
        queue=schemas.QueuePart(status="unhealthy", reason=stopped),
        capabilities=schemas.CapabilitiesSummary(missing=[stopped]),
    )


async def poses(_: Call) -> schemas.PosesAnswer:
    return schemas.PosesAnswer(
        poses=[
            schemas.Pose(name=view.name, description=view.description, narrow=view.narrow)
            for view in VIEWS.values()
        ]
    )


HEALTH = Endpoint(
    "GET",
    "/health",
    health,
    "Health of the API, of ComfyUI, of the database and of the storage",
    "utility",
    answer=schemas.HealthAnswer,
    for_strangers=schemas.HealthStatus,
)
ENDPOINTS = (
    HEALTH,
    Endpoint("GET", "/poses", poses, "The supported views", "utility", answer=schemas.PosesAnswer),
)
