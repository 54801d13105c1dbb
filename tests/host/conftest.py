"""A real ComfyUI with the pack in it, started once per run, and a way to start others."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from headers import Shapes, read_shapes
from model_folders import FOLDERS, GGUF_FOLDERS

from lab import synthetic
from lab.api import Api
from lab.host import ComfyUI
from lab.obtain import obtain_comfyui
from lab.preloaded import Preloader
from lab.server import ComfyServer

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("sd15", "sd15-openpose")
LOG_LINES = 60
_running: list[ComfyServer] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of ComfyUI's log under a test that failed."""
    report = yield
    if report.failed:
        for server in _running:
            report.sections.append((f"log of the ComfyUI at {server.url}", server.log_tail(LOG_LINES)))
    return report


@pytest.fixture(scope="session")
def comfyui() -> ComfyUI:
    """The installation that the tests run on: ``COMFYUI_PATH``, else the pinned one."""
    return obtain_comfyui()


@pytest.fixture(scope="session")
def preloader() -> Iterator[Preloader]:
    """Has ComfyUI's libraries, so that each ComfyUI of this run starts in a third of the time."""
    preloader = Preloader()
    yield preloader
    preloader.close()


@pytest.fixture(scope="session")
def comfy(
    comfyui: ComfyUI, preloader: Preloader, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyServer]:
    """The one running ComfyUI of this run: the pack, a synthetic SD1.5 checkpoint and its pose ControlNet."""
    server = ComfyServer(
        comfyui,
        tmp_path_factory.mktemp("comfyui"),
        pack=ROOT,
        dotenv="",
        models=synthetic.models(comfyui, MODELS),
        env={**_without_own_settings(), **synthetic.SMALL_PICTURES},
        preloader=preloader,
    )
    _running.append(server)
    with server:
        yield server
    _running.remove(server)


@pytest.fixture(scope="session")
def api(comfy: ComfyServer) -> Api:
    """The API of the shared ComfyUI."""
    return Api(comfy.url)


@pytest.fixture(scope="session")
def modelless(
    comfyui: ComfyUI, preloader: Preloader, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyServer]:
    """A running ComfyUI without any model, for tests that leave it so: the paper doll needs none."""
    with _factory(comfyui, preloader, tmp_path_factory.mktemp("modelless")) as make:
        yield make(models=())


Factory = Callable[..., ComfyServer]


@pytest.fixture
def comfy_factory(comfyui: ComfyUI, preloader: Preloader, tmp_path: Path) -> Iterator[Factory]:
    """Start a ComfyUI of one's own. 8 s each: only for tests whose settings the shared one cannot have.

    ``comfy_factory(env=…, args=…, models=…, dotenv=…, nodes=…, base=…, start=…)``: ``env`` and ``args`` go
    to the process, ``models`` are synthetic kinds (the shared ones by default, ``()`` for none) or a mapping
    for ComfyServer, ``dotenv`` is the text of the pack's ``.env``, ``nodes`` are files for its custom nodes,
    ``base`` a base directory to use again, and ``start=False`` gives a server that is not started yet.
    Whatever still runs at the end of the test is killed: it has nothing more to say.
    """
    with _factory(comfyui, preloader, tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def module_factory(
    comfyui: ComfyUI, preloader: Preloader, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Factory]:
    """The same for a ComfyUI that the tests of one module share."""
    with _factory(comfyui, preloader, tmp_path_factory.mktemp("module")) as make:
        yield make


@contextmanager
def _factory(comfyui: ComfyUI, preloader: Preloader, folder: Path) -> Iterator[Factory]:
    started: list[ComfyServer] = []

    def make(
        *,
        env: Mapping[str, str | None] | None = None,
        args: Sequence[str] = (),
        models: Mapping[str, Path] | Sequence[str] = MODELS,
        dotenv: str = "",
        nodes: Sequence[Path] = (),
        base: Path | None = None,
        start: bool = True,
    ) -> ComfyServer:
        server = ComfyServer(
            comfyui,
            base or folder / f"comfyui-{len(started)}",
            pack=ROOT,
            dotenv=dotenv,
            models=models if isinstance(models, Mapping) else synthetic.models(comfyui, models),
            args=args,
            env={**_without_own_settings(), **synthetic.SMALL_PICTURES, **(env or {})},
            preloader=preloader,
        )
        for node in nodes:
            shutil.copy(node, server.base / "custom_nodes" / node.name)
        started.append(server)
        _running.append(server)
        return server.start() if start else server

    try:
        yield make
    finally:
        for server in started:
            server.kill()
            _running.remove(server)


@pytest.fixture(scope="module")
def modules(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """ComfyUI's modules and the scanner, imported as ComfyUI itself would be with ``--cpu``."""
    sys.path.append(str(comfyui.root))
    from comfy.cli_args import args

    args.cpu = True
    args.base_directory = str(tmp_path_factory.mktemp("base"))
    import folder_paths

    from avatarforge.host import models

    return SimpleNamespace(folder_paths=folder_paths, models=models)


@pytest.fixture
def scanner(modules: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A model scanner whose folders lie in the test's own."""
    folders = modules.folder_paths.folder_names_and_paths
    extensions = modules.folder_paths.supported_pt_extensions
    for name in FOLDERS:
        (tmp_path / name).mkdir()
        monkeypatch.setitem(folders, name, ([str(tmp_path / name)], extensions))
    for name, below in GGUF_FOLDERS.items():
        monkeypatch.setitem(folders, name, ([str(tmp_path / below)], {".gguf"}))
    monkeypatch.setattr(modules.folder_paths, "filename_list_cache", {})
    yield modules.models.ModelScanner()


@pytest.fixture(scope="module")
def sd15(comfyui: ComfyUI) -> Shapes:
    return read_shapes(synthetic.make(comfyui, "sd15"))


def _without_own_settings() -> dict[str, str | None]:
    """Removes a developer's own AVATARFORGE_ variables from the environment of a tested ComfyUI."""
    return {name: None for name in os.environ if name.startswith("AVATARFORGE_")}
