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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLES = 200  # ids and hashes that are asked for, spread over all rows
BLOB = b"bytes that stand for a picture"
BEGUN = 1_700_000_000_000_000  # microseconds since 1970
APART = 1_000_000
BATCH = 20_000


@dataclass(frozen=True)
class Named:
    """What the row of that number is called: ids and a hash that look random, the same in every run."""

    number: int
    generation: str
    file: str
    content_hash: str


def named(number: int) -> Named:
    text = hashlib.blake2b(str(number).encode()).hexdigest()
    return Named(number, _uuid(text[:32]), _uuid(text[32:64]), text[64:])


def _uuid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


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


def _filled(text: str, name: Named) -> str:
    text = text.replace("@NUMBER", str(name.number)).replace("@PROMPT", name.generation)
    return text.replace("@FILE", name.file).replace("@HASH", name.content_hash)


def _file(name: Named) -> tuple[Any, ...]:
    moment = BEGUN + name.number * APART
    kind = (len(BLOB), "image/png", "png", 512, 768)
    return (name.file, name.content_hash, f"reference {name.number}.png", *kind, moment, moment)


def _generation(name: Named) -> tuple[Any, ...]:
    begun = BEGUN + name.number * APART
    status, error = ("failed", "It was cancelled.") if _failed(name) else ("completed", None)
    texts = (_filled(_SPEC, name), _PROMPT, _filled(_RECEIPT, name))
    moments = (begun, begun + 1000, begun + 9_000_000)
    return (name.generation, "pose", status, name.generation, *texts, 1, error, *moments)


def _output(name: Named) -> tuple[Any, ...]:
    size = 400_000 + name.number % 1000
    return (name.generation, 0, "avatarforge_00001.png", "front", size, 512, 768, name.content_hash)


def _input(name: Named) -> tuple[Any, ...]:
    return name.generation, "reference", name.file


def _failed(name: Named) -> bool:
    return name.number % 50 == 49


_PROMPT = '{"1":{"class_type":"AvatarForgeSave","inputs":{}}}'
_TABLES: dict[str, tuple[Callable[[Named], tuple[Any, ...]], str]] = {
    "files": (
        _file,
        "id, content_hash, filename, size, mime_type, extension, width, height, created_at, last_used_at",
    ),
    "generations": (
        _generation,
        "id, kind, status, prompt_id, spec, prompt, receipt, attempts, error, created_at, started_at, "
        "completed_at",
    ),
    "outputs": (_output, "generation_id, position, filename, view, size, width, height, content_hash"),
    "generation_inputs": (_input, "generation_id, role, file_id"),
}


def fill(database: Path, rows: int) -> None:
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000", "foreign_keys=OFF"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    for start in range(0, rows, BATCH):
        names = [named(number) for number in range(start, min(start + BATCH, rows))]
        for table, (make, columns) in _TABLES.items():
            made = [make(name) for name in names if table != "outputs" or not _failed(name)]
            marks = ",".join("?" * (columns.count(",") + 1))
            connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", made)  # noqa: S608
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def make_blobs(storage: Path, names: list[Named]) -> None:
    for name in names:
        path = storage / "blobs" / name.content_hash[:2] / f"{name.content_hash}.png"
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
    every = max(1, rows // SAMPLES)
    names = [named(number) for number in range(0, rows, every)]
    make_blobs(folder / "storage", names)
    told = {
        "generations": [name.generation for name in names],
        "firsts": [named(min(name.number + 1, rows - 1)).generation for name in names],
        "hashes": [name.content_hash for name in names],
        "seconds": time.perf_counter() - begun,
        "bytes": (folder / DATABASE_NAME).stat().st_size,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
