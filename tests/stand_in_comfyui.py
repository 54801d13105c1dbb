"""Stand-ins for the ComfyUI modules that the pack uses at startup, so that tests can make each step fail.

They prove nothing about ComfyUI: tests on the real one are in `tests/host`.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

from aiohttp import web

STATS = {"system": {"comfyui_version": "0.30.0"}, "devices": []}


class PromptServer:
    """Stands in for `server.PromptServer`, with its application, routes and sockets."""

    instance: Any = None

    def __init__(self) -> None:
        self.app = web.Application()
        self.routes = web.RouteTableDef()
        self.sockets: dict[str, Any] = {}
        self.sockets_metadata: dict[str, Any] = {}
        self.avatarforge_copy: dict[str, Any] | None = None

        async def system_stats(_: web.Request) -> web.Response:
            return web.json_response(STATS)

        self.routes.get("/system_stats")(system_stats)

    def add_routes(self) -> None:
        """Register the routes, as ComfyUI does after loading all packs."""
        api_routes = web.RouteTableDef()
        for route in self.routes:
            assert isinstance(route, web.RouteDef)
            api_routes.route(route.method, "/api" + route.path)(route.handler, **route.kwargs)
        self.app.add_routes(api_routes)
        self.app.add_routes(self.routes)


class _Extension:
    pass


class _Node:
    pass


class Blocker:
    """Stands in for `ExecutionBlocker`, in place of an output."""

    def __init__(self, message: str | None) -> None:
        self.message = message


def _outputs(*values: object) -> tuple[object, ...]:
    """Stands in for `io.NodeOutput`: what a node gives, in order."""
    return values


def modules(*, always_torch: bool = False) -> Mapping[str, ModuleType]:
    """Stand-in modules by name, for `sys.modules`. They include torch if it is not installed, or always:
    importing the real one takes most of a start."""
    stand_ins: dict[str, ModuleType] = {}

    def module(name: str, **attributes: Any) -> ModuleType:
        stand_in = ModuleType(name)
        stand_in.__dict__.update(attributes)
        stand_in.__path__ = []
        stand_ins[name] = stand_in
        return stand_in

    module(
        "folder_paths",
        get_system_user_directory=lambda name: f"/nowhere/{name}",
        get_output_directory=lambda: "/nowhere/output",
        get_input_directory=lambda: "/nowhere/input",
        get_temp_directory=lambda: "/nowhere/temp",
        get_user_directory=lambda: "/nowhere/user",
        base_path="/nowhere",
        models_dir="/nowhere/models",
        folder_names_and_paths={},
        __file__="/nowhere/folder_paths.py",
    )
    module("server", PromptServer=PromptServer)
    arguments = MagicMock(
        listen="127.0.0.1", port=8188, tls_keyfile=None, tls_certfile=None, disable_metadata=False
    )
    module("comfy")
    module("comfy.cli_args", args=arguments, LatentPreviewMethod=MagicMock())
    for name in ("model_detection", "model_management", "samplers", "sd", "utils"):
        setattr(stand_ins["comfy"], name, module(f"comfy.{name}"))
    for name in ("comfy.ldm", "comfy.ldm.modules", "comfy.ldm.modules.diffusionmodules"):
        module(name)
    module("comfy.ldm.modules.diffusionmodules.openaimodel", UNetModel=object)
    module("comfy.patcher_extension", WrappersMP=MagicMock())
    module("comfy_api")
    latest = module(
        "comfy_api.latest",
        ComfyExtension=_Extension,
        io=MagicMock(ComfyNode=_Node, NodeOutput=_outputs),
        ui=MagicMock(),
    )
    stand_ins["comfy_api"].__dict__["latest"] = latest
    module("comfy_execution")
    module("comfy_execution.graph_utils", ExecutionBlocker=Blocker)
    module("comfy_execution.utils", get_executing_context=lambda: None)
    for name in ("execution", "latent_preview", "node_helpers", "nodes"):
        module(name)
    if always_torch or importlib.util.find_spec("torch") is None:
        module("torch", Tensor=object)
        module("torch.nn")
        module("torch.nn.functional", interpolate=None, pad=None)
    return stand_ins


def enter(server: PromptServer | None) -> Any:
    """Run the pack's `__init__.py`, as ComfyUI does. Returns the module."""
    PromptServer.instance = server
    pack = sys.modules["avatarforge"]
    assert pack.__spec__ is not None and pack.__spec__.loader is not None
    pack.__spec__.loader.exec_module(pack)
    return pack


async def load(server: PromptServer) -> list[str]:
    """Load the pack into a server and register its routes. Returns the names of its nodes."""
    extension = await enter(server).comfy_entrypoint()
    await extension.on_load()
    nodes = [node.__name__ for node in await extension.get_node_list()]
    server.add_routes()
    return nodes
