"""Files of characters, made by hand."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from archives import packed

ID = "22222222-2222-4222-8222-222222222222"
FILE_ID = "33333333-3333-4333-8333-{number:012d}"


def character_file(*pictures: bytes, character_id: str = ID, **content: Any) -> bytes:
    """A file of one version, which has these pictures as references."""
    files = {f"files/{hashlib.sha256(data).hexdigest()}.png": data for data in pictures}
    ids = [FILE_ID.format(number=number) for number in range(len(pictures))]
    references = [{"file_id": file_id} for file_id in ids]
    manifest = {
        "format": "avatarforge-character",
        "format_version": 1,
        "exported_by": "a test",
        "licence_note": "",
        "character_id": character_id,
        "versions": [
            {
                "version": 1,
                "created_at": "2026-01-01T00:00:00.000000Z",
                "content": {"name": "mine", "description": "a knight", "references": references, **content},
            }
        ],
        "files": [
            {
                "file_id": file_id,
                "sha256": member[6:-4],
                "size": len(data),
                "filename": "a.png",
                "member": member,
            }
            for file_id, (member, data) in zip(ids, files.items(), strict=True)
        ],
        "poses": [],
        "templates": [],
    }
    return packed({"manifest.json": json.dumps(manifest).encode(), **files})
