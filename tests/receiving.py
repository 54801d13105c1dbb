"""Uploads to a file store, and what they leave on the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator

from avatarforge.forge.store.blobs import BlobStore
from avatarforge.forge.store.files import FileStore, Received


async def chunks(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def receive(files: FileStore, data: bytes, name: str | None = "pose.png") -> Received:
    return await files.receive(chunks(data), name)


def on_disk(blobs: BlobStore) -> list[str]:
    return sorted(path.name for path in blobs.folder.rglob("*") if path.is_file())
