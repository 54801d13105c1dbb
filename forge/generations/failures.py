"""Why a generation failed: our own sentences, and the codes of stored errors."""

from __future__ import annotations

from typing import Literal, get_args

FailureCode = Literal[
    "cancelled",
    "interrupted",
    "removed_from_queue",
    "gave_up",
    "not_resumed",
    "not_started",
    "picture_unreadable",
    "comfyui_error",
]
FAILURE_CODES: tuple[FailureCode, ...] = get_args(FailureCode)

MAX_ATTEMPTS = 3
CANCELLED = "Cancelled on request."
INTERRUPTED = "Cancelled: it was interrupted in ComfyUI."
REMOVED = "Cancelled: it was removed from ComfyUI's queue before it finished."
GAVE_UP = f"ComfyUI stopped {MAX_ATTEMPTS} times while this generation ran, so it was given up."
NOT_RESUMED = "It could not be resumed after a restart."
NOT_STARTED = "It could not be handed to ComfyUI."
UNREADABLE = "ComfyUI reported success, but {name} cannot be read."

#: The start of a stored error -> its code. Rows of every release have these sentences.
_STARTS: tuple[tuple[str, FailureCode], ...] = (
    (CANCELLED, "cancelled"),
    (INTERRUPTED, "interrupted"),
    (REMOVED, "removed_from_queue"),
    (GAVE_UP, "gave_up"),
    (NOT_RESUMED, "not_resumed"),
    (NOT_STARTED, "not_started"),
    (UNREADABLE.partition("{")[0], "picture_unreadable"),
)


#: Ends of a prompt after which a generation makes no further try: its user stopped it, or ComfyUI did not
#: survive it.
_STOPPING = ("cancelled", "interrupted", "removed_from_queue", "gave_up", "not_resumed", "not_started")


def stops_tries(error: str | None) -> bool:
    """Whether no further picture is made after a prompt that ended with this error. A node's error may come
    of the seed; then another one may work."""
    return failure_code(error) in _STOPPING


def failure_code(error: str | None) -> FailureCode | None:
    """The code of a generation's error; None without one. "comfyui_error" is any message of a node or of
    ComfyUI."""
    if error is None:
        return None
    return next((code for start, code in _STARTS if error.startswith(start)), "comfyui_error")
