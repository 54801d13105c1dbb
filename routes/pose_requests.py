"""Request models about the pose library."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from ..forge.spec.views import ViewName
from .queries import Query
from .requests import Body
from .value_types import FileCursor, Name, QueryWhole, StoredId

PoseName = Annotated[Name, StringConstraints(min_length=1, max_length=100)]
PoseFileId = Annotated[StoredId, Field(max_length=64)]


class LibraryPoseVersionBody(Body):
    """A pose to save in the place of another one."""

    pose: dict[str, Any] | PoseFileId = Field(
        description="OpenPose JSON, or the id of an uploaded file: OpenPose JSON or a skeleton picture."
    )


class LibraryPoseBody(LibraryPoseVersionBody):
    """A pose to save."""

    name: PoseName = Field(description="Unique, also among built-in poses; capitals make no difference.")


class LibraryQuery(Query):
    limit: QueryWhole = Field(50, ge=1, le=100, description="Saved poses per page.")
    cursor: FileCursor | None = Field(
        None, max_length=64, description="next_cursor of the page before: arrivals do not shift the pages."
    )
    q: Name | None = Field(None, max_length=100, description="Only those with this in their name.")


class LibraryPoseQuery(Query):
    view: ViewName | None = Field(None, description="Turned to this view; as saved when left out.")
    mirrored: bool = Field(False, description="With left and right exchanged.")
