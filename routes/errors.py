"""From errors to answers: one table, and one place that turns what was raised into JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import ClientPayloadError, web
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from ..forge import errors
from ..forge.store.db_errors import database_error

STATUS: Mapping[type[errors.AvatarForgeError], int] = {
    errors.RejectedUploadError: 400,
    errors.UnauthorizedError: 401,
    errors.ForbiddenError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.TooLargeError: 413,
    errors.UnprocessableError: 422,
    errors.PromptRefusedError: 422,
    errors.TooManyRequestsError: 429,
    errors.UnavailableError: 503,
    errors.BusyError: 503,
    errors.SettingsError: 503,
    errors.StorageFullError: 507,
}

log = logging.getLogger("avatarforge")


def json_answer(
    body: bytes | str, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """JSON that nobody caches and no browser guesses at."""
    return web.Response(
        body=body.encode() if isinstance(body, str) else body,
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})},
    )


def error_answer(
    status: int, detail: str | Sequence[Mapping[str, Any]], headers: Mapping[str, str] | None = None
) -> web.Response:
    return json_answer(json.dumps({"detail": detail}), status, headers)


def answer_for(error: Exception) -> web.Response:
    """The answer to whatever a handler raised; never a traceback, never a path of the server."""
    if isinstance(error, ValidationError):
        return error_answer(422, problems(error))
    if isinstance(error, errors.UnprocessableError):
        return error_answer(422, [{"loc": list(error.location), "msg": error.detail, "type": error.kind}])
    if isinstance(error, errors.PromptRefusedError):
        return error_answer(422, [{"loc": ["body"], "msg": error.detail, "type": "prompt_refused"}])
    if isinstance(error, errors.AvatarForgeError):
        return error_answer(STATUS[type(error)], error.detail, _headers(error))
    if isinstance(error, web.HTTPRequestTimeout):
        answer = error_answer(error.status, error.reason)
        answer.force_close()  # RFC 9110 15.5.9: the rest of the body is not waited for
        return answer
    if isinstance(error, web.HTTPException):
        return error_answer(error.status, error.reason)
    if isinstance(error, (ClientPayloadError, ConnectionError)):
        return error_answer(400, "The connection ended before the whole request had arrived.")
    if isinstance(error, SQLAlchemyError):
        log.error("AvatarForge: the database failed: %s", error)
        return answer_for(database_error(error))
    log.error("AvatarForge: unexpected error", exc_info=error)
    return error_answer(500, "Something went wrong inside AvatarForge; ComfyUI's log has the details.")


def _headers(error: errors.AvatarForgeError) -> Mapping[str, str]:
    if isinstance(error, errors.UnauthorizedError):
        return {"WWW-Authenticate": "Bearer"}  # RFC 9110, 11.6.1: a 401 names what would do
    if isinstance(error, (errors.TooManyRequestsError, errors.BusyError)):
        return {"Retry-After": str(error.retry_after)}
    return {}


def problems(error: ValidationError, place: str | None = None) -> list[dict[str, Any]]:
    """pydantic's list, without the input itself, which may be megabytes of picture."""
    where = [place] if place else []
    return [
        {"loc": [*where, *problem["loc"]], "msg": problem["msg"], "type": problem["type"]}
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
