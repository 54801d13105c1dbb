"""Responses about stored files."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..models import LazyModel


class Dimensions(LazyModel):
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")


class StoredFile(LazyModel):
    file_id: str
    filename: str
    content_hash: str = Field(description="SHA-256 of the bytes, hex.")
    size: int = Field(description="Bytes.")
    mime_type: str
    dimensions: Dimensions
    url: str = Field(description="Resolves against the server's root and against the API's prefix.")
    created_at: str


class UploadAnswer(StoredFile):
    is_duplicate: bool


class ListedFile(StoredFile):
    last_used_at: str
    references: int = Field(description="How many generations use it.")


class FilesAnswer(LazyModel):
    total: int = Field(description="How many there are.")
    files: list[ListedFile]
    limit: int
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last.")


class HashAnswer(LazyModel):
    exists: bool
    file_id: str | None
    message: str


class FileDeletedAnswer(LazyModel):
    file_id: str
    deleted: Literal["hard", "soft"]
    message: str


class CleanupAnswer(LazyModel):
    files_deleted: int
    cleanup_days: int
    message: str
