"""Makes the clone available as the package ``avatarforge``, and installs it into ComfyUI's custom nodes."""

from __future__ import annotations

import compileall
import importlib.util
import shutil
import sys
from pathlib import Path

from .cache import cache_root, key
from .links import link, unlink

PACKAGE = "avatarforge"

#: Folders of a clone that are not part of the installed pack.
NOT_PACK = (".git", ".venv", "venv", "tests", "avatarforge-demo", ".*_cache", ".hypothesis", "node_modules")


def load_pack(root: Path) -> None:
    """Put the clone at ``root`` into ``sys.modules`` as ``avatarforge``, whatever its folder is called.

    ComfyUI does the same, but also runs the pack's ``__init__.py``, its entry point, which the host tests
    cover. Submodules can be imported as ``avatarforge.forge`` and so on, and their relative imports work.
    """
    spec = importlib.util.spec_from_file_location(
        PACKAGE, root / "__init__.py", submodule_search_locations=[str(root)]
    )
    if spec is None:
        raise ImportError(f"no package at {root}")
    sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)


def plain_link(root: Path) -> Path:
    """Make a link to the clone named ``avatarforge``, for tools that need the package's name. Returns it."""
    target = cache_root() / "links" / key(root) / PACKAGE
    link(root, target)
    return target


def install_pack(root: Path, target: Path, dotenv: str | None) -> None:
    """Link the pack at ``target``, or with ``dotenv``, copy it and write that text as its ``.env``."""
    unlink(target)
    if target.is_dir():
        shutil.rmtree(target)
    if dotenv is None:
        link(root, target)
        return
    ignored = shutil.ignore_patterns(".env", *NOT_PACK)
    # Copied sources keep their times, so that Python takes the bytecode that is copied with them.
    names = [path.name for path in root.iterdir() if path.is_dir()]
    for name in set(names) - ignored(str(root), names):
        compileall.compile_dir(root / name, quiet=2)
    shutil.copytree(root, target, ignore=ignored)
    if dotenv:
        (target / ".env").write_text(dotenv, encoding="utf-8")
