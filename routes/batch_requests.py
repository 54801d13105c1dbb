"""Request models about batches."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, create_model

from ..forge.generations.batch_request import MOST_REQUESTS
from ..forge.spec.character_content import LONGEST_NAME, MOST_EXPRESSIONS, MOST_OUTFITS
from ..forge.spec.expressions import EXPRESSION_NAMES
from ..forge.spec.request import REQUEST_FIELDS
from ..forge.spec.views import VIEW_NAMES, ViewName
from .queries import Query
from .requests import AvatarBody, Body, declared
from .value_types import (
    CharacterVersion,
    Count,
    DistinctViews,
    FileCursor,
    Name,
    QueryId,
    QueryWhole,
    StoredId,
    Text,
    distinct,
)

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


#: Fields that the matrix itself decides, and pictures that would be sent again with every request.
_NOT_IN_BASE = {
    "prompt",
    "character_id",
    "character_version",
    "views",
    "count",
    "pose_image",
    "reference_image",
}
_LONGEST_PROMPT = 10_000


def _base_fields() -> dict[str, Any]:
    prompt = Field(None, max_length=_LONGEST_PROMPT, description="Added to the description of the character.")
    return {
        "prompt": (Text | None, prompt),
        **{name: declared(field) for name, field in REQUEST_FIELDS.items() if name not in _NOT_IN_BASE},
    }


MatrixBaseBody = create_model(
    "MatrixBaseBody",
    __base__=Body,
    __module__=__name__,
    __doc__="What all pictures of a matrix have in common: fields of a single request.",
    **_base_fields(),
)

_Option = Annotated[Text, StringConstraints(min_length=1, max_length=LONGEST_NAME)]
_PoseOption = Annotated[StoredId, StringConstraints(min_length=1, max_length=LONGEST_NAME)]
_Options = Annotated[list[_Option | None], distinct("value")]
_PoseOptions = Annotated[list[_PoseOption | None], distinct("pose")]


class MatrixBody(Body):
    """What varies: every combination is drawn. A list that is left out varies nothing."""

    outfits: _Options | None = Field(
        None,
        min_length=1,
        max_length=MOST_OUTFITS + 1,
        description="Outfits of the character; null is its usual clothing.",
    )
    expressions: _Options | None = Field(
        None,
        min_length=1,
        max_length=MOST_EXPRESSIONS + len(EXPRESSION_NAMES) + 1,
        description="Expressions, by name; null is none in particular.",
    )
    views: DistinctViews | None = Field(
        None,
        min_length=1,
        max_length=len(VIEW_NAMES),
        description="As POST /generate_pose; without them, as POST /generate/avatar.",
    )
    poses: _PoseOptions | None = Field(
        None,
        min_length=1,
        max_length=MOST_REQUESTS,
        description="Poses of the library, by id or name; null is the usual stance.",
    )
    count: Count | None = Field(
        None, description="Pictures of each combination: with the seed, the next one, and so on."
    )
    version: CharacterVersion | None = Field(None, description="Of the character; its newest when left out.")
    base: MatrixBaseBody | None = Field(None, description="What all pictures have in common.")
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
    character_id: QueryId | None = Field(None, description="Only those with a picture of this character.")


class KeepGenerationsQuery(Query):
    keep_generations: bool = Field(
        False, description="Keep the generations and their pictures, as single ones."
    )
