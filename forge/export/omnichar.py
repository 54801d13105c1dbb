"""Reads OmniChar's `.char` files through its own package, `omnichar-sdk`.

AvatarForge does not install it: it is imported when such a file arrives. All that is used of it is in
`SdkCharacter` and `_load`, so that another release of it changes one place.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from ..errors import UnavailableError
from ..spec.character_content import LONGEST_DESCRIPTION, LONGEST_NAME, MOST_REFERENCES
from ..spec.stored import to_json_text
from .archive import PIECE
from .manifest import FORMAT, FORMAT_VERSION, refuse

MODULE = "omnichar_sdk"
PACKAGE = "omnichar-sdk"
#: Ids that follow from contents, so that the same file gives the same character.
_NAMESPACE = uuid.UUID("5d0c9a1e-7a55-4c9e-9d53-3f1f0a6c2b77")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_TIME = "1970-01-01T00:00:00.000000Z"  # the file has none
_SIGNATURES = ((b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpg"), (b"RIFF", "webp"))


class SdkCharacter(Protocol):
    """What is read of the package's own object."""

    name: str
    description: str | None
    prompt: str | None
    references: Sequence[bytes]
    loras: Sequence[str]


@dataclass(frozen=True)
class OmniCharacter:
    """The file as one of ours: its manifest, and the bytes of its members."""

    manifest: bytes
    members: Mapping[str, bytes]

    def pieces(self, name: str) -> Iterator[bytes]:
        data = self.members[name]
        return (data[start : start + PIECE] for start in range(0, len(data), PIECE))


def read_omnichar(path: Path, most_bytes_of_a_picture: int, most_bytes: int) -> OmniCharacter:
    """Blocks. Raises UnavailableError without the package, and RejectedUploadError."""
    module = _import()
    try:
        found = _load(module, path)
        references = list(found.references)[:MOST_REFERENCES]
        texts = [_text(found.name), _text(found.prompt), _text(found.description)]
        loras = [_text(name) for name in found.loras]
    except Exception as error:  # whatever another program's reader raises on a damaged file
        raise refuse(f"{PACKAGE} cannot read it as an OmniChar file ({type(error).__name__}).") from error
    sizes = [len(data) for data in references]
    if max(sizes, default=0) > most_bytes_of_a_picture or sum(sizes) > most_bytes:
        raise refuse("Its pictures are larger than the limits.")
    name, prompt, description = texts
    return _as_ours(path, name, prompt or description or name, references, loras)


def _import() -> Any:
    try:
        return importlib.import_module(MODULE)
    except ImportError as error:
        raise UnavailableError(
            f"OmniChar files are read by the package {PACKAGE}, which is not installed. Install it in "
            "ComfyUI's Python: it is the extra avatarforge[omnichar].",
            code="omnichar_missing",
        ) from error


def _load(module: Any, path: Path) -> SdkCharacter:
    return cast(SdkCharacter, module.load(path))


def _text(value: object) -> str:
    return _CONTROLS.sub("", value).strip() if isinstance(value, str) else ""


def _as_ours(
    path: Path, name: str, description: str, references: Sequence[bytes], loras: Sequence[str]
) -> OmniCharacter:
    members: dict[str, bytes] = {}
    files = []
    for data in references:
        sha256 = hashlib.sha256(data).hexdigest()
        extension = next((item for start, item in _SIGNATURES if data.startswith(start)), "png")
        member = f"files/{sha256}.{extension}"
        if member in members:
            continue
        members[member] = data
        file_id = str(uuid.uuid5(_NAMESPACE, sha256))
        files.append(
            {
                "file_id": file_id,
                "sha256": sha256,
                "size": len(data),
                "filename": f"reference-{len(files) + 1}.{extension}",
                "member": member,
            }
        )
    content = {
        "name": name[:LONGEST_NAME].strip() or "character",
        "description": description[:LONGEST_DESCRIPTION].strip() or "a character",
        "references": [{"file_id": item["file_id"], "role": "identity"} for item in files],
        "loras": [{"name": item} for item in loras if item],
    }
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "exported_by": "OmniChar",
        "licence_note": "",
        "character_id": str(uuid.uuid5(_NAMESPACE, hashlib.sha256(path.read_bytes()).hexdigest())),
        "versions": [{"version": 1, "created_at": _TIME, "content": content}],
        "files": files,
        "poses": [],
        "templates": [],
    }
    return OmniCharacter(to_json_text(manifest).encode(), members)
