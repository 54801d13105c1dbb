"""The secret that signs links: made once, kept in the data folder, readable by its owner alone."""

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
    """SECRET_KEY where it is set, else the text of `secret.key`, which is made when it is missing.

    Blocks. The caller holds the lock of the data folder. Raises SettingsError.
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
        # Signing with what is left of a key would be worse than not to start.
        raise SettingsError(
            f"{NAME} in the data folder is broken: it must hold 64 hexadecimal digits. {_REMEDY}"
        )
    return text


_REMEDY = (
    "Delete it, and the next start makes a new one (links given out before stop working), or set SECRET_KEY."
)


def _make(path: Path, disk: Disk) -> str:
    """32 random bytes, hex, at `path`: whole or not at all, and never readable by others."""
    text = secrets.token_hex(32)
    temporary = path.with_name(f"{NAME}.new")
    try:
        disk.unlink(temporary)  # of a start that was cut short
        # The mode comes with the file: one that is tightened later could be open already.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            sync_descriptor(descriptor)
        disk.replace(temporary, path)
        disk.sync_folder(path.parent)  # the rename survives a power cut too
    except OSError as error:
        with contextlib.suppress(OSError):  # the next start removes it, before it makes another one
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
