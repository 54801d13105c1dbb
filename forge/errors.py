"""Everything that can go wrong, in words for the person who asked.

One base class. `routes.errors` maps each class to one HTTP status; nodes let the message reach
the editor. A message is a whole sentence, names what would be right, and holds no path of the
server's disk. Its code (`error_codes`) says the same to programs, and `parameters` are the values for a
sentence in another language.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from .error_codes import ErrorCode, ErrorParameters


class AvatarForgeError(Exception):
    """Base of all errors that AvatarForge raises on purpose. `default_code`: of a raise that names none."""

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
    """A key is needed, and none came, or a wrong one."""

    default_code = "key_required"


class ForbiddenError(AvatarForgeError):
    """No key would help: the server's name or the web page that asks is not known, or a signed link is
    not good. These have too little in common for a default code."""

    def __init__(self, message: str, *, code: ErrorCode, parameters: ErrorParameters | None = None) -> None:
        super().__init__(message, code=code, parameters=parameters)


class TooManyRequestsError(AvatarForgeError):
    """The client asked more often than it may. `retry_after`: seconds until it may again."""

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


class NotFoundError(AvatarForgeError):
    """The id names nothing that exists for the caller."""

    default_code = "not_found"


class ConflictError(AvatarForgeError):
    """The request does not fit the state that the thing is in."""

    default_code = "conflict"


class RejectedUploadError(AvatarForgeError):
    """The upload is not a picture that the store takes."""

    default_code = "invalid_upload"


class TooLargeError(AvatarForgeError):
    """More bytes were sent than the limit allows."""

    default_code = "file_too_large"


class UnprocessableError(AvatarForgeError):
    """The request is well formed, but a field's value does not make sense.

    `location` and `kind` are what pydantic calls `loc` and `type`, so that callers see one shape
    for every 422.
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
    """Something that the request needs is missing now: a model file, the database, the storage."""

    default_code = "unavailable"


class BusyError(AvatarForgeError):
    """Too many do the same at once. `retry_after`: seconds after which another try makes sense."""

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


class StorageFullError(AvatarForgeError):
    """The disk has no room for what was sent."""

    default_code = "disk_full"


class PromptRefusedError(AvatarForgeError):
    """ComfyUI did not accept the compiled prompt; the message holds the node's own words."""

    default_code = "prompt_refused"


class SettingsError(AvatarForgeError):
    """A setting has a value that cannot be used. Names the variable, the value and the allowed range."""

    default_code = "unavailable"
