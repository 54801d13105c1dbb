"""The exceptions that clients and users see.

`routes.errors` maps each class to one HTTP status; nodes raise them in the editor. A message is a whole
sentence, names the remedy, and contains no path of the server. Its code (`error_codes`) is for programs;
`parameters` are the values for a sentence in another language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from .error_codes import ErrorCode, ErrorParameters


class AvatarForgeError(Exception):
    """Base of all expected errors. `default_code` is used when a raise statement gives no code."""

    default_code: ClassVar[ErrorCode] = "internal_error"

    def __init__(
        self, message: str = "", *, code: ErrorCode | None = None, parameters: ErrorParameters | None = None
    ) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.parameters = parameters or {}

    @property
    def detail(self) -> str:
        return str(self)


class UnauthorizedError(AvatarForgeError):
    """The key is missing or wrong."""

    default_code = "key_required"


class ForbiddenError(AvatarForgeError):
    """Refused whatever the key: an unknown host name, a foreign origin, or an invalid signed link. The causes
    have no code in common, so each raise statement must give one."""

    def __init__(self, message: str, *, code: ErrorCode, parameters: ErrorParameters | None = None) -> None:
        super().__init__(message, code=code, parameters=parameters)


class TooManyRequestsError(AvatarForgeError):
    """The client exceeded its rate limit. `retry_after`: seconds until another try makes sense."""

    default_code = "rate_limited"

    def __init__(
        self,
        message: str,
        retry_after: int = 1,
        *,
        code: ErrorCode | None = None,
        parameters: ErrorParameters | None = None,
    ) -> None:
        super().__init__(message, code=code, parameters=parameters)
        self.retry_after = retry_after


class BusyError(AvatarForgeError):
    """Too many such requests at the same time. `retry_after`: seconds until another try makes sense."""

    default_code = "busy"

    def __init__(
        self,
        message: str,
        retry_after: int = 5,
        *,
        code: ErrorCode | None = None,
        parameters: ErrorParameters | None = None,
    ) -> None:
        super().__init__(message, code=code, parameters=parameters)
        self.retry_after = retry_after


class NotFoundError(AvatarForgeError):
    """Nothing with this id exists."""

    default_code = "not_found"


class ConflictError(AvatarForgeError):
    """The request does not fit the present state."""

    default_code = "conflict"


class RejectedUploadError(AvatarForgeError):
    """The upload is not a picture or pose that the store accepts."""

    default_code = "invalid_upload"


class TooLargeError(AvatarForgeError):
    """The upload exceeds the limit, in bytes."""

    default_code = "file_too_large"


class UnprocessableError(AvatarForgeError):
    """A well-formed request with an invalid value.

    `location` and `kind` are pydantic's `loc` and `type`, so that every 422 has the same shape.
    """

    default_code = "invalid_request"

    def __init__(
        self,
        message: str,
        location: Sequence[str | int],
        kind: str = "value_error",
        *,
        code: ErrorCode | None = None,
        parameters: ErrorParameters | None = None,
    ) -> None:
        super().__init__(message, code=code, parameters=parameters)
        self.location = tuple(location)
        self.kind = kind


class UnavailableError(AvatarForgeError):
    """Something that the request needs is missing: a model file, the database, the storage."""

    default_code = "unavailable"


class StorageFullError(AvatarForgeError):
    """The disk or the quota is full."""

    default_code = "disk_full"


@dataclass(frozen=True)
class NodeProblem:
    """Why ComfyUI refuses a node of a prompt. `title` is the node's, or its class. `value` is the one that an
    `input` cannot have. `detail` is ComfyUI's reason, as a sentence."""

    node: str
    title: str
    class_type: str
    kind: Literal["missing_node", "missing_model", "other"]
    input: str | None
    value: str | None
    detail: str


class PromptRefusedError(AvatarForgeError):
    """ComfyUI refused the compiled prompt; the message has the node's own reason. `problems` has one for each
    node and reason, as far as ComfyUI names them."""

    default_code = "prompt_refused"

    def __init__(
        self,
        message: str = "",
        problems: Sequence[NodeProblem] = (),
        *,
        code: ErrorCode | None = None,
        parameters: ErrorParameters | None = None,
    ) -> None:
        super().__init__(message, code=code, parameters=parameters)
        self.problems = tuple(problems)


@dataclass(frozen=True)
class TemplateProblem:
    """Why a graph cannot be a template. `location` and `kind` are as in `UnprocessableError`."""

    location: tuple[str | int, ...]
    message: str
    kind: str


class TemplateRefusedError(AvatarForgeError):
    """The graph cannot be a template. `problems` names each reason; by default it is the message."""

    default_code = "template_invalid"

    def __init__(
        self,
        message: str = "",
        problems: Sequence[TemplateProblem] = (),
        *,
        code: ErrorCode | None = None,
        parameters: ErrorParameters | None = None,
    ) -> None:
        super().__init__(message, code=code, parameters=parameters)
        self.problems = tuple(problems) or (TemplateProblem(("body",), message, "value_error"),)


class PreconditionFailedError(AvatarForgeError):
    """It has changed since the version that the client names."""

    default_code = "precondition_failed"


class SettingsError(AvatarForgeError):
    """A setting has an invalid value. The message names the variable, the value and the allowed range."""

    default_code = "unavailable"
