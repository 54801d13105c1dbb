"""The write transactions that accept a generation, run it again, or delete it.

Each is atomic: if it raises, nothing has changed. Earlier checks of a request are repeated here, because
another request may have been faster.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection

from ...db import batches as batch_queries
from ...db import characters as character_queries
from ...db import files as file_queries
from ...db import generations as queries
from ...db import scores as score_queries
from ...db import templates as template_queries
from ...db.records import FileRecord, GenerationRecord
from ..errors import BusyError, ConflictError, NotFoundError
from ..graphs.prompt_syntax import prompt_warnings, refresh_warnings
from ..ports import InstalledModels
from ..spec.avatar import AvatarSpec
from ..spec.receipt import Receipt
from ..store.files import unknown_file
from .tries import first_tries

FULL_QUEUE_SECONDS = 10


def used_files(spec: AvatarSpec) -> dict[str, str]:
    """role -> file id of the pictures that a spec uses."""
    pose = spec.pose.file.file_id if spec.pose else None
    used = {"pose": pose} if pose else {}
    if spec.redraw is not None:
        used["source"] = spec.redraw.file_id
    return used | {
        "reference" if number == 1 else f"reference_{number}": use.file_id
        for number, use in enumerate(spec.references, 1)
    }


def may_be_hidden(spec: AvatarSpec, hidden: Collection[str]) -> frozenset[str]:
    """The ids of files of a spec that may have been deleted: a hidden file stays for what uses it, for its
    character, and for the library that had the pose. `hidden` are those of the character."""
    of_library = spec.pose.file.file_id if spec.pose and spec.pose.of_library else None
    return frozenset({*hidden, *([of_library] if of_library else [])})


def refreshed_receipt(before: GenerationRecord, installed: InstalledModels) -> Receipt:
    """The receipt of the same graph, with warnings for the models installed now."""
    receipt = before.receipt
    return receipt.with_warnings(refresh_warnings(receipt.warnings, before.spec.texts, installed.embeddings))


def receipt_for_reroll(before: GenerationRecord, installed: InstalledModels) -> Receipt:
    """The receipt during a re-roll. It keeps earlier warnings, because the other views are kept."""
    receipt = before.receipt
    added = prompt_warnings(before.spec.texts, installed.embeddings)
    return receipt.with_warnings([*receipt.warnings, *added])


def withdraw(connection: Connection, generation_id: str, used: list[FileRecord]) -> None:
    """Undo `commit_new`. `used` are its files as they were before, so that an upload that came with the
    request can be withdrawn, too."""
    record = queries.get(connection, generation_id)
    queries.remove(connection, generation_id)
    for file in used:
        if record is not None:
            file_queries.untouch(connection, file, record.created_at)


def check_queue_limit(connection: Connection, limit: int) -> None:
    """Raises BusyError if `limit` generations are queued or processing."""
    if queries.count_active(connection) >= limit:
        raise BusyError(
            f"{limit} generations are queued or processing, which is the limit (MAX_ACTIVE_GENERATIONS). "
            "Send it again when some of them have ended.",
            FULL_QUEUE_SECONDS,
            code="queue_full",
            parameters={"limit": limit},
        )


def requeue(
    connection: Connection, before: GenerationRecord, refusal: str, **values: Any
) -> GenerationRecord:
    """Queue a generation that has ended again, with another prompt. Raises ConflictError with the text
    `refusal` if it has changed since `before` was read."""
    if not queries.update_row(
        connection,
        before.id,
        [before.status],
        running=before.prompt_id,
        status="queued",
        attempts=0,
        **values,
    ):
        raise ConflictError(refusal)
    if before.status == "failed":
        if before.reroll_json is None:  # a re-roll makes one picture, and the others stay
            queries.set_outputs(connection, before.id, ())
            score_queries.clear(connection, before.id)
        if before.batch_id is not None:
            batch_queries.reopen(connection, before.batch_id)
    record = queries.get(connection, before.id)
    if record is None:
        raise NotFoundError(f"No generation {before.id} exists.", code="generation_not_found")
    return record


def restore(connection: Connection, before: GenerationRecord) -> None:
    """Undo `requeue`, because ComfyUI's queue refused the prompt."""
    values = queries.columns_of(before)
    # What its user noted meanwhile is not undone.
    for name in ("id", "sequence", "favourite", "tags"):
        del values[name]
    queries.update_row(connection, before.id, queries.ACTIVE, **values)
    queries.set_outputs(connection, before.id, before.outputs)
    if before.batch_id is not None and before.completed_at is not None:
        batch_queries.end(connection, before.batch_id, before.completed_at)


def leave_waiting(connection: Connection, before: GenerationRecord, **values: Any) -> GenerationRecord:
    """Let a generation of a batch wait no longer, because its prompt is about to be enqueued. Raises
    ConflictError if it was cancelled or deleted since `before` was read."""
    moved = queries.update_row(
        connection, before.id, ["queued"], running=before.prompt_id, waiting_place=None, **values
    )
    record = queries.get(connection, before.id) if moved else None
    if record is None:
        raise ConflictError("It no longer waits.")
    return record


def wait_again(connection: Connection, before: GenerationRecord) -> None:
    """Undo `leave_waiting`, because ComfyUI's queue refused the prompt."""
    queries.update_row(
        connection,
        before.id,
        ["queued"],
        running=before.prompt_id,
        waiting_place=before.waiting_place,
    )


def commit_new(
    connection: Connection,
    generation_id: str,
    kind: str,
    spec: AvatarSpec,
    prompt: str,
    receipt: Receipt,
    callback_url: str | None,
    now: int,
    hidden: Collection[str] = (),
) -> GenerationRecord:
    """Add the row of a new generation. `hidden` are the ids of files that were deleted but that its character
    keeps. Raises NotFoundError if one of its other files, its template or its character has been deleted
    since, or if a hidden file is gone."""
    used = used_files(spec)
    saved = used.get("pose") if spec.pose and spec.pose.of_library else None
    kept = may_be_hidden(spec, hidden)
    live = [file_id for file_id in used.values() if file_id not in kept]
    if not file_queries.touch(connection, live, now):
        raise unknown_file(_first_missing(connection, live))
    for file_id in kept.intersection(used.values()):
        if file_queries.get_any(connection, file_id) is not None:
            continue
        if file_id == saved:
            raise NotFoundError("The pose was deleted meanwhile. Choose another one.", code="pose_not_found")
        raise unknown_file(file_id)
    values = {
        "id": generation_id,
        "kind": kind,
        "status": "queued",
        "prompt_id": generation_id,
        "spec": spec.to_json(),
        "receipt": receipt.to_json(),
        "attempts": 0,
        "error": None,
        "created_at": now,
        "started_at": None,
        "completed_at": None,
        "reroll": None,
        "callback_url": callback_url,
        "character_id": spec.character.id if spec.character else None,
        "character_version": spec.character.version if spec.character else None,
        "tries": first_tries(spec),
    }
    record = queries.add(connection, values, prompt, used)
    template = spec.template
    if template and not template_queries.use(connection, generation_id, template.id, template.version):
        raise NotFoundError(
            f"The template {template.name!r} was changed or deleted meanwhile. Send it again.",
            code="template_not_found",
        )
    shown = spec.character
    if shown is not None and not character_queries.is_usable(connection, shown.id, shown.version):
        raise NotFoundError(
            f"The character {shown.name!r} was changed or deleted meanwhile. Send it again.",
            code="character_version_not_found",
        )
    return record


def remove(connection: Connection, generation_ids: Sequence[str]) -> list[FileRecord]:
    """Delete generations, and those of their soft-deleted files, their deleted templates and their deleted
    characters that no other one uses; returns these files."""
    used = template_queries.used_by(connection, generation_ids)
    shown = character_queries.used_by(connection, generation_ids)
    file_ids = queries.remove(connection, *generation_ids)
    released = file_queries.take_released(connection, file_ids) if file_ids else []
    released += template_queries.release(connection, used)
    for character_id in shown:
        released += character_queries.release(connection, character_id)
    return released


def _first_missing(connection: Connection, used: Sequence[str]) -> str:
    return next(file_id for file_id in used if file_queries.get_live(connection, file_id) is None)
