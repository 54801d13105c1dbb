"""Messages of exceptions for clients: without folders of this server."""

from __future__ import annotations

from .errors import AvatarForgeError
from .server_paths import without_folders

LONGEST_CLAUSE = 200  # characters of another program's message


def error_message(error: BaseException) -> str:
    """The message of an expected exception. It is never empty.

    For an OSError it is the operating system's reason, because `str` repeats the path. Messages of
    AvatarForge's own errors are returned unchanged.
    """
    if isinstance(error, AvatarForgeError):
        return error.detail or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return without_folders(str(error).strip()) or type(error).__name__


def summarize_unexpected(error: BaseException) -> str:
    """The class and message of an unexpected exception, as a short clause on one line.

    A message that may contain a path is left to the log.
    """
    kind = type(error).__name__
    try:
        text = (error.strerror or "") if isinstance(error, OSError) else str(error)
    except Exception:  # noqa: BLE001 - `__str__` of any exception may itself raise
        text = ""
    if isinstance(error, ImportError):
        text = text.partition(" (")[0]  # the module's path follows
    line = " ".join("".join(item if item.isprintable() else " " for item in text).split())
    if "/" in line or "\\" in line:
        return f"{kind}; ComfyUI's log has the details"
    if len(line) > LONGEST_CLAUSE:
        line = line[: LONGEST_CLAUSE - 1] + "…"
    return f"{kind}: {line}".rstrip(".") if line else kind
