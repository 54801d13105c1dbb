"""Reads OmniChar's `.char` files through its own package, `omnichar-sdk`.

AvatarForge does not install it: it is imported when such a file arrives. Such a file is a zip archive, and
the package reads it with Python's `zipfile`, so our own reader checks it first, and the pictures' bytes are
read by that alone.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ..errors import UnavailableError
from ..ids import canonical_id, is_id
from ..spec.character_content import LONGEST_DESCRIPTION, LONGEST_NAME, MOST_REFERENCES
from ..spec.stored import to_json_text
from .archive import ArchiveReader, InvalidArchive
from .manifest import FORMAT, FORMAT_VERSION, refuse, written_time

MODULE = "omnichar_sdk"
PACKAGE = "omnichar-sdk"
#: Ids that follow from contents, so that the same file gives the same character.
_NAMESPACE = uuid.UUID("5d0c9a1e-7a55-4c9e-9d53-3f1f0a6c2b77")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LATEST = 253_402_300_799  # seconds since 1970: the last that ISO 8601 writes with four digits
_LARGEST_TEXT = 1024 * 1024  # bytes; a longer description is no description
_LONGEST_REASON = 300
_MOST_LORAS = 16
_SIGNATURES = ((b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpg"), (b"RIFF", "webp"))
_ROLES = {"face": "face", "body": "identity", "cloth": "outfit"}


class SdkManifest(Protocol):
    """What is read of the package's manifest. `text` has the path of the description, `payloads` those of the
    LoRAs."""

    name: str
    char_id: str
    modified_at: int
    text: Mapping[str, Any]
    payloads: Mapping[str, Any]


class SdkReference(Protocol):
    """A picture: its name in the archive, and "face", "body" or "cloth"."""

    path: str
    role: str


class SdkCharacter(Protocol):
    """What is read of the package's `Character`."""

    manifest: SdkManifest

    def get_description(self) -> str: ...
    def get_references(self, *, limit: int) -> Sequence[SdkReference]: ...
    def get_lora_archs(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class OmniCharacter:
    """The file as one of ours: its manifest, and the bytes of its members. `loras` are the names of those
    that are in it; they are for the user to install."""

    manifest: bytes
    loras: tuple[str, ...]
    _reader: ArchiveReader
    _names: Mapping[str, str]

    def pieces(self, member: str) -> Iterator[bytes]:
        """Raises InvalidArchive."""
        return self._reader.pieces(self._names[member])


@dataclass(frozen=True)
class _Read:
    """What the package found."""

    name: str
    char_id: str
    modified_at: int
    description: str
    references: tuple[tuple[str, str], ...]
    loras: tuple[str, ...]


def read_omnichar(path: Path, file: BinaryIO, most_bytes_of_a_picture: int, most_bytes: int) -> OmniCharacter:
    """`file` is that of `path`, and must stay open. Blocks. Raises UnavailableError without the package, and
    RejectedUploadError."""
    module = _import()
    try:
        reader = ArchiveReader(file, most_bytes)
        found = _read(module, path, reader)
        return _as_ours(found, reader, most_bytes_of_a_picture)
    except InvalidArchive as error:
        raise refuse(str(error)) from error


def _import() -> Any:
    try:
        return importlib.import_module(MODULE)
    except ImportError as error:
        raise UnavailableError(
            f"OmniChar files are read by the package {PACKAGE}, which is not installed. Install it in "
            "ComfyUI's Python: it is the extra avatarforge[omnichar].",
            code="omnichar_missing",
        ) from error


def _read(module: Any, path: Path, reader: ArchiveReader) -> _Read:
    try:
        character: SdkCharacter = module.Character.open(path)
        manifest = character.manifest
        text = reader.members.get(str(manifest.text.get("path") or ""))
        if text is not None and text.size > _LARGEST_TEXT:
            raise InvalidArchive(f"{text.name} has {text.size} bytes; the limit is {_LARGEST_TEXT}.")
        references = character.get_references(limit=MOST_REFERENCES)
        keys = (module.payload_key(arch, "lora") for arch in list(character.get_lora_archs())[:_MOST_LORAS])
        # Not by get_lora(), which parses up to 16 MiB of JSON in each.
        loras = [_text(Path(manifest.payloads[key]["files"][0]["path"]).name, 255) for key in keys]
        return _Read(
            _text(manifest.name, LONGEST_NAME),
            manifest.char_id,
            min(max(0, int(manifest.modified_at)), _LATEST),
            _text(character.get_description(), LONGEST_DESCRIPTION),
            tuple((reference.path, reference.role) for reference in references),
            tuple(name for name in loras if name),
        )
    except InvalidArchive:
        raise
    except Exception as error:  # whatever another program's reader raises on a damaged file
        raise refuse(_reason(error, path)) from error


def _reason(error: Exception, path: Path) -> str:
    """What the package says, without the name of the temporary file."""
    said = _text(str(error).replace(str(path), "it").replace(path.name, "it"), _LONGEST_REASON).rstrip(".")
    return f"{PACKAGE} cannot read it as an OmniChar file ({type(error).__name__}: {said})."


def _text(value: object, longest: int) -> str:
    return _CONTROLS.sub("", value).strip()[:longest].strip() if isinstance(value, str) else ""


def _as_ours(found: _Read, reader: ArchiveReader, most_bytes_of_a_picture: int) -> OmniCharacter:
    """Raises InvalidArchive."""
    names: dict[str, str] = {}
    files: list[dict[str, Any]] = []
    references = []
    has_bodies = any(role == "body" for _, role in found.references)
    for name, role in found.references:
        member = _listed(name, reader, most_bytes_of_a_picture)
        entry = {**member, "file_id": _id(member["sha256"]), "filename": f"reference-{len(files) + 1}"}
        entry["filename"] += "." + entry["member"].rpartition(".")[2]
        if entry["member"] in names:
            continue
        names[entry["member"]] = name
        files.append(entry)
        # Faces are its default: without another picture they are who it is, to every model.
        ours = _ROLES.get(role, "identity") if has_bodies or role == "cloth" else "identity"
        references.append({"file_id": entry["file_id"], "role": ours})
    name = found.name or "character"
    content = {"name": name, "description": found.description or name, "references": references}
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "exported_by": "OmniChar",
        "licence_note": "",
        "character_id": canonical_id(found.char_id) if is_id(found.char_id) else _id(to_json_text(content)),
        "versions": [
            {
                "version": 1,
                "created_at": written_time(found.modified_at * 1_000_000),
                "content": content,
            }
        ],
        "files": files,
        "poses": [],
        "templates": [],
    }
    return OmniCharacter(to_json_text(manifest).encode(), found.loras, reader, names)


def _listed(name: str, reader: ArchiveReader, most_bytes: int) -> dict[str, Any]:
    """The entry of a picture in the manifest. Raises InvalidArchive."""
    member = reader.members.get(name)
    if member is None:
        raise InvalidArchive(f"Its picture {name[:100]!r} is missing.")
    if member.size > most_bytes:
        raise InvalidArchive(f"{name} has {member.size} bytes; the limit is {most_bytes} (MAX_FILE_SIZE).")
    content, start = hashlib.sha256(), b""
    for piece in reader.pieces(name):
        start = start or piece[:8]
        content.update(piece)
    extension = next((item for mark, item in _SIGNATURES if start.startswith(mark)), "png")
    sha256 = content.hexdigest()
    return {"sha256": sha256, "size": member.size, "member": f"files/{sha256}.{extension}"}


def _id(text: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, text))
