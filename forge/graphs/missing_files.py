"""The files that a model still needs, and where they come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..families.catalogue import download_for
from .parts import MissingPart


@dataclass(frozen=True)
class MissingFile:
    """A text encoder or VAE that a model needs. `name` is the usual file, None if none is known; `folder` is
    under `models`, `size` is in gigabytes, `page` is that of its publisher."""

    kind: str
    folder: str
    name: str | None = None
    size: float | None = None
    page: str | None = None


def missing_files(missing: Iterable[MissingPart]) -> tuple[MissingFile, ...]:
    """What to install for these parts."""
    found = []
    for part in missing:
        download = download_for(None, part.kind)
        if download is None:
            found.append(MissingFile(part.kind, part.folder))
        else:
            found.append(MissingFile(part.kind, download.folder, download.name, download.size, download.page))
    return tuple(found)


def describe_missing(files: Iterable[MissingFile]) -> str:
    """The files in a sentence: names, folders, sizes and pages."""
    return ", and ".join(_describe_file(file) for file in files)


def _describe_file(file: MissingFile) -> str:
    name = file.name or f"a file with {file.kind}"
    size = f" ({file.size:g} GB)" if file.size else ""
    page = f" from {file.page}" if file.page else ""
    return f"{name}{size} in models/{file.folder}{page}"
