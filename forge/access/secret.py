"""The secret that signs links: generated once and stored in the data folder, readable only by its owner."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import stat
from pathlib import Path

from ..errors import SettingsError
from ..store.disk import Disk, sync_descriptor

NAME = "secret.key"
_TEXT = re.compile("[0-9a-f]{64}")

log = logging.getLogger("avatarforge")


def signing_secret(setting: str, data_folder: Path, disk: Disk | None = None) -> str:
    """SECRET_KEY if it is set, else the text of `secret.key`, which is created if it is missing.

    Blocks. The caller must hold the lock of the data folder. Raises SettingsError.
    """
    if setting:
        return setting
    path = data_folder / NAME
    try:
        _tighten(path)
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return _make(path, disk or Disk())
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        raise SettingsError(f"{NAME} in the data folder cannot be read: {reason}. {_REMEDY}") from error
    if not _TEXT.fullmatch(text):
        # Not starting is better than signing with a part of a key.
        raise SettingsError(
            f"{NAME} in the data folder is broken: it must hold 64 hexadecimal digits. {_REMEDY}"
        )
    return text


_REMEDY = (
    "Delete it, and the next start makes a new one (links given out before stop working), or set SECRET_KEY."
)


def _make(path: Path, disk: Disk) -> str:
    """Atomically write 32 random bytes, in hex, to `path`. Others can never read the file."""
    text = secrets.token_hex(32)
    temporary = path.with_name(f"{NAME}.new")
    try:
        disk.unlink(temporary)  # left by an interrupted start
        # Create the file with its final mode: another process could open it before a later chmod.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            sync_descriptor(descriptor)
        disk.replace(temporary, path)
        disk.sync_folder(path.parent)  # so that the rename survives a power cut
    except OSError as error:
        with contextlib.suppress(OSError):  # otherwise the next start removes it
            disk.unlink(temporary, patient=False)
        reason = error.strerror or type(error).__name__
        raise SettingsError(
            f"{NAME} cannot be written to the data folder: {reason}. Make it writable, or set SECRET_KEY."
        ) from error
    return text


def _tighten(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "nt" or not mode & 0o077:  # Windows has no modes; its user folders are private
        return
    log.warning("AvatarForge: others could read %s (mode %o); it is now 600", NAME, mode)
    path.chmod(0o600)
