"""Whatever fails while the pack starts: ComfyUI goes on, the nodes stay, and health says why."""

from __future__ import annotations

import ast
import inspect
import json
import logging
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from stand_in_comfyui import PromptServer, enter, load
from starting import PREFIX, Client, Connect, product_of

from avatarforge.forge.error_text import LONGEST_CLAUSE, summarize_unexpected
from avatarforge.forge.errors import UnavailableError
from avatarforge.forge.settings import Settings
from avatarforge.forge.store.blobs import BlobStore

pytestmark = pytest.mark.slow
ID = "0b0f4f5e-3c7a-4f0c-9d57-0b1a7c6a1f11"


@pytest.fixture
def server() -> PromptServer:
    return PromptServer()


REQUESTS = (
    ("GET", f"{PREFIX}/generations"),
    ("GET", f"{PREFIX}/capabilities"),
    ("GET", f"/api{PREFIX}/files"),
    ("POST", f"{PREFIX}/generate/avatar"),
    ("POST", f"/api{PREFIX}/upload/pose_image"),
    ("DELETE", f"{PREFIX}/files/{ID}"),
    ("GET", f"/files/{ID}"),
    ("GET", f"/outputs/{ID}/0.png"),
)


async def says(client: Client, reason: str) -> None:
    """Health and every other route give this reason, or say where it is."""
    answer = await client.get(f"{PREFIX}/health")
    body = await answer.json()
    assert (answer.status, body["api_status"]) == (200, "unavailable")
    assert reason in body["reason"]
    assert {"comfyui", "database", "storage", "queue", "capabilities"} <= set(body)
    for method, path in REQUESTS:
        answer = await client.request(method, path)
        text = await answer.text()
        assert (answer.status, "Traceback" in text) == (503, False), (path, text)
        assert reason in json.loads(text)["detail"]
        assert json.loads(text)["code"] == "unavailable"


def called(module: Any) -> set[str]:
    """What the code of a module calls, itself or in a thread: `name`, or `owner.name`."""
    tree = ast.parse(inspect.getsource(module))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            names.add(ast.unparse(node.args[0]) if name == "asyncio.to_thread" else name)
    return names


# Calls that cannot fail, that are made at import, or whose failure is looked at in a test of its own.
HARMLESS = {
    "ExitStack", "resources.callback", "resources.pop_all", "running.resources.close", "_Running",
    "services_of", "Environment", "Store", "Product", "Unavailable", "Access", "store.checked",
    "NetworkExposure", "isinstance", "str", "partial", "log.error", "log.warning", "web.RouteTableDef",
    "server.app.on_startup.append", "comfy.server", "BackgroundTasks", "_reason", "_url", "_add_routes",
    "_open", "lock_store", "open_store", "open_product", "blobs.make_folders", "copies.faults",
    "rules_without_settings", "background.start", "comfy.url", "error_message", "summarize_unexpected",
    "log.exception", "dataclass", "logging.getLogger", "Path", "CheckedParts",
}  # fmt: skip
METHODS = {
    "settings.storage_folder": (Settings, "storage_folder"),
    "blobs.open": (BlobStore, "open"),
}


class Silent(RuntimeError):
    def __str__(self) -> str:
        raise ValueError("an error that cannot say what it is")


ERRORS = {
    "text": (RuntimeError("x"), "RuntimeError: x"),
    "empty": (OSError(), "OSError"),
    "not implemented": (NotImplementedError(), "NotImplementedError"),
    "import": (
        ImportError("cannot import name 'y' from 'z' (/srv/z/__init__.py)"),
        "ImportError: cannot import name 'y' from 'z'",
    ),
}
OPEN = ["comfy.data_folder", "comfy.ComfyHost", "WebhookSender"]
PRODUCT = [
    "settings.storage_folder", "lock_folders", "signing_secret", "Signer", "BlobStore", "blobs.open",
    "open_database", "Workers", "ImageLimits", "ModelOverrides", "OutputFolder", "recover", "Quota",
    "ContentStore", "TemplateService", "PoseLibrary", "CharacterService", "CharacterMaker", "FileStore",
    "Live", "EventLog", "Outbox", "Targets",
    "read_hosts", "GenerationTracker", "Inputs", "RequestFiller", "RunPreparer", "OutputCopies",
    "RedrawPreparer", "GenerationRemover",
    "BatchPreparer", "BatchDispatcher", "BatchService", "GenerationCache", "RerollDispatcher",
    "GenerationService", "TakeService",
    "MatrixMaker", "Spool", "CharacterExporter", "CharacterImporter",
    "HealthService", "GenerationRecorder", "Verifier", "JudgePreparer",
    "Idempotency", "Deliveries", "live.on_end", "read_secret",
    "GalleryService", "PictureExporter",
]  # fmt: skip
#: Called as `environment.name`, which `_open` fills.
ENVIRONMENT = {"make_host": "comfy.ComfyHost", "make_sender": "WebhookSender"}
START = ["comfy.listens_on_network", "own_names", "load_settings", "rules", "warnings_of"]
ROUTES = ["add_routes", "body_routes"]


def break_step(bootstrap: Any, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception) -> None:
    def raises(*_: Any, **__: Any) -> Any:
        raise error

    owner, _, name = step.rpartition(".")
    if owner == "comfy":
        monkeypatch.setattr(bootstrap.comfy, name, raises)
    elif owner == "live":
        monkeypatch.setattr(product_of(bootstrap).Live, name, raises)
    elif owner:
        monkeypatch.setattr(*METHODS[step], raises)
    elif step in PRODUCT:
        monkeypatch.setattr(product_of(bootstrap), step, raises)
    else:
        monkeypatch.setattr(bootstrap, step, raises)


def test_every_step_of_a_start_is_broken_below(bootstrap: Any) -> None:
    steps = called(bootstrap) | called(product_of(bootstrap))
    given = {ENVIRONMENT.get(step.removeprefix("environment."), step) for step in steps}
    left = {step for step in given if not step.startswith("server.")} - HARMLESS
    assert left == {*OPEN, *PRODUCT, *START, *ROUTES}


#: How many nodes the pack has, whether it starts or not.
NODES = 27
SETTINGS = {
    "AVATARFORGE_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "AVATARFORGE_WEBHOOK_HOSTS": "example.org",
}


#: Every step with every second kind of error, so that each kind is met in each part of a start.
BROKEN = [
    (step, kind)
    for at, step in enumerate([*OPEN, *PRODUCT, *START, *ROUTES])
    for number, kind in enumerate(ERRORS)
    if (at + number) % 2 == 0
]


@pytest.mark.parametrize(("step", "kind"), BROKEN)
async def test_any_error_at_any_step_is_reported(
    bootstrap: Any,
    server: PromptServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    aiohttp_client: Connect,
    step: str,
    kind: str,
) -> None:
    for name, value in SETTINGS.items():  # so that every step is taken
        monkeypatch.setenv(name, value)
    error, told = ERRORS[kind]
    break_step(bootstrap, monkeypatch, step, error)
    nodes = await load(server)
    assert len(nodes) == NODES
    await says(await aiohttp_client(server.app), f"AvatarForge could not start: {told}.")
    logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.exc_info[1] for record in logged if record.exc_info] == [error]
    from avatarforge.avatarforge_nodes.registry import stored_files

    with pytest.raises(UnavailableError, match=told.partition("'")[0]):
        stored_files()


async def test_a_storage_that_cannot_be_used(
    bootstrap: Any,
    server: PromptServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    aiohttp_client: Connect,
) -> None:
    (tmp_path / "blocked").write_text("a file where a folder should be")
    monkeypatch.setenv("AVATARFORGE_STORAGE_PATH", str(tmp_path / "blocked" / "storage"))
    assert len(await load(server)) == NODES
    client = await aiohttp_client(server.app)
    await says(client, "The storage folder (STORAGE_PATH) cannot be used: Not a directory")


async def test_a_corrupt_database(
    bootstrap: Any,
    server: PromptServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    aiohttp_client: Connect,
) -> None:
    database = tmp_path / "broken.db"
    database.write_bytes(b"no database at all" * 500)
    monkeypatch.setenv("AVATARFORGE_DATABASE_URL", f"sqlite:///{database}")
    assert len(await load(server)) == NODES
    client = await aiohttp_client(server.app)
    await says(client, "The database cannot be opened: file is not a database")


async def test_a_start_without_a_fault(
    bootstrap: Any, server: PromptServer, aiohttp_client: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the tests above prove something."""
    opened: list[ExitStack] = []

    class Resources(ExitStack):
        def pop_all(self) -> Any:
            opened.append(super().pop_all())
            return opened[-1]

    monkeypatch.setattr(bootstrap, "ExitStack", Resources)
    assert len(await load(server)) == NODES
    client = await aiohttp_client(server.app)
    answer = await client.get(f"{PREFIX}/generations")
    assert (answer.status, (await answer.json())["total"]) == (200, 0)
    opened[0].close()


async def test_what_was_opened_before_a_fault_is_closed(
    bootstrap: Any, server: PromptServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    break_step(bootstrap, monkeypatch, "Deliveries", RuntimeError("x"))
    await load(server)
    from avatarforge.forge.store.folder_lock import lock_folders

    folder = tmp_path / "data"
    for lock in lock_folders(folder, folder / "storage"):  # no longer held
        lock.release()


@pytest.mark.parametrize("stopping", [KeyboardInterrupt, SystemExit])
async def test_what_ends_comfyui_is_left_alone(
    bootstrap: Any, server: PromptServer, monkeypatch: pytest.MonkeyPatch, stopping: type[BaseException]
) -> None:
    async def stop(*_: Any) -> None:
        raise stopping

    monkeypatch.setattr(bootstrap.asyncio, "to_thread", stop)
    with pytest.raises(stopping):
        await load(server)


async def test_without_a_server_the_nodes_stay(bootstrap: Any, caplog: pytest.LogCaptureFixture) -> None:
    extension = await enter(None).comfy_entrypoint()
    await extension.on_load()
    assert len(await extension.get_node_list()) == NODES
    assert "no routes could be registered" in caplog.text


async def test_a_second_copy_gives_nothing(bootstrap: Any, server: PromptServer) -> None:
    server.avatarforge_copy = {"folder": "/srv/custom_nodes/other", "others": []}
    extension = await enter(server).comfy_entrypoint()
    await extension.on_load()
    assert await extension.get_node_list() == []
    assert sys.modules["avatarforge"].__dict__["WEB_DIRECTORY"] is None
    assert [route.path for route in server.routes if isinstance(route, web.RouteDef)] == ["/system_stats"]
    assert not server.app.router.routes()


WITHOUT = """
import asyncio, json, sys
from pathlib import Path
sys.path.insert(0, "tests")
from lab.pack import load_pack
import stand_in_comfyui
load_pack(Path.cwd())
sys.modules.update(stand_in_comfyui.modules(always_torch=True))
sys.modules[sys.argv[1]] = None
from aiohttp.test_utils import TestClient, TestServer
async def main():
    server = stand_in_comfyui.PromptServer()
    nodes = await stand_in_comfyui.load(server)
    async with TestClient(TestServer(server.app)) as client:
        health = await client.get("/avatarforge-controller/health")
        other = await client.post("/api/avatarforge-controller/generate/avatar", json={"prompt": "x"})
        stranger = await client.get(
            "/avatarforge-controller/health", headers={"X-Forwarded-For": "203.0.113.5"}
        )
        rebound = await client.get("/avatarforge-controller/health", headers={"Host": "evil.example"})
        print(json.dumps([
            nodes, health.status, await health.json(), other.status, await other.json(),
            await stranger.json(), await rebound.json(),
        ]))
asyncio.run(main())
"""


@pytest.mark.parametrize(
    "missing", ["sqlalchemy", "alembic", "filelock", "pydantic", "pydantic_core", "dotenv"]
)
def test_a_missing_requirement_is_reported_and_the_nodes_stay(missing: str) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", WITHOUT, missing]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    nodes, status, health, other_status, other, stranger, rebound = json.loads(ran.stdout)
    assert len(nodes) == NODES
    assert (status, health["api_status"], other_status) == (200, "unavailable", 503)
    assert missing in health["reason"]
    assert health["reason"] == other["detail"]
    assert "Traceback" in ran.stderr
    assert stranger == rebound == {"api_status": "unavailable"}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("The sky fell."), "RuntimeError: The sky fell"),
        (RuntimeError("first\nsecond\tthird"), "RuntimeError: first second third"),
        (KeyError("name"), "KeyError: 'name'"),
        (OSError(28, "No space left on device", "/srv/a b"), "OSError: No space left on device"),
        (RuntimeError("cannot open /srv/a b/c"), "RuntimeError; ComfyUI's log has the details"),
        (RuntimeError(r"cannot open C:\a b\c"), "RuntimeError; ComfyUI's log has the details"),
        (ModuleNotFoundError("No module named 'x'"), "ModuleNotFoundError: No module named 'x'"),
        (RuntimeError("  "), "RuntimeError"),
        (Silent(), "Silent"),
        (RuntimeError("x" * 5000), "RuntimeError: " + "x" * (LONGEST_CLAUSE - 1) + "…"),
    ],
)
def test_an_unexpected_error_is_one_short_clause(error: Exception, told: str) -> None:
    assert summarize_unexpected(error) == told
