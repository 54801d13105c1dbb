"""What an exception says, made fit for a client."""

from __future__ import annotations

from .errors import AvatarForgeError
from .server_paths import without_folders


def describe_error(error: BaseException) -> str:
    """The words of an exception: never empty, and without folders of the server.

    Of an OSError only the operating system's reason is left, since `str` of it repeats the path. Errors of
    AvatarForge are written for clients, and stay as they are.
    """
    if isinstance(error, AvatarForgeError):
        return error.detail or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return without_folders(str(error).strip()) or type(error).__name__
