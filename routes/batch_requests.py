"""Request models about batches."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, create_model

from ..forge.spec.views import ViewName
from .requests import AvatarBody, Body, FileCursor, Name, Query, QueryWhole

#: Requests in one batch.
MOST_REQUESTS = 1000

_KINDS: Any = Literal["avatar", "pose", "all_poses"]

# Built on the body of a single request, so that it takes every field of that.
BatchRequestBody = create_model(
    "BatchRequestBody",
    __base__=AvatarBody,
    __module__=__name__,
    __doc__="One request of a batch: what to make, and every field of a single request.",
    kind=(
        _KINDS,
        Field("avatar", description="As POST /generate/avatar, /generate_pose or /generate_all_poses."),
    ),
    pose=(ViewName | None, Field(None, description="For the kind `pose`: the view to draw.")),
)


class BatchBody(Body):
    """Requests that belong together."""

    requests: list[BatchRequestBody] = Field(
        min_length=1, max_length=MOST_REQUESTS, description="They are accepted together, or none is."
    )
    name: Annotated[Name, StringConstraints(min_length=1, max_length=100)] | None = Field(
        None, description="For people; it need not be unique."
    )
    callback_url: str | None = Field(
        None, max_length=2048, description="Called once when all have ended (Standard Webhooks)."
    )


class BatchesQuery(Query):
    limit: QueryWhole = Field(50, ge=1, le=100, description="Results per page.")
    cursor: FileCursor | None = Field(
        None, max_length=64, description="next_cursor of the page before: arrivals do not shift the pages."
    )
    q: Name | None = Field(None, max_length=100, description="Only those with this in their name.")


class KeepGenerationsQuery(Query):
    keep_generations: bool = Field(
        False, description="Keep the generations and their pictures, as single ones."
    )
