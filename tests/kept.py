"""Writes old, completed generations into a store, because generating 200 would take minutes."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import replace
from pathlib import Path

from pictures import picture
from specs import spec
from sqlalchemy import insert

from avatarforge.db import terms
from avatarforge.db.engine import open_database
from avatarforge.db.tables import generations, outputs

FIRST = 1_750_000_000_000_000  # microseconds: a day in June 2025
MINUTE = 60_000_000


def keep_generations(base: Path, count: int) -> list[str]:
    """Write completed generations, each with a picture, into a base directory that no running ComfyUI uses.

    Their prompts are "knight 1" and so on. Returns their ids, the newest last.
    """
    data_folder = base / "user" / "__avatarforge"
    data_folder.mkdir(parents=True, exist_ok=True)
    ids = [str(uuid.uuid4()) for _ in range(count)]
    rows, pictures = [], []
    for number, generation_id in enumerate(ids, start=1):
        content = picture(number)
        file = base / "output" / "avatarforge" / generation_id / "avatarforge_00001.png"
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        started = FIRST + number * MINUTE
        rows.append(
            {
                "id": generation_id,
                "kind": "pose",
                "status": "completed",
                "prompt_id": generation_id,
                "spec": replace(spec(), prompt=f"knight {number}", width=64, height=64).to_json(),
                "prompt": "{}",
                "receipt": json.dumps({"inputs": [], "warnings": []}),
                "attempts": 1,
                "created_at": started,
                "started_at": started,
                "completed_at": started + MINUTE // 2,
            }
        )
        pictures.append(
            {
                "generation_id": generation_id,
                "position": 0,
                "filename": file.name,
                "view": "front",
                "size": len(content),
                "width": 64,
                "height": 64,
                "content_hash": hashlib.sha256(content).hexdigest(),
            }
        )
    database = open_database("", data_folder)
    try:
        database.write_here(lambda connection: connection.execute(insert(generations), rows))
        database.write_here(lambda connection: connection.execute(insert(outputs), pictures))
        database.write_here(lambda connection: terms.add_rows(connection, rows))
    finally:
        database.close()
    return ids
