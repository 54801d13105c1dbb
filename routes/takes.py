"""The endpoints of takes: the pictures that re-rolls have made of one view, and which of them is current."""

from __future__ import annotations

import re

from ..forge.errors import NotFoundError
from . import rendering, responses
from .context import Answer, Call, Endpoint

_PATH = "/generations/{generation_id}/views/{view}/takes"
#: More digits than any take has.
_NUMBER = re.compile("[1-9][0-9]{0,8}")


def _take(call: Call) -> int:
    """The number in the path. Raises NotFoundError for anything else."""
    text = call.path("take")
    if not _NUMBER.fullmatch(text):
        raise NotFoundError("This picture has no such take.", code="take_not_found")
    return int(text)


async def list_takes(call: Call) -> Answer:
    takes = await call.services.takes.list(call.path("generation_id"), call.path("view"))
    return rendering.render_takes(takes)


async def choose(call: Call) -> Answer:
    record = await call.services.takes.choose(call.path("generation_id"), call.path("view"), _take(call))
    return rendering.render_generation(record, call.services.live)


async def delete(call: Call) -> responses.TakeDeletedAnswer:
    generation_id, view, take = call.path("generation_id"), call.path("view"), _take(call)
    await call.services.takes.delete(generation_id, view, take)
    return responses.TakeDeletedAnswer(
        generation_id=generation_id, take=take, deleted=True, message="Take deleted"
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        _PATH,
        list_takes,
        "The takes of a picture: what its re-rolls have made",
        "generations",
        answer=responses.TakesAnswer,
        refusals=(404, 422),
    ),
    Endpoint(
        "POST",
        f"{_PATH}/{{take}}/choose",
        choose,
        "Make a take the current one of its picture",
        "generations",
        answer=responses.GenerationAnswer,
        refusals=(404, 422),
    ),
    Endpoint(
        "DELETE",
        f"{_PATH}/{{take}}",
        delete,
        "Delete a take that is not the current one",
        "generations",
        answer=responses.TakeDeletedAnswer,
        refusals=(404, 409, 422),
    ),
)
