"""Converts errors to responses: the status of each error class, and the JSON of any exception."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import ClientPayloadError, web
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from ..forge import errors
from ..forge.error_codes import ErrorCode, ErrorParameters
from ..forge.store.db_errors import database_error

STATUS: Mapping[type[errors.AvatarForgeError], int] = {
    errors.RejectedUploadError: 400,
    errors.UnauthorizedError: 401,
    errors.ForbiddenError: 403,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.PreconditionFailedError: 412,
    errors.TooLargeError: 413,
    errors.UnprocessableError: 422,
    errors.PromptRefusedError: 422,
    errors.TemplateRefusedError: 422,
    errors.TooManyRequestsError: 429,
    errors.UnavailableError: 503,
    errors.BusyError: 503,
    errors.SettingsError: 503,
    errors.StorageFullError: 507,
}

#: Codes for errors that aiohttp itself raises, by status.
_HTTP_CODES: Mapping[int, ErrorCode] = {
    404: "route_not_found",
    405: "method_not_allowed",
    408: "body_too_slow",
    411: "length_required",
    413: "body_too_large",
    415: "unsupported_media_type",
}

#: A batch of a thousand requests can have a hundred thousand.
MOST_PROBLEMS = 100

log = logging.getLogger("avatarforge")


class HttpRefusal(Exception):
    """A refusal for a reason specific to HTTP."""

    def __init__(self, status: int, code: ErrorCode, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code: ErrorCode = code
        self.detail = detail


def json_answer(
    body: bytes | str, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A JSON response that is not cached, and whose type browsers do not sniff."""
    return web.Response(
        body=body.encode() if isinstance(body, str) else body,
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})},
    )


def error_answer(
    status: int,
    code: ErrorCode,
    detail: str | Sequence[Mapping[str, Any]],
    headers: Mapping[str, str] | None = None,
    parameters: ErrorParameters | None = None,
) -> web.Response:
    body: dict[str, Any] = {"detail": detail, "code": code}
    if parameters:
        body["parameters"] = dict(parameters)
    return json_answer(json.dumps(body), status, headers)


def answer_for(error: Exception) -> web.Response:
    """The response to an exception of a handler, without a traceback or a path of the server."""
    if isinstance(error, ValidationError):
        return error_answer(422, "invalid_request", problems(error))
    if isinstance(error, errors.UnprocessableError):
        return _refuse(error, [{"loc": list(error.location), "msg": error.detail, "type": error.kind}])
    if isinstance(error, errors.PromptRefusedError):
        return _refuse(error, [{"loc": ["body"], "msg": error.detail, "type": "prompt_refused"}])
    if isinstance(error, errors.TemplateRefusedError):
        listed = error.problems
        return _refuse(
            error, [{"loc": list(item.location), "msg": item.message, "type": item.kind} for item in listed]
        )
    if isinstance(error, errors.AvatarForgeError):
        return _refuse(error, error.detail)
    if isinstance(error, HttpRefusal):
        answer = error_answer(error.status, error.code, error.detail)
        if error.status == 408:
            answer.force_close()  # RFC 9110 15.5.9: the rest of the body is not read
        return answer
    if isinstance(error, web.HTTPException):
        default: ErrorCode = "invalid_request" if error.status < 500 else "internal_error"
        return error_answer(error.status, _HTTP_CODES.get(error.status, default), error.reason)
    if isinstance(error, (ClientPayloadError, ConnectionError)):
        return error_answer(
            400, "incomplete_body", "The connection ended before the whole request had arrived."
        )
    if isinstance(error, SQLAlchemyError):
        log.error("AvatarForge: the database failed: %s", error)
        return answer_for(database_error(error))
    log.error("AvatarForge: unexpected error", exc_info=error)
    return error_answer(
        500, "internal_error", "Something went wrong inside AvatarForge; ComfyUI's log has the details."
    )


def _refuse(error: errors.AvatarForgeError, detail: str | Sequence[Mapping[str, Any]]) -> web.Response:
    return error_answer(STATUS[type(error)], error.code, detail, _headers(error), error.parameters)


def _headers(error: errors.AvatarForgeError) -> Mapping[str, str]:
    if isinstance(error, errors.UnauthorizedError):
        return {"WWW-Authenticate": "Bearer"}  # RFC 9110, 11.6.1: a 401 names the accepted scheme
    if isinstance(error, (errors.TooManyRequestsError, errors.BusyError)):
        return {"Retry-After": str(error.retry_after)}
    return {}


def problems(error: ValidationError, location: str | None = None) -> list[dict[str, Any]]:
    """pydantic's list of errors, located in `location` ("query" or "body"), the first MOST_PROBLEMS of them.
    It omits the input, which may be megabytes of picture."""
    prefix = [location] if location else []
    listed = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        {"loc": [*prefix, *problem["loc"]], "msg": problem["msg"], "type": problem["type"]}
        for problem in listed[:MOST_PROBLEMS]
    ]
