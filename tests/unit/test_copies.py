from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from avatarforge.host.copies import MARK, claim, faults

ONE, OTHER, THIRD = (Path("/srv/comfy/custom_nodes") / name for name in ("avatarforge", "AvatarForge", "x.y"))


def comfyui() -> Any:
    return SimpleNamespace(routes=web.RouteTableDef())


def told(used: str, unused: str) -> str:
    return (
        f"The pack is installed twice: custom_nodes/{used} is used, custom_nodes/{unused} is not. "
        "Remove one of them and restart ComfyUI."
    )


def test_the_first_copy_is_used_and_the_others_are_named(caplog: pytest.LogCaptureFixture) -> None:
    server = comfyui()
    assert claim(server, ONE)
    assert faults(server) == []
    assert not claim(server, OTHER)
    assert not claim(server, THIRD)
    assert faults(server) == [told("avatarforge", "AvatarForge"), told("avatarforge", "x.y")]
    warnings = [item.getMessage() for item in caplog.records if item.levelno == logging.WARNING]
    assert warnings == [f"AvatarForge: {sentence}" for sentence in faults(server)]


def test_a_copy_that_is_loaded_again_is_no_second_one() -> None:
    server = comfyui()
    assert claim(server, ONE)
    assert not claim(server, ONE)
    assert faults(server) == []


def test_links_to_one_folder_are_two_copies(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    server = comfyui()
    assert claim(server, tmp_path / "a")
    assert not claim(server, tmp_path / "b")


@pytest.mark.parametrize("mark", [{"folder": str(ONE), "more": 1}, {"folder": str(ONE), "others": []}, {}])
def test_the_mark_of_another_version_is_understood(mark: dict[str, Any]) -> None:
    server = comfyui()
    setattr(server, MARK, mark)
    assert not claim(server, OTHER)
    assert mark["others"] == [str(OTHER)]
    assert "custom_nodes/AvatarForge is not" in faults(server)[0]


def test_the_mark_is_plain_data() -> None:
    server = comfyui()
    claim(server, ONE)
    claim(server, OTHER)
    assert vars(server)["avatarforge_copy"] == {"folder": str(ONE), "others": [str(OTHER)]}


def test_a_copy_older_than_the_mark_is_known_by_its_routes(caplog: pytest.LogCaptureFixture) -> None:
    server = comfyui()

    async def health(_: web.Request) -> web.Response:
        raise NotImplementedError

    health.__module__ = "/srv/_x_hidden/custom_nodes/avatarforge.routes.health"
    server.routes.get("/queue")(health)
    assert claim(comfyui(), ONE)
    server.routes.get("/avatarforge-controller/health")(health)
    assert not claim(server, OTHER)
    assert told("avatarforge", "AvatarForge") in caplog.text


def test_without_a_server_nothing_is_claimed() -> None:
    assert claim(None, ONE)
