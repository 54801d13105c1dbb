"""The endpoint for what works with the installed models."""

from __future__ import annotations

from ..forge.graphs.capabilities import Capabilities, Method
from . import responses
from .context import Call, Endpoint


async def capabilities(call: Call) -> responses.CapabilitiesAnswer:
    table = await call.services.health.capabilities()
    return responses.CapabilitiesAnswer.model_validate(table, from_attributes=True)


def summary(table: Capabilities) -> responses.CapabilitiesSummary:
    """A short form of the capabilities, for `/health`."""
    families = {
        checkpoint.family: responses.FamilySummary(
            pose=_working(checkpoint.pose), reference=_working(checkpoint.reference)
        )
        for checkpoint in table.checkpoints
        if checkpoint.family
    }
    return responses.CapabilitiesSummary(
        families=families, pose_extractors=_working(table.pose_extractors), missing=list(table.reasons)
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
