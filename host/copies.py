"""Lets only one copy of the pack run when it is installed twice, such as with git and with ComfyUI-Manager.

Two copies would register the same nodes and routes, and only one of them could open the store. So the first
copy that ComfyUI loads leaves a mark on ComfyUI's server; copies that find it there register nothing. The
mark is plain data, because a copy of another version may read it: a dict with `folder` (a string) and
`others` (the folders of the copies that found it, a list of strings).
"""

from __future__ import annotations

import logging
from pathlib import Path, PurePath
from typing import Any

MARK = "avatarforge_copy"
ROUTES = "/avatarforge-controller"

log = logging.getLogger("avatarforge")


def claim(server: Any, pack: Path) -> bool:
    """Claim the server for the copy at `pack`; returns whether this is the copy to use. `server` is
    ComfyUI's, or None if there is none."""
    if server is None:
        return True
    mark = getattr(server, MARK, None)
    if mark is None:
        unmarked = _unmarked_copy(server)
        if unmarked is None:
            setattr(server, MARK, {"folder": str(pack), "others": []})
            return True
        # A version from before the mark. Its `/health` cannot report this copy, so only the log does.
        mark = {"folder": unmarked, "others": []}
    used = str(mark.get("folder", ""))
    if used == str(pack):
        return False  # loaded again by a tool that reloads packs: everything is registered already
    mark.setdefault("others", []).append(str(pack))
    log.warning("AvatarForge: %s", _sentence(used, str(pack)))
    return False


def faults(server: Any) -> list[str]:
    """A sentence for each unused copy."""
    mark = getattr(server, MARK, None) or {}
    return [_sentence(str(mark.get("folder", "")), str(other)) for other in mark.get("others", [])]


def _sentence(used: str, unused: str) -> str:
    return (
        f"The pack is installed twice: {_shown(used)} is used, {_shown(unused)} is not. Remove one of them "
        "and restart ComfyUI."
    )


def _shown(folder: str) -> str:
    """The last two parts, such as custom_nodes/avatarforge, because clients must not see server paths."""
    return "/".join(PurePath(folder).parts[-2:]) or "another copy"


def _unmarked_copy(server: Any) -> str | None:
    """The folder of a copy that registered AvatarForge's routes without a mark; None if there is none."""
    for route in getattr(server, "routes", ()):
        if str(getattr(route, "path", "")).startswith(ROUTES):
            # ComfyUI names a pack's module after its path, with "_x_" for every dot.
            module = str(getattr(getattr(route, "handler", None), "__module__", ""))
            return module.partition(".")[0].replace("_x_", ".")
    return None
