"""One request of a batch, and errors that name it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..errors import AvatarForgeError, UnprocessableError
from ..spec.avatar import Kind
from ..spec.request import AvatarRequest

#: Requests in one batch.
MOST_REQUESTS = 1000
#: Pictures that would be sent again with every request.
_AS_FILES = {"pose_image": "pose_file_id", "reference_image": "reference_file_id"}


@dataclass(frozen=True)
class BatchRequest:
    """A request for one generation, as `GenerationService.submit` takes it: if `views` is None, it has one
    picture."""

    request: AvatarRequest
    kind: Kind
    views: tuple[str, ...] | None


@contextmanager
def about_request(index: int) -> Iterator[None]:
    """Errors raised in this block name the request at this position of the batch, from 0."""
    try:
        yield
    except UnprocessableError as error:
        raise UnprocessableError(
            error.detail,
            ("body", "requests", index, *error.location[1:]),
            error.kind,
            code=error.code,
            parameters={**error.parameters, "request": index},
        ) from error
    except AvatarForgeError as error:
        error.args = (f"requests[{index}]: {error.detail}",)
        error.parameters = {**error.parameters, "request": index}
        raise


def check_files_only(request: AvatarRequest) -> None:
    """Raises UnprocessableError for a picture as base64."""
    for name, instead in _AS_FILES.items():
        if getattr(request, name) is not None:
            raise UnprocessableError(
                f"{name} cannot be used in a batch: upload the picture once, and send its id as {instead}.",
                ("body", name),
                code="field_not_applicable",
                parameters={"field": name},
            )
