"""Links that also work on Windows, where symbolic links need administrator rights."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def link(source: Path, target: Path) -> None:
    """Link ``target`` to ``source``, replacing an existing link. Copies a file if no link is allowed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unlink(target)
    source = source.resolve()
    try:
        target.symlink_to(source, target_is_directory=source.is_dir())
    except OSError:
        # Junctions (for folders) and hard links (for files on the same disk) need no special rights.
        if sys.platform == "win32" and source.is_dir():
            import _winapi

            _winapi.CreateJunction(str(source), str(target))
        else:
            _hard_link_or_copy(source, target)


def unlink(target: Path) -> None:
    """Remove a link or a file, but never the target of a link or a real folder."""
    if is_junction(target):
        target.rmdir()
    elif target.is_symlink() or target.is_file():
        target.unlink()


def is_junction(path: Path) -> bool:
    # os.path.isjunction needs Python 3.12. A junction is a folder whose resolved path differs from its own.
    if sys.platform != "win32" or path.is_symlink() or not path.is_dir():
        return False
    return path.resolve() != path.parent.resolve() / path.name


def _hard_link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
