"""AvatarForge: a character API that lives inside ComfyUI. This is the module that ComfyUI imports."""

from __future__ import annotations

from pathlib import Path

from comfy_api.latest import ComfyExtension, io
from server import PromptServer

from .host.copies import claim

__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]

_server = getattr(PromptServer, "instance", None)
# Claimed at import, because ComfyUI reads WEB_DIRECTORY right after it.
_is_active = claim(_server, Path(__file__).parent)
WEB_DIRECTORY = "./web" if _is_active else None


class AvatarForgeExtension(ComfyExtension):
    async def on_load(self) -> None:
        if not _is_active:
            return
        try:
            from .bootstrap import start

            await start()
        except Exception as error:  # noqa: BLE001 - no error may stop ComfyUI or the nodes; it is logged
            from .fallback import add_fallback

            add_fallback(_server, error)

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        if not _is_active:
            return []
        from .avatarforge_nodes import NODES

        return NODES


async def comfy_entrypoint() -> AvatarForgeExtension:
    return AvatarForgeExtension()
