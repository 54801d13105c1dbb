"""Everything that can go wrong, in words for the person who asked.

One base class. `routes.errors` maps each class to one HTTP status; nodes let the message reach
the editor. A message is a whole sentence, names what would be right, and holds no path of the
server's disk.
"""

from __future__ import annotations

from collections.abc import Sequence


class AvatarForgeError(Exception):
    """Base of all errors that AvatarForge raises on purpose."""

    @property
    def detail(self) -> str:
        return str(self)


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


class QueueFullError(AvatarForgeError):
    """As many generations as are allowed are queued or processing; the same request works later."""


class TooManyListenersError(AvatarForgeError):
    """More clients listen or wait than the server keeps places for."""


class StorageFullError(AvatarForgeError):
    """The disk has no room for what was sent."""


class PromptRefusedError(AvatarForgeError):
    """ComfyUI did not accept the compiled prompt; the message holds the node's own words."""


class SettingsError(AvatarForgeError):
    """A setting has a value that cannot be used. Names the variable, the value and the allowed range."""
