"""Fills the pack's store with many generations and files while no ComfyUI uses it.

A script for ComfyUI's Python, because the pack's own migrations create the tables. ``fill.py ROOT DATA ROWS``
prints a JSON object with ids and hashes to request. With PICTURE and OUTPUT as two more arguments, every
completed generation has its file in the output folder, which is the same picture for all.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLES = 200  # ids and hashes to request, spread over all rows
BLOB = b"bytes that stand for a picture"
FIRST_TIME = 1_700_000_000_000_000  # microseconds since 1970
INTERVAL = 1_000_000  # microseconds between two rows
BATCH_SIZE = 20_000
OUTPUT = "avatarforge_00001.png"
OF_A_CHARACTER = 10  # generations that show the same one


@dataclass(frozen=True)
class Identity:
    """Ids and hash of a row. They look random, but are the same in every run."""

    number: int
    generation: str
    file: str
    content_hash: str


def identity(number: int) -> Identity:
    digest = hashlib.blake2b(str(number).encode()).hexdigest()
    return Identity(number, _uuid(digest[:32]), _uuid(digest[32:64]), digest[64:])


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


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


def _filled(text: str, row: Identity) -> str:
    text = text.replace("@NUMBER", str(row.number)).replace("@PROMPT", row.generation)
    return text.replace("@FILE", row.file).replace("@HASH", row.content_hash)


def _file(row: Identity) -> tuple[Any, ...]:
    created = FIRST_TIME + row.number * INTERVAL
    kind = (len(BLOB), "image/png", "png", 512, 768)
    return (row.file, row.content_hash, f"reference {row.number}.png", *kind, created, created)


def _generation(row: Identity) -> tuple[Any, ...]:
    created = FIRST_TIME + row.number * INTERVAL
    status, error = ("failed", "It was cancelled.") if _failed(row) else ("completed", None)
    texts = (_filled(_SPEC, row), _PROMPT, _filled(_RECEIPT, row))
    times = (created, created + 1000, created + 9_000_000)
    shown = (character_of(row), 1)
    return (row.generation, "pose", status, row.generation, *texts, 1, error, *times, *shown)


def character_of(row: Identity) -> str:
    """The id of the character that a generation shows: that of the first of them."""
    return identity(row.number - row.number % OF_A_CHARACTER).file


def _character(row: Identity) -> tuple[Any, ...]:
    name, description = f"Mira {row.number}", f"a young woman with red hair and freckles, number {row.number}"
    keys = (name.casefold(), f"{name}\n{description}".casefold())
    created = FIRST_TIME + row.number * INTERVAL
    return (row.file, name, *keys, 1, description, row.file, created, created)


def _version(row: Identity) -> tuple[Any, ...]:
    content = json.dumps({"name": f"Mira {row.number}", "description": f"a young woman, number {row.number}"})
    return row.file, 1, content, FIRST_TIME


def _output(row: Identity) -> tuple[Any, ...]:
    size = 400_000 + row.number % 1000
    return (row.generation, 0, OUTPUT, "front", size, 512, 768, row.content_hash)


def _input(row: Identity) -> tuple[Any, ...]:
    return row.generation, "reference", row.file


def _has_row(table: str, row: Identity) -> bool:
    if table.startswith("character"):
        return row.number % OF_A_CHARACTER == 0
    return table != "outputs" or not _failed(row)


def _failed(row: Identity) -> bool:
    return row.number % 50 == 49


_PROMPT = '{"1":{"class_type":"AvatarForgeSave","inputs":{}}}'
_TABLES: dict[str, tuple[Callable[[Identity], tuple[Any, ...]], str]] = {
    "files": (
        _file,
        "id, content_hash, filename, size, mime_type, extension, width, height, created_at, last_used_at",
    ),
    "generations": (
        _generation,
        "id, kind, status, prompt_id, spec, prompt, receipt, attempts, error, created_at, started_at, "
        "completed_at, character_id, character_version",
    ),
    "characters": (
        _character,
        "id, name, name_key, search_key, version, description, portrait, created_at, updated_at",
    ),
    "character_versions": (_version, "character_id, number, content, created_at"),
    "outputs": (_output, "generation_id, position, filename, view, size, width, height, content_hash"),
    "generation_inputs": (_input, "generation_id, role, file_id"),
}


#: The number of generations with a term. It is counted once at the end, for a trigger would take minutes.
_COUNTS = "number_of_a_term_insert"
_GALLERY = (
    "INSERT INTO terms (kind, value, number) VALUES "
    "('all', '', 0), ('kind', 'pose', 0), ('model', 'anime-model.safetensors', 0), ('view', 'front', 0)",
    "INSERT INTO terms (kind, value, number) "
    "SELECT 'character', character_id, 0 FROM generations GROUP BY character_id",
    "INSERT INTO generation_terms SELECT terms.id, sequence, generations.created_at FROM terms "
    "CROSS JOIN generations WHERE terms.kind IN ('all', 'kind', 'model', 'view')",
    "INSERT INTO generation_terms SELECT terms.id, sequence, generations.created_at FROM generations "
    "JOIN terms ON terms.kind = 'character' AND terms.value = character_id",
    "INSERT INTO generation_texts SELECT sequence, json_extract(spec, '$.prompt') || char(10) || "
    "json_extract(spec, '$.clothing') FROM generations",
    "UPDATE terms SET number = (SELECT count(*) FROM generation_terms WHERE term_id = terms.id)",
)


def fill(database: Path, rows: int) -> None:
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000", "foreign_keys=OFF"):
        connection.execute(f"PRAGMA {pragma}")
    (trigger,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (_COUNTS,)).fetchone()
    connection.execute(f"DROP TRIGGER {_COUNTS}")
    connection.execute("BEGIN")
    for start in range(0, rows, BATCH_SIZE):
        identities = [identity(number) for number in range(start, min(start + BATCH_SIZE, rows))]
        for table, (make, columns) in _TABLES.items():
            records = [make(row) for row in identities if _has_row(table, row)]
            marks = ",".join("?" * (columns.count(",") + 1))
            connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", records)  # noqa: S608
    for statement in (*_GALLERY, trigger):
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def make_blobs(storage: Path, rows: list[Identity]) -> None:
    for row in rows:
        path = storage / "blobs" / row.content_hash[:2] / f"{row.content_hash}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(BLOB)


def link_outputs(picture: Path, output: Path, rows: int) -> None:
    """Give every completed generation a folder with the picture: links to one folder, which take no time."""
    shared = output / "avatarforge" / "shared"
    shared.mkdir(parents=True)
    shutil.copyfile(picture, shared / OUTPUT)
    for row in map(identity, range(rows)):
        if not _failed(row):
            (shared.parent / row.generation).symlink_to(shared.name)


def main(root: str, data: str, rows: int, *outputs: str) -> None:
    sys.path.insert(0, str(Path(root) / "tests"))
    from lab.pack import load_pack

    load_pack(Path(root))
    from avatarforge.db.engine import DATABASE_NAME, open_database

    folder = Path(data)
    folder.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    open_database("", folder).close()
    fill(folder / DATABASE_NAME, rows)
    step = max(1, rows // SAMPLES)
    samples = [identity(number) for number in range(0, rows, step)]
    make_blobs(folder / "storage", samples)
    if outputs:
        link_outputs(Path(outputs[0]), Path(outputs[1]), rows)
    result = {
        "generations": [row.generation for row in samples],
        "firsts": [identity(min(row.number + 1, rows - 1)).generation for row in samples],
        "characters": [character_of(row) for row in samples],
        "hashes": [row.content_hash for row in samples],
        "seconds": time.perf_counter() - started,
        "bytes": (folder / DATABASE_NAME).stat().st_size,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
