"""Request models about templates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict, StringConstraints

from .queries import Query
from .requests import Body
from .value_types import FileCursor, Name, QueryWhole


class SlotPlace(Body):
    """A place that a slot fills."""

    node: Annotated[str, StringConstraints(min_length=1, max_length=200)] | Annotated[int, Strict()] = Field(
        description="Id of the node in the graph."
    )
    input: str | None = Field(
        None, min_length=1, max_length=200, description="Its input; chosen by the slot when left out."
    )


TemplateName = Annotated[Name, StringConstraints(min_length=1, max_length=100)]


class GraphBody(Body):
    """A graph that is, or could be, a template."""

    prompt: dict[str, Any] = Field(description="In API format: node id -> {class_type, inputs, _meta}.")
    workflow: dict[str, Any] | None = Field(
        None, description="The same graph as the editor keeps it: for App mode's marks, and to open it again."
    )
    slots: dict[str, SlotPlace | list[SlotPlace]] | None = Field(
        None, description="Slot -> its places; [] for none. Slots that are left out are looked for."
    )


class TemplateBody(GraphBody):
    """A graph as a new template."""

    name: TemplateName = Field(description="Unique; capitals make no difference.")


class TemplateVersionBody(GraphBody):
    """A graph as a new version of a template, or one to be inspected."""

    name: TemplateName | None = Field(None, description="A new name; kept when left out.")


class TemplateFileBody(TemplateBody):
    """A file of GET /templates/{template_id}/export."""

    avatarforge_template: Literal[1] | None = Field(None, description="The version of the format.")


class TemplatesQuery(Query):
    limit: QueryWhole = Field(50, ge=1, le=100, description="Results per page.")
    cursor: FileCursor | None = Field(
        None, max_length=64, description="next_cursor of the page before: arrivals do not shift the pages."
    )
    q: Name | None = Field(None, max_length=100, description="Only those with this in their name.")
