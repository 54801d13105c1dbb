"""What an exception says, made fit for a client."""

from __future__ import annotations

from .errors import AvatarForgeError
from .server_paths import without_folders

LONGEST_CLAUSE = 200  # characters of another program's words, in a sentence of ours


def error_message(error: BaseException) -> str:
    """The words of an exception: never empty, and without folders of the server.

    Of an OSError only the operating system's reason is left, since `str` of it repeats the path. Errors of
    AvatarForge are written for clients, and stay as they are.
    """
    if isinstance(error, AvatarForgeError):
        return error.detail or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return without_folders(str(error).strip()) or type(error).__name__


def summarize_unexpected(error: BaseException) -> str:
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
    line = " ".join("".join(item if item.isprintable() else " " for item in text).split())
    if "/" in line or "\\" in line:
        return f"{kind}; ComfyUI's log has the details"
    if len(line) > LONGEST_CLAUSE:
        line = line[: LONGEST_CLAUSE - 1] + "…"
    return f"{kind}: {line}".rstrip(".") if line else kind
