"""The pack in this clone: as a package under its plain name, and as a folder among ComfyUI's custom nodes."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from .cache import cache_root, key
from .links import link, unlink

PACKAGE = "avatarforge"

#: Folders of a clone that are no part of the installed pack.
NOT_PACK = (".git", ".venv", "venv", "tests", "avatarforge-demo", ".*_cache", ".hypothesis", "node_modules")


def load_pack(root: Path) -> None:
    """Put the clone at ``root`` into ``sys.modules`` as ``avatarforge``, whatever its folder is called.

    It is what ComfyUI does, except that the pack's ``__init__.py`` is not run: that file is ComfyUI's entry,
    and whether ComfyUI takes it is seen on the real host. Everything under it is imported as
    ``avatarforge.forge`` and so on, with its relative imports working.
    """
    spec = importlib.util.spec_from_file_location(
        PACKAGE, root / "__init__.py", submodule_search_locations=[str(root)]
    )
    if spec is None:
        raise ImportError(f"no package at {root}")
    sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)


def plain_link(root: Path) -> Path:
    """A link to the clone with the plain name ``avatarforge``, for tools that need a module's name."""
    named = cache_root() / "links" / key(root) / PACKAGE
    link(root, named)
    return named


def install_pack(root: Path, target: Path, dotenv: str | None) -> None:
    """Put the pack at ``target``: a link, or with ``dotenv`` a copy that has this text as its ``.env``."""
    unlink(target)
    if target.is_dir():
        shutil.rmtree(target)
    if dotenv is None:
        link(root, target)
        return
    shutil.copytree(root, target, ignore=shutil.ignore_patterns(".env", *NOT_PACK))
    if dotenv:
        (target / ".env").write_text(dotenv, encoding="utf-8")
