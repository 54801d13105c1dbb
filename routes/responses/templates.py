"""Responses about templates."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ...forge.spec.template import Slot
from ..models import LazyModel


class FoundPlace(LazyModel):
    """A place that a slot fills."""

    node: str = Field(description="Id of the node in the graph.")
    title: str
    class_type: str
    input: str
    source: Literal["request", "title", "app", "node", "link"] = Field(
        description="What found it: the request, the node's title, App mode, our own node, or links from the "
        "sampler."
    )


class TemplateSummary(LazyModel):
    template_id: str
    name: str
    version: int = Field(description="1 for the first; If-Match takes it.")
    slots: dict[Slot, list[FoundPlace]] = Field(description="What a request can fill.")
    created_at: str
    updated_at: str


class TemplateAnswer(TemplateSummary):
    prompt: dict[str, dict[str, Any]] = Field(description="The graph, in API format.")
    workflow: dict[str, Any] | None = Field(description="The graph as the editor keeps it, if it was sent.")


class TemplatesAnswer(LazyModel):
    total: int = Field(description="How many match.")
    templates: list[TemplateSummary]
    limit: int
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last.")


class TemplateDeletedAnswer(LazyModel):
    template_id: str
    deleted: Literal[True]
    message: str


class MissingNode(LazyModel):
    node: str
    title: str
    class_type: str


class MissingModel(MissingNode):
    input: str
    value: str = Field(description="The file that is not installed.")


class InspectionAnswer(LazyModel):
    slots: dict[Slot, list[FoundPlace]]
    missing_nodes: list[MissingNode] = Field(description="Nodes that no installed pack has.")
    missing_models: list[MissingModel]
    problems: list[str] = Field(description="What else stands in the way of saving it.")


class SlotPlaces(LazyModel):
    node: str
    input: str


class TemplateFile(LazyModel):
    """A template as a file: POST /templates and POST /templates/import take it."""

    avatarforge_template: Literal[1] = Field(description="The version of the format.")
    name: str
    prompt: dict[str, dict[str, Any]]
    workflow: dict[str, Any] | None
    slots: dict[Slot, list[SlotPlaces]]
