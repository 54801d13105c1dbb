"""From records to the API's answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ..forge import clock
from ..forge.generations.recorder import BY_HAND
from ..forge.generations.reroll import Reroll
from ..forge.generations.service import GenerationRecord, OutputRecord
from ..forge.generations.spec import AvatarSpec
from ..forge.live.live import Live
from ..forge.live.state import LiveState
from ..forge.store.files import FileRecord, ListedFile, Received
from . import schemas
from .context import PREFIX


def iso(microseconds: int) -> str:
    """UTC, ISO 8601, to the millisecond, ending in Z."""
    moment: datetime = clock.to_datetime(microseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _iso_or_none(microseconds: int | None) -> str | None:
    return None if microseconds is None else iso(microseconds)


def upload(received: Received) -> schemas.UploadAnswer:
    return schemas.UploadAnswer(**_file(received.file), is_duplicate=received.is_duplicate)


def listed_file(listed: ListedFile) -> schemas.ListedFile:
    return schemas.ListedFile(
        **_file(listed.file), last_used_at=iso(listed.file.last_used_at), references=listed.references
    )


def _file(file: FileRecord) -> dict[str, Any]:
    return {
        "file_id": file.id,
        "filename": file.filename,
        "content_hash": file.content_hash,
        "size": file.size,
        "mime_type": file.mime_type,
        "dimensions": {"width": file.width, "height": file.height},
        "url": f"/files/{file.id}",
        "created_at": iso(file.created_at),
    }


def generation(record: GenerationRecord, state: LiveState) -> schemas.GenerationAnswer:
    spec = AvatarSpec.from_json(record.spec) if record.kind != BY_HAND else None
    receipt = json.loads(record.receipt)
    return schemas.GenerationAnswer.model_validate(
        {
            "generation_id": record.id,
            "status": record.status,
            "message": f"Generation {record.status}",
            "kind": record.kind,
            "created_at": iso(record.created_at),
            "started_at": _iso_or_none(record.started_at),
            "completed_at": _iso_or_none(record.completed_at),
            "error": record.error,
            "comfyui_prompt_id": record.prompt_id,
            "output_files": output_files(record),
            "parameters": _parameters(spec, record.kind) if spec else None,
            "reroll": Reroll.from_json(record.reroll).view if record.reroll else None,
            "progress": progress(state),
            "current": current(state),
            "queue_position": state.queue_position,
            "eta_seconds": state.eta_seconds,
            "previews": previews(record.id, state),
            "inputs": [_input(line) for line in receipt["inputs"]],
            "warnings": receipt["warnings"],
        }
    )


def generations(records: Sequence[GenerationRecord], live: Live) -> list[schemas.GenerationAnswer]:
    return [generation(record, state) for record, state in zip(records, live.states(records), strict=True)]


def progress(state: LiveState) -> float:
    return round(state.progress, 4)


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
    spec = AvatarSpec.from_json(record.spec) if record.kind != BY_HAND else None
    return [_output(output, spec) for output in record.outputs]


def _output(output: OutputRecord, spec: AvatarSpec | None) -> dict[str, object]:
    return {
        "filename": output.filename,
        "url": f"/outputs/{output.generation_id}/{output.filename}",
        "pose_type": output.view,
        "size": output.size,
        "dimensions": {"width": output.width, "height": output.height},
        "seed": spec.seed_of(output.view) if spec else None,
    }


def _input(line: dict[str, object]) -> dict[str, object]:
    return {
        **line,
        "pose_type": line["view"],
        "comfyui_prompt_id": line["prompt_id"],
        "steps": {"first": line["first_step"], "last": line["last_step"]},
    }


def _parameters(spec: AvatarSpec, kind: str) -> dict[str, object]:
    several = kind == "all_poses"
    return {
        "prompt": spec.prompt,
        "pose_file_id": spec.pose.file.file_id if spec.pose else None,
        "reference_file_id": spec.reference.file_id if spec.reference else None,
        "clothing": spec.clothing,
        "style": spec.style,
        "realism": spec.realism,
        "negative_prompt": spec.negative_prompt,
        "width": spec.width,
        "height": spec.height,
        "steps": spec.steps,
        "cfg": spec.cfg,
        "sampler": spec.sampler,
        "scheduler": spec.scheduler,
        "seed": spec.seed,
        "checkpoint": spec.checkpoint,
        "pose_strength": spec.pose.strength if spec.pose else spec.skeleton_strength,
        "pose_mode": spec.pose.mode if spec.pose else None,
        "reference_strength": spec.reference.strength if spec.reference else None,
        "consistency": spec.consistency if several else None,
        "turnaround": spec.turnaround if several else None,
    }
