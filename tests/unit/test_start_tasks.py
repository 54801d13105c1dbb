"""A background task that dies after the start: ComfyUI goes on, and health says so."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from stand_in_comfyui import PromptServer, load
from starting import PREFIX, Connect, product_of

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> PromptServer:
    return PromptServer()


TASKS = (
    "tracker",
    "dispatcher",
    "live",
    "deliveries",
    "report_health",
    "clean_up_daily",
    "build_models",
)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("task", TASKS)
async def test_a_task_that_dies_is_reported(
    bootstrap: Any,
    server: PromptServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    aiohttp_client: Connect,
    task: str,
    at_once: bool,
) -> None:
    """Whether it fails when it is made or when it runs: ComfyUI starts."""

    def breaks(*_: Any) -> Any:
        if at_once:
            raise RuntimeError("x")
        return broken()

    async def broken() -> None:
        raise RuntimeError("x")

    def breaks_in_a_thread() -> None:
        raise RuntimeError("x")

    owners = {
        "tracker": product_of(bootstrap).GenerationTracker,
        "dispatcher": sys.modules[product_of(bootstrap).BatchDispatcher.__module__].DispatchLoop,
        "live": product_of(bootstrap).Live,
        "deliveries": product_of(bootstrap).Deliveries,
    }
    if task in owners:
        monkeypatch.setattr(owners[task], "run", breaks)
    else:
        monkeypatch.setattr(bootstrap, task, breaks_in_a_thread if task == "build_models" else breaks)
    monkeypatch.setattr(bootstrap.comfy.ComfyHost, "installed_models", nothing_installed)
    monkeypatch.setattr(bootstrap.comfy.ComfyHost, "queue_state", empty_queue)
    await load(server)
    client = await aiohttp_client(server.app)
    body = await (await client.get(f"{PREFIX}/health")).json()
    while "stopped" not in body["reason"]:  # pytest's own timeout bounds this
        body = await (await client.get(f"{PREFIX}/health")).json()
    assert body["api_status"] == "degraded"
    assert "stopped (RuntimeError: x). Restart ComfyUI." in body["reason"]
    assert any("stopped unexpectedly" in record.getMessage() and record.exc_info for record in caplog.records)


async def nothing_installed(*_: Any, **__: Any) -> Any:
    from avatarforge.forge.ports import InstalledModels

    return InstalledModels((), (), (), ())


def empty_queue(_: Any) -> Any:
    from avatarforge.forge.ports import QueueState

    return QueueState((), frozenset())
