"""Which copy of the pack ComfyUI uses when it is installed twice, such as with git and with ComfyUI-Manager.

Two copies would register the same nodes and routes, and only one of them could open the store. So the first
that ComfyUI loads leaves a mark on ComfyUI's server, where every other copy finds it, and the others register
nothing. The mark is made of plain data, because a copy of another version reads it: a dict with `folder`
(a text) and `others` (the folders of the copies that found it, a list of texts).
"""

from __future__ import annotations

import logging
from pathlib import Path, PurePath
from typing import Any

MARK = "avatarforge_copy"
ROUTES = "/avatarforge-controller"

log = logging.getLogger("avatarforge")


def claim(server: Any, pack: Path) -> bool:
    """Whether the copy at `pack` is the one to use. `server` is ComfyUI's; None when there is none."""
    if server is None:
        return True
    mark = getattr(server, MARK, None)
    if mark is None:
        unmarked = _unmarked_copy(server)
        if unmarked is None:
            setattr(server, MARK, {"folder": str(pack), "others": []})
            return True
        # Older than the mark itself. It cannot tell in its health of this copy; the log can.
        mark = {"folder": unmarked, "others": []}
    used = str(mark.get("folder", ""))
    if used == str(pack):
        return False  # loaded again by a tool that reloads packs: all of it is registered already
    mark.setdefault("others", []).append(str(pack))
    log.warning("AvatarForge: %s", _sentence(used, str(pack)))
    return False


def faults(server: Any) -> list[str]:
    """A sentence for each copy that is not used."""
    mark = getattr(server, MARK, None) or {}
    return [_sentence(str(mark.get("folder", "")), str(other)) for other in mark.get("others", [])]


def _sentence(used: str, unused: str) -> str:
    return (
        f"The pack is installed twice: {_shown(used)} is used, {_shown(unused)} is not. Remove one of them "
        "and restart ComfyUI."
    )


def _shown(folder: str) -> str:
    """Its last two parts, such as custom_nodes/avatarforge: no path of the server leaves it."""
    return "/".join(PurePath(folder).parts[-2:]) or "another copy"


def _unmarked_copy(server: Any) -> str | None:
    """The folder of a copy that registered our routes without a mark; None when there is none."""
    for route in getattr(server, "routes", ()):
        if str(getattr(route, "path", "")).startswith(ROUTES):
            # ComfyUI names a pack's module after its path, with "_x_" for every dot.
            module = str(getattr(getattr(route, "handler", None), "__module__", ""))
            return module.partition(".")[0].replace("_x_", ".")
    return None
