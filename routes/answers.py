"""From records to the API's answers."""

from __future__ import annotations

import json
from datetime import datetime

from ..forge import clock
from ..forge.generations.service import GenerationRecord, OutputRecord
from ..forge.generations.spec import AvatarSpec
from ..forge.store.files import Received
from . import schemas


def iso(microseconds: int) -> str:
    """UTC, ISO 8601, to the millisecond, ending in Z."""
    moment: datetime = clock.to_datetime(microseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _iso_or_none(microseconds: int | None) -> str | None:
    return None if microseconds is None else iso(microseconds)


def upload(received: Received) -> schemas.UploadAnswer:
    file = received.file
    return schemas.UploadAnswer(
        file_id=file.id,
        filename=file.filename,
        content_hash=file.content_hash,
        size=file.size,
        mime_type=file.mime_type,
        dimensions=schemas.Dimensions(width=file.width, height=file.height),
        url=f"/files/{file.id}",
        is_duplicate=received.is_duplicate,
        created_at=iso(file.created_at),
    )


def generation(record: GenerationRecord) -> schemas.GenerationAnswer:
    spec = AvatarSpec.from_json(record.spec)
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
            "output_files": [_output(output) for output in record.outputs],
            "parameters": _parameters(spec),
            "inputs": [{**line, "pose_type": line["view"]} for line in receipt["inputs"]],
            "warnings": receipt["warnings"],
        }
    )


def _output(output: OutputRecord) -> dict[str, object]:
    return {
        "filename": output.filename,
        "url": f"/outputs/{output.generation_id}/{output.filename}",
        "pose_type": output.view,
        "size": output.size,
        "dimensions": {"width": output.width, "height": output.height},
    }


def _parameters(spec: AvatarSpec) -> dict[str, object]:
    return {
        "prompt": spec.prompt,
        "pose_file_id": spec.pose.file_id if spec.pose else None,
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
        "pose_strength": spec.pose.strength if spec.pose else None,
        "reference_strength": spec.reference.strength if spec.reference else None,
    }
