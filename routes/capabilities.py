"""The endpoint for what works with the installed models."""

from __future__ import annotations

from ..forge.graphs.capabilities import Capabilities
from ..forge.graphs.method import Method
from . import responses
from .context import Call, Endpoint


async def capabilities(call: Call) -> responses.CapabilitiesAnswer:
    table = await call.services.health.capabilities()
    return responses.CapabilitiesAnswer.model_validate(table, from_attributes=True)


def summary(table: Capabilities) -> responses.CapabilitiesSummary:
    """A short form of the capabilities, for `/health`."""
    families = {
        model.family: responses.FamilySummary(pose=_working(model.pose), reference=_working(model.reference))
        for model in table.models
        if model.family and not model.drawn
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
        "Which pose and reference methods work with each model, and what is missing for the others",
        "utility",
        answer=responses.CapabilitiesAnswer,
    ),
)
