"""What works with the models that are installed now."""

from __future__ import annotations

from ..forge.graphs.capabilities import Capabilities, Method
from . import responses
from .context import Call, Endpoint


async def capabilities(call: Call) -> responses.CapabilitiesAnswer:
    found = await call.services.health.capabilities()
    return responses.CapabilitiesAnswer.model_validate(found, from_attributes=True)


def summary(found: Capabilities) -> responses.CapabilitiesSummary:
    """The same table in short, for `/health`."""
    families = {
        checkpoint.family: responses.FamilySummary(
            pose=_working(checkpoint.pose), reference=_working(checkpoint.reference)
        )
        for checkpoint in found.checkpoints
        if checkpoint.family
    }
    return responses.CapabilitiesSummary(
        families=families, pose_extractors=_working(found.pose_extractors), missing=list(found.reasons)
    )


def _working(methods: tuple[Method, ...]) -> list[str]:
    return [method.name for method in methods if method.works]


ENDPOINTS = (
    Endpoint(
        "GET",
        "/capabilities",
        capabilities,
        "Which pose and reference methods work with each checkpoint, and what is missing for the others",
        "utility",
        answer=responses.CapabilitiesAnswer,
    ),
)
