"""The manifest of a character's file: what it says, as data, and its JSON.

docs/characters.md describes every field. A file of another format version is refused by its number, so a
field is only added together with a new one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ..errors import RejectedUploadError
from ..ids import UUID_PATTERN, is_id
from ..spec.stored import to_json_text
from ..strict_json import InvalidJson, read_json

FORMAT: Final = "avatarforge-character"
FORMAT_VERSION: Final = 1
MANIFEST = "manifest.json"

LARGEST = 32 * 1024 * 1024  # bytes
MOST_VALUES = 1_000_000
DEPTH = 12
MOST_VERSIONS = 10_000
MOST_FILES = 4_000
MOST_POSES = 1_000
LONGEST_NOTE = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_PROBLEMS = 5  # named in a refusal

#: Checks the content of a version, as the API checks that of a new character, and returns its fields. Raises
#: pydantic's ValidationError.
ReadContent = Callable[[Any], dict[str, Any]]

_Id = Annotated[str, StringConstraints(pattern=f"^{UUID_PATTERN}$", to_lower=True)]
_Hash = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class ManifestFile(_Part):
    """A stored file: `member` is its name in the archive, `filename` the one that downloads have."""

    file_id: _Id
    sha256: _Hash
    size: int = Field(ge=0, le=2**40)
    filename: _Name
    member: str = Field(pattern=r"^files/[0-9a-f]{64}\.(png|jpg|webp|json)$")


class ManifestPose(_Part):
    """A saved pose of the library, which is the content of a file."""

    pose_id: _Id
    name: str = Field(min_length=1, max_length=100)
    file_id: _Id


class ManifestTemplate(_Part):
    """The name of a template that a version names by its id. The template itself is not in the file."""

    template_id: _Id
    name: str = Field(min_length=1, max_length=100)


class ManifestVersion(_Part):
    """A version: its content as `POST /characters` takes it."""

    version: int = Field(ge=1, le=2**31 - 2)
    created_at: str = Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$")
    content: dict[str, Any]


class Manifest(_Part):
    """What a character's file contains. `versions` are in the order of their numbers."""

    format: Literal["avatarforge-character"]
    format_version: Literal[1]
    exported_by: str = Field(max_length=100)
    licence_note: str = Field(max_length=LONGEST_NOTE)
    character_id: _Id
    versions: list[ManifestVersion] = Field(min_length=1, max_length=MOST_VERSIONS)
    files: list[ManifestFile] = Field(max_length=MOST_FILES)
    poses: list[ManifestPose] = Field(max_length=MOST_POSES)
    templates: list[ManifestTemplate] = Field(max_length=MOST_POSES)


@dataclass(frozen=True)
class ReadVersion:
    """A version of a file, checked. `created_at` is in microseconds since 1970."""

    number: int
    created_at: int
    values: Mapping[str, Any]

    @property
    def file_ids(self) -> set[str]:
        listed = (*(self.values.get("references") or ()), *(self.values.get("outfits") or ()))
        return {item["file_id"] for item in listed if item.get("file_id") is not None}

    @property
    def pose(self) -> str | None:
        """What its defaults name as the pose: an id or a name."""
        pose: str | None = (self.values.get("defaults") or {}).get("pose_id")
        return pose


def manifest_bytes(manifest: Manifest) -> bytes:
    return to_json_text(manifest.model_dump()).encode("utf-8")


def written_time(microseconds: int) -> str:
    """Microseconds since 1970 as ISO 8601 in UTC, exactly."""
    return (_EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _microseconds(text: str) -> int:
    time = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return (time - _EPOCH) // timedelta(microseconds=1)


def refuse(reason: str) -> RejectedUploadError:
    return RejectedUploadError(f"Invalid character file: {reason}", code="invalid_character_file")


def read_manifest(
    raw: bytes, read_content: ReadContent, keep: int
) -> tuple[Manifest, tuple[ReadVersion, ...]]:
    """The manifest, and its `keep` newest versions in the order of their numbers. Blocks. Raises
    RejectedUploadError."""
    data = read_values(raw)
    _check_version(data)
    try:
        manifest = Manifest.model_validate(data)
    except ValidationError as error:
        raise refuse(f"{MANIFEST}: {explain(error)}") from error
    _check_texts(manifest)
    _check_lists(manifest)
    newest = manifest.versions[-1].version
    kept = [version for version in manifest.versions if version.version > newest - keep]
    return manifest, tuple(_read_version(version, read_content) for version in kept)


def read_values(raw: bytes) -> Any:
    """Parse the JSON of a manifest. Raises RejectedUploadError."""
    try:
        return read_json(raw, max_depth=DEPTH, max_values=MOST_VALUES)
    except InvalidJson as error:
        raise refuse(f"{MANIFEST}: {error}") from error


def _check_version(data: Any) -> None:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise refuse(f"{MANIFEST} does not say that its format is {FORMAT!r}.")
    number = data.get("format_version")
    if isinstance(number, int) and number > FORMAT_VERSION:
        raise refuse(
            f"It has the format version {str(number)[:20]}, and this AvatarForge reads {FORMAT_VERSION}: "
            "update it."
        )


def _check_texts(manifest: Manifest) -> None:
    texts = [manifest.exported_by, manifest.licence_note]
    texts += [item.filename for item in manifest.files]
    texts += [*(item.name for item in manifest.poses), *(item.name for item in manifest.templates)]
    if any(_CONTROLS.search(text) for text in texts):
        raise refuse(f"{MANIFEST} has a text with control characters.")


def _check_lists(manifest: Manifest) -> None:
    numbers = [version.version for version in manifest.versions]
    if numbers != sorted(set(numbers)):
        raise refuse("Its versions are not in the order of their numbers.")
    for field, keys in (
        ("file_id", [item.file_id for item in manifest.files]),
        ("sha256", [item.sha256 for item in manifest.files]),
        ("pose_id", [item.pose_id for item in manifest.poses]),
    ):
        if len(set(keys)) < len(keys):
            raise refuse(f"Two entries of {MANIFEST} have the same {field}.")
    for item in manifest.files:
        if not item.member.startswith(f"files/{item.sha256}."):
            raise refuse(f"{item.member} is not the member of the file with the SHA-256 {item.sha256}.")
    known = {item.file_id: item.member.endswith(".json") for item in manifest.files}
    for pose in manifest.poses:
        if not known.get(pose.file_id, False):
            raise refuse(f"The file of the pose {pose.name!r} is not in it.")
        if not pose.name.strip() or is_id(pose.name.strip()):
            raise refuse(f"{pose.name!r} is no name of a pose.")


def _read_version(version: ManifestVersion, read_content: ReadContent) -> ReadVersion:
    try:
        values = read_content(version.content)
        created_at = _microseconds(version.created_at)
    except ValidationError as error:
        raise refuse(f"Version {version.version}: {explain(error)}") from error
    except ValueError as error:
        raise refuse(f"Version {version.version} has a time that does not exist.") from error
    return ReadVersion(version.version, max(0, created_at), values)


def explain(error: ValidationError) -> str:
    """The first problems, each with its place."""
    listed = error.errors(include_url=False, include_context=False, include_input=False)[:_PROBLEMS]
    return (
        "; ".join(
            f"{'.'.join(str(part)[:80] for part in item['loc'])}: {item['msg'].rstrip('.')}"
            for item in listed
        )
        + "."
    )
