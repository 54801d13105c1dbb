"""AvatarForge: a character API that lives inside ComfyUI. This file is what ComfyUI sees."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

WEB_DIRECTORY = "./web"

__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]


class AvatarForgeExtension(ComfyExtension):
    async def on_load(self) -> None:
        from .bootstrap import start

        await start()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        from .avatarforge_nodes import NODES

        return NODES


async def comfy_entrypoint() -> AvatarForgeExtension:
    return AvatarForgeExtension()
