"""Fill a store of the pack that no ComfyUI runs on with many generations and files.

Runs with ComfyUI's Python, since the pack's own migrations make the tables: ``fill.py ROOT DATA ROWS`` prints
a JSON object with what to ask for.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAMPLES = 200  # ids and hashes that are asked for, spread over all rows
BLOB = b"bytes that stand for a picture"
BEGUN = 1_700_000_000_000_000  # microseconds since 1970
APART = 1_000_000
BATCH = 20_000


def named(kind: str, number: int) -> str:
    """An id that looks random, as real ones do, and is the same in every run."""
    text = hashlib.md5(f"{kind} {number}".encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def content_hash(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


_SPEC = json.dumps(
    {
        "prompt": "female knight number @NUMBER, steel plate, red cape, castle in the background, dusk",
        "clothing": "full plate",
        "style": "watercolor",
        "realism": False,
        "negative_prompt": None,
        "views": ["front"],
        "pose": None,
        "reference": {
            "file_id": "@FILE",
            "content_hash": "@HASH",
            "strength": 0.8,
            "method": "attention",
            "preset": None,
            "model": None,
        },
        "width": 512,
        "height": 768,
        "steps": 25,
        "cfg": 7.0,
        "sampler": "dpmpp_2m",
        "scheduler": "karras",
        "seed": 7,
        "checkpoint": "anime-model.safetensors",
        "family": "sd15",
        "controlnet": "openpose.safetensors",
        "controlnet_is_union": False,
        "bones": "standard",
        "skeleton_strength": 1.0,
        "consistency": 0.7,
        "turnaround": "batch",
        "reseeded": {},
    },
    separators=(",", ":"),
)
_RECEIPT = json.dumps(
    {
        "inputs": [
            {
                "role": "reference",
                "view": "front",
                "kind": "picture",
                "file_id": "@FILE",
                "content_hash": "@HASH",
                "node": "5",
                "node_type": "AvatarForgeApplyReference",
                "model": "anime-model.safetensors",
                "strength": 0.8,
                "first_step": 1,
                "last_step": 25,
                "prompt_id": "@PROMPT",
            }
        ],
        "warnings": [],
    },
    separators=(",", ":"),
)


def _filled(text: str, number: int, generation_id: str, file_id: str, digest: str) -> str:
    text = text.replace("@NUMBER", str(number)).replace("@FILE", file_id).replace("@HASH", digest)
    return text.replace("@PROMPT", generation_id)


def _files(rows: int) -> Iterator[tuple[Any, ...]]:
    for number in range(rows):
        moment = BEGUN + number * APART
        yield (
            named("file", number), content_hash(number), f"reference {number}.png", len(BLOB), "image/png",
            "png", 512, 768, moment, moment,
        )  # fmt: skip


def _generations(rows: int) -> Iterator[tuple[Any, ...]]:
    for number in range(rows):
        generation_id, moment = named("generation", number), BEGUN + number * APART
        of_this = (number, generation_id, named("file", number), content_hash(number))
        failed = number % 50 == 49
        yield (
            generation_id, "pose", "failed" if failed else "completed", generation_id,
            _filled(_SPEC, *of_this), '{"1":{"class_type":"AvatarForgeSave","inputs":{}}}',
            _filled(_RECEIPT, *of_this), 1, "It was cancelled." if failed else None, moment, moment + 1000,
            moment + 9_000_000,
        )  # fmt: skip


def _outputs(rows: int) -> Iterator[tuple[Any, ...]]:
    for number in range(rows):
        if number % 50 != 49:
            yield (
                named("generation", number), 0, "avatarforge_00001.png", "front", 400_000 + number % 1000,
                512, 768, content_hash(number),
            )  # fmt: skip


def _inputs(rows: int) -> Iterator[tuple[Any, ...]]:
    for number in range(rows):
        yield named("generation", number), "reference", named("file", number)


_TABLES = {
    "files": (
        _files,
        "id, content_hash, filename, size, mime_type, extension, width, height, created_at, last_used_at",
    ),
    "generations": (
        _generations,
        "id, kind, status, prompt_id, spec, prompt, receipt, attempts, error, created_at, started_at, "
        "completed_at",
    ),
    "outputs": (_outputs, "generation_id, position, filename, view, size, width, height, content_hash"),
    "generation_inputs": (_inputs, "generation_id, role, file_id"),
}


def fill(database: Path, rows: int) -> None:
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000", "foreign_keys=OFF"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    for table, (make, columns) in _TABLES.items():
        marks = ",".join("?" * (columns.count(",") + 1))
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", make(rows))  # noqa: S608
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def make_blobs(storage: Path, numbers: list[int]) -> None:
    for number in numbers:
        name = content_hash(number)
        path = storage / "blobs" / name[:2] / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(BLOB)


def main(root: str, data: str, rows: int) -> None:
    sys.path.insert(0, str(Path(root) / "tests"))
    from lab.pack import load_pack

    load_pack(Path(root))
    from avatarforge.db.engine import DATABASE_NAME, open_database

    folder = Path(data)
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    open_database("", folder).close()
    fill(folder / DATABASE_NAME, rows)
    numbers = [rows * place // SAMPLES for place in range(SAMPLES)] if rows > SAMPLES else list(range(rows))
    make_blobs(folder / "storage", numbers)
    print(
        json.dumps(
            {
                "generations": [named("generation", number) for number in numbers],
                "firsts": [named("generation", (number + 1) % rows) for number in numbers],
                "hashes": [content_hash(number) for number in numbers],
                "seconds": time.perf_counter() - begun,
                "bytes": (folder / DATABASE_NAME).stat().st_size,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
