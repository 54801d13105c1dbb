"""Limits on the total size of the store."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import StorageFullError


@dataclass(frozen=True)
class Quota:
    """0 means no limit. Counts what is on disk: each content once, soft-deleted ones included."""

    max_bytes: int = 0
    max_files: int = 0

    def __bool__(self) -> bool:
        return bool(self.max_bytes or self.max_files)

    def check(self, files: int, size: int) -> None:
        """Raises StorageFullError if `files` files of `size` bytes in total exceed a limit."""
        if self.max_files and files > self.max_files:
            raise _used_up(f"STORAGE_QUOTA_FILES allows {self.max_files} files", "STORAGE_QUOTA_FILES")
        if self.max_bytes and size > self.max_bytes:
            raise _used_up(
                f"STORAGE_QUOTA_BYTES allows {self.max_bytes} bytes, and with this file it would be {size}",
                "STORAGE_QUOTA_BYTES",
            )


def _used_up(allowed: str, setting: str) -> StorageFullError:
    return StorageFullError(
        f"The storage quota is used up: {allowed}. Delete files that are no longer needed, or raise it.",
        code="quota_exceeded",
        parameters={"setting": setting},
    )
