"""Everything that can go wrong, in words for the person who asked.

One base class. `routes.errors` maps each class to one HTTP status; nodes let the message reach
the editor. A message is a whole sentence, names what would be right, and holds no path of the
server's disk.
"""

from __future__ import annotations

from collections.abc import Sequence

LONGEST_CLAUSE = 200  # characters of another program's words, in a sentence of ours


class AvatarForgeError(Exception):
    """Base of all errors that AvatarForge raises on purpose."""

    @property
    def detail(self) -> str:
        return str(self)


class UnauthorizedError(AvatarForgeError):
    """A key is needed, and none came, or a wrong one."""


class ForbiddenError(AvatarForgeError):
    """No key would help: the server's name or the web page that asks is not known, or a signed link is
    not good."""


class TooManyRequestsError(AvatarForgeError):
    """The client asked more often than it may. `retry_after`: seconds until it may again."""

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotFoundError(AvatarForgeError):
    """The id names nothing that exists for the caller."""


class ConflictError(AvatarForgeError):
    """The request does not fit the state that the thing is in."""


class RejectedUploadError(AvatarForgeError):
    """The upload is not a picture that the store takes."""


class TooLargeError(AvatarForgeError):
    """More bytes were sent than the limit allows."""


class UnprocessableError(AvatarForgeError):
    """The request is well formed, but a field's value does not make sense.

    `location` and `kind` are what pydantic calls `loc` and `type`, so that callers see one shape
    for every 422.
    """

    def __init__(self, message: str, location: Sequence[str | int], kind: str = "value_error") -> None:
        super().__init__(message)
        self.location = tuple(location)
        self.kind = kind


class UnavailableError(AvatarForgeError):
    """Something that the request needs is missing now: a model file, the database, the storage."""


class BusyError(AvatarForgeError):
    """Too many do the same at once. `retry_after`: seconds after which another try makes sense."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StorageFullError(AvatarForgeError):
    """The disk has no room for what was sent."""


class PromptRefusedError(AvatarForgeError):
    """ComfyUI did not accept the compiled prompt; the message holds the node's own words."""


class SettingsError(AvatarForgeError):
    """A setting has a value that cannot be used. Names the variable, the value and the allowed range."""


def describe(error: BaseException) -> str:
    """An error that nobody expected, as a short clause for people: its class and what it says, in one line.

    Without a path of the server's disk: what holds one is left to the log.
    """
    kind = type(error).__name__
    try:
        text = (error.strerror or "") if isinstance(error, OSError) else str(error)
    except Exception:  # noqa: BLE001 - an error that cannot even say what it is
        text = ""
    if isinstance(error, ImportError):
        text = text.partition(" (")[0]  # the path of the module stands behind
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    if "/" in line or "\\" in line:
        return f"{kind}; ComfyUI's log has the details"
    if len(line) > LONGEST_CLAUSE:
        line = line[: LONGEST_CLAUSE - 1] + "…"
    return f"{kind}: {line}".rstrip(".") if line else kind
