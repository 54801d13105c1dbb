"""Renders records to the API's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import Any

from pydantic_core import to_json

from ..forge.generations.failures import failure_code
from ..forge.generations.service import GenerationRecord, OutputRecord, Page
from ..forge.generations.takes import PictureTakes, Take
from ..forge.generations.tries import tries_of
from ..forge.live.live import Live
from ..forge.live.state import LiveState
from ..forge.spec.avatar import AvatarSpec
from ..forge.spec.receipt import AppliedInput
from ..forge.spec.request import parameters
from ..forge.spec.scores import MEASURES, Measure
from ..forge.spec.warning import GenerationWarning
from ..forge.store.files import FilePage, FileRecord, ListedFile, Received
from . import responses
from .context import PREFIX, Services
from .json_body import JsonBody, JsonCache, RenderedGeneration, tag_of

#: Up to so many records are rendered on the event loop, at about 0.1 ms each; more in a thread.
RENDER_ON_LOOP = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def iso_time(microseconds: int) -> str:
    """Microseconds since 1970 as ISO 8601 in UTC, with milliseconds and ending in Z."""
    # Replaces "+00:00", which is six characters.
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="milliseconds")[:-6] + "Z"


def _iso_time_or_none(microseconds: int | None) -> str | None:
    return None if microseconds is None else iso_time(microseconds)


def render_upload(received: Received) -> responses.UploadAnswer:
    return responses.UploadAnswer(**_file(received.file), is_duplicate=received.is_duplicate)


def render_files(page: FilePage, limit: int, cache: JsonCache) -> JsonBody:
    """Render a `responses.FilesAnswer`, or return it from the cache."""
    answer = cache.file_pages.get(page)
    if answer is None:
        files = [_listed_file(listed) for listed in page.files]
        paging = {"limit": limit, "next_cursor": page.next_cursor}
        answer = JsonBody(to_json({"total": page.total, "files": files, **paging}))
        cache.file_pages.put(page, answer)
    return answer


def _listed_file(listed: ListedFile) -> dict[str, Any]:
    usage = {"last_used_at": iso_time(listed.file.last_used_at), "references": listed.references}
    return {**_file(listed.file), **usage}


def _file(file: FileRecord) -> dict[str, Any]:
    return {
        "file_id": file.id,
        "filename": file.filename,
        "content_hash": file.content_hash,
        "size": file.size,
        "mime_type": file.mime_type,
        "dimensions": {"width": file.width, "height": file.height},
        "url": f"/files/{file.id}",
        "created_at": iso_time(file.created_at),
    }


def generation_fields(record: GenerationRecord, state: LiveState) -> dict[str, object]:
    """The fields of `responses.GenerationAnswer` in its order, as plain values. A test compares the two."""
    return {**_fields_before_live(record), **_live_fields(record.id, state), **_fields_after_live(record)}


def render_generation(record: GenerationRecord, live: Live) -> JsonBody:
    """Render the current state, for the response to a change."""
    return JsonBody(to_json(generation_fields(record, live.state(record))))


def _render_static_parts(records: Sequence[GenerationRecord]) -> list[RenderedGeneration]:
    """Render the fields of each record that do not depend on its `LiveState`."""
    return [
        RenderedGeneration(
            to_json(_fields_before_live(record))[:-1] + b",", b"," + to_json(_fields_after_live(record))[1:]
        )
        for record in records
    ]


def render_cached(record: GenerationRecord, state: LiveState, cache: JsonCache) -> JsonBody:
    """Render a `responses.GenerationAnswer`, or return it from the cache if nothing has changed."""
    rendered = cache.generations.get(record)
    if rendered is None:
        (rendered,) = _render_static_parts([record])
        cache.generations.put(record, rendered)
    if rendered.last is None or (rendered.last[0] is not state and rendered.last[0] != state):
        live = to_json(_live_fields(record.id, state))[1:-1]
        rendered.last = (state, JsonBody(rendered.head + live + rendered.tail))
    return rendered.last[1]


async def render_page(page: Page, services: Services, limit: int, offset: int) -> JsonBody:
    """Render a `responses.GenerationsAnswer` from cached parts; many missing parts are rendered in a
    thread."""
    cache = services.json_cache
    missing = [record for record in page.records if cache.generations.get(record) is None]
    if len(missing) > RENDER_ON_LOOP:
        rendered = await services.workers.disk(_render_static_parts, missing)
        for record, parts in zip(missing, rendered, strict=True):
            cache.generations.put(record, parts)
    states = services.live.states(page.records)
    answers = [
        render_cached(record, state, cache) for record, state in zip(page.records, states, strict=True)
    ]
    paging = {"limit": limit, "offset": offset, "next_cursor": page.next_cursor}
    head, tail = b'{"total":%d,"generations":[' % page.total, b"]," + to_json(paging)[1:]
    body = head + b",".join([answer.body for answer in answers]) + tail
    # The tag is a hash of the parts' tags, which is cheaper than hashing the whole body.
    return JsonBody(body, tag_of(head + tail + "".join([answer.tag for answer in answers]).encode()))


def _fields_before_live(record: GenerationRecord) -> dict[str, object]:
    spec = None if record.is_manual else record.spec
    return {
        "generation_id": record.id,
        "status": record.status,
        "message": f"Generation {record.status}",
        "kind": record.kind,
        "batch_id": record.batch_id,
        "created_at": iso_time(record.created_at),
        "started_at": _iso_time_or_none(record.started_at),
        "completed_at": _iso_time_or_none(record.completed_at),
        "error": record.error,
        "error_code": failure_code(record.error),
        "comfyui_prompt_id": record.prompt_id,
        "output_files": [_output(output, spec) for output in record.outputs],
        "parameters": parameters(spec, record.kind) if spec else None,
        "character_id": record.character_id,
        "character_version": record.character_version,
        "favourite": record.favourite,
        "tags": list(record.tags),
        "reroll": record.reroll.view if record.reroll else None,
        "reroll_position": record.reroll.position + 1 if record.reroll else None,
        "waiting_rerolls": waiting_rerolls(record),
        "judging": record.judging_json is not None,
        "tries": tries(record),
    }


def _live_fields(generation_id: str, state: LiveState) -> dict[str, object]:
    return {
        "progress": progress(state),
        "current": current(state),
        "queue_position": state.queue_position,
        "eta_seconds": _decimal(state.eta_seconds),
        "previews": previews(generation_id, state),
    }


def _fields_after_live(record: GenerationRecord) -> dict[str, object]:
    receipt = record.receipt
    return {
        "inputs": [_input(applied) for applied in receipt.inputs],
        "judgements": [_judgement(output) for output in record.outputs if output.scores is not None],
        "warnings": [warning.detail for warning in receipt.warnings],
        "warning_details": [_warning(warning) for warning in receipt.warnings],
    }


def progress(state: LiveState) -> float:
    return round(float(state.progress), 4)


def current(state: LiveState) -> dict[str, object] | None:
    return asdict(state.current) if state.current is not None else None


def previews(generation_id: str, state: LiveState) -> list[dict[str, object]]:
    return [
        {
            "view": preview.view,
            "url": f"{PREFIX}/generations/{generation_id}/previews/{preview.position}"
            f"?version={preview.version}",
        }
        for preview in state.previews
    ]


def output_files(record: GenerationRecord) -> list[dict[str, object]]:
    spec = None if record.is_manual else record.spec
    return [_output(output, spec) for output in record.outputs]


def _output(output: OutputRecord, spec: AvatarSpec | None) -> dict[str, object]:
    return {
        "filename": output.filename,
        "url": f"/outputs/{output.generation_id}/{output.filename}",
        "pose_type": output.view,
        "size": output.size,
        "dimensions": {"width": output.width, "height": output.height},
        "expression": spec.expression_at(output.position) if spec else None,
        "seed": spec.seed_at(output.position) if spec else None,
        "take": output.take,
        "takes": output.takes,
        "scores": _scores(output),
    }


def _scores(output: OutputRecord) -> dict[str, object] | None:
    scores = output.scores
    return {name: scores[name].value for name in MEASURES} if scores is not None else None


def _judgement(output: OutputRecord) -> dict[str, object] | None:
    scores = output.scores
    if scores is None:
        return None
    return {
        "position": output.position + 1,
        "pose_type": output.view,
        "take": output.take,
        "comfyui_prompt_id": scores.prompt_id,
        **{name: _measure(scores[name]) for name in MEASURES},
    }


def _measure(measure: Measure) -> dict[str, object]:
    return {
        "value": measure.value,
        "method": measure.method,
        "model": measure.model,
        "reason": measure.reason,
        "details": dict(measure.details),
    }


def tries(record: GenerationRecord) -> list[dict[str, object]]:
    """What was tried of each picture, also while pictures are still made."""
    return [asdict(tried) for tried in tries_of(record)]


def render_takes(takes: PictureTakes) -> JsonBody:
    """Render a `responses.TakesAnswer`."""
    spec = None if takes.generation.is_manual else takes.generation.spec
    current = next(take.picture for take in takes.takes if take.is_current)
    return JsonBody(
        to_json(
            {
                "generation_id": takes.generation.id,
                "position": takes.position + 1,
                "pose_type": current.view,
                "current": current.take,
                "takes": [_take(take, spec) for take in takes.takes],
            }
        )
    )


def _take(take: Take, spec: AvatarSpec | None) -> dict[str, object]:
    picture = take.picture
    return {
        "take": picture.take,
        "current": take.is_current,
        "filename": picture.filename,
        "url": f"/outputs/{picture.generation_id}/{picture.filename}",
        "size": picture.size,
        "dimensions": {"width": picture.width, "height": picture.height},
        "expression": spec.expression_at(picture.position) if spec else None,
        "seed": take.seed,
        "scores": _scores(picture),
        "judgement": _judgement(picture),
        "inputs": [_input(applied) for applied in take.inputs],
    }


def waiting_rerolls(record: GenerationRecord) -> list[dict[str, object]]:
    return [
        {
            "position": wanted.position + 1,
            "pose_type": record.spec.pictures[wanted.position],
            "seed": wanted.seed,
        }
        for wanted in record.waiting_rerolls
    ]


def _input(applied: AppliedInput) -> dict[str, object]:
    return {
        "role": applied.role,
        "reference_role": _reference_role(applied),
        "pose_type": applied.view,
        "picture": applied.picture,
        "kind": applied.kind,
        "file_id": applied.file_id,
        "content_hash": applied.content_hash,
        "comfyui_prompt_id": applied.prompt_id,
        "node": applied.node,
        "node_type": applied.node_type,
        "model": applied.model,
        "strength": float(applied.strength),
        "steps": {"first": applied.first_step, "last": applied.last_step},
    }


def _reference_role(applied: AppliedInput) -> str | None:
    """Before references had roles, each was of the whole person."""
    return (applied.reference_role or "identity") if applied.role == "reference" else None


def _warning(warning: GenerationWarning) -> dict[str, object]:
    return {"code": warning.code, "detail": warning.detail, "parameters": dict(warning.parameters)}


def _decimal(value: float | None) -> float | None:
    """Render a whole number with a decimal, such as 1.0, because the schema's type is a float."""
    return None if value is None else float(value)
