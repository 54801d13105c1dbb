"""The pack installed twice, as with git and with ComfyUI-Manager: one copy works, the others stay out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lab.api import Api
from lab.links import link
from lab.pack import install_pack
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]
ROOT = Path(__file__).resolve().parents[2]
FIRST, COPY, LINKED = "avatarforge", "AvatarForge-copy", "avatarforge-link"


def test_the_second_copy_registers_nothing(comfy_factory: Factory) -> None:
    server = comfy_factory(start=False)
    custom_nodes = server.base / "custom_nodes"
    install_pack(ROOT, custom_nodes / COPY, "")
    link(custom_nodes / FIRST, custom_nodes / LINKED)
    server.start()
    api = Api(server.url)

    health = api.get("/health").json()
    folders = {f"custom_nodes/{name}" for name in (FIRST, COPY, LINKED)}
    used = [item for item in folders if f"installed twice: {item} is used" in health["reason"]]
    assert (health["api_status"], len(used)) == ("degraded", 1)
    for unused in folders - set(used):
        reason = f"The pack is installed twice: {used[0]} is used, {unused} is not. Remove one of them"
        assert reason in health["reason"]
        assert reason in server.log()
    assert str(server.base) not in health["reason"]

    # The nodes are those of the copy that has the store, so that what is generated is also saved.
    for name in ("AvatarForgeSave", "AvatarForgeLoadPose"):
        assert api.root(f"/object_info/{name}").json()[name]["python_module"] == used[0].replace("/", ".")
    done = api.wait(api.generate()["generation_id"])
    assert (done["status"], done["error"]) == ("completed", None)

    # Nor does the panel come up twice.
    scripts = [path for path in api.root("/extensions").json() if "avatarforge" in path.lower()]
    assert scripts
    assert {path.split("/")[2] for path in scripts} == {used[0].removeprefix("custom_nodes/")}
    assert "IMPORT FAILED" not in server.log()
