"""Links that also work on Windows, where symbolic links are kept to administrators."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def link(source: Path, target: Path) -> None:
    """Make ``target`` lead to ``source``, replacing an older link. A copy where no link is allowed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unlink(target)
    source = source.resolve()
    try:
        target.symlink_to(source, target_is_directory=source.is_dir())
    except OSError:
        # Junctions (folders) and hard links (files, on one disk) are free to everyone.
        if sys.platform == "win32" and source.is_dir():
            import _winapi

            _winapi.CreateJunction(str(source), str(target))
        else:
            _hard_link_or_copy(source, target)


def unlink(target: Path) -> None:
    """Remove a link or a file, never what a link leads to; a real folder stays."""
    if is_junction(target):
        target.rmdir()
    elif target.is_symlink() or target.is_file():
        target.unlink()


def is_junction(path: Path) -> bool:
    # os.path.isjunction is of Python 3.12; elsewhere a junction is a folder whose real path is another.
    if sys.platform != "win32" or path.is_symlink() or not path.is_dir():
        return False
    return path.resolve() != path.parent.resolve() / path.name


def _hard_link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
