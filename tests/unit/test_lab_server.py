"""ComfyServer on a stand-in ComfyUI: a main.py that answers what is asked while starting, and no more."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import server as servers
from lab.host import ComfyUI
from lab.pack import install_pack
from lab.preloaded import Preloader
from lab.progress import tool_environment
from lab.server import ComfyServer, ServerError, fetch_json, port_is_free

pytestmark = pytest.mark.slow

MAIN = """
import argparse, json, os, pathlib, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
parser = argparse.ArgumentParser()
for name in ("--listen", "--base-directory", "--database-url", "--refuse"):
    parser.add_argument(name)
for name in ("--cpu", "--disable-auto-launch"):
    parser.add_argument(name, action="store_true")
parser.add_argument("--port", type=int)
options = parser.parse_args()
if options.refuse:
    sys.exit("refused: " + options.refuse)
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        answer = {"pid": os.getpid(), "base": options.base_directory, "env": dict(os.environ)}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())
    def log_message(self, *_):
        pass
print("To see the GUI go to: http://127.0.0.1:%d" % options.port, flush=True)
try:
    HTTPServer((options.listen, options.port), Handler).serve_forever()
except KeyboardInterrupt:
    print("Stopped server", flush=True)
"""


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ComfyUI, "has_accelerator", lambda _self: False)


@pytest.fixture
def comfyui(tmp_path: Path) -> ComfyUI:
    root = tmp_path / "ComfyUI"
    root.mkdir()
    (root / "main.py").write_text(MAIN)
    return ComfyUI(root, Path(sys.executable), is_ours=False)


@pytest.fixture(scope="module")
def forking() -> Iterator[Preloader]:
    preloader = Preloader(libraries=["numpy", "no_such_library"])
    yield preloader
    preloader.close()


@pytest.fixture(params=["plain", "forked"])
def preloader(request: pytest.FixtureRequest) -> Preloader | None:
    """The two ways to start it, which behave alike."""
    if request.param == "plain":
        return None
    if sys.platform != "linux":
        pytest.skip("only Linux forks")
    forking: Preloader = request.getfixturevalue("forking")
    return forking


@pytest.fixture
def server(comfyui: ComfyUI, preloader: Preloader | None, tmp_path: Path) -> Iterator[ComfyServer]:
    with ComfyServer(comfyui, tmp_path / "base", preloader=preloader) as started:
        yield started


def test_it_answers_when_start_returns_and_its_port_is_free_after_stop(server: ComfyServer) -> None:
    answer = fetch_json(f"{server.url}/system_stats")
    assert answer["pid"] == server.pid
    assert Path(answer["base"]) == server.base
    server.stop()
    assert not server.running
    assert port_is_free(server.port)
    assert server.log().rstrip().endswith("Stopped server")


def test_a_killed_one_has_no_time_to_say_anything_and_starts_again(server: ComfyServer) -> None:
    port, pid = server.port, server.pid
    server.kill()
    assert "Stopped server" not in server.log()
    server.start()
    assert server.port == port
    assert server.pid != pid


def test_the_log_is_that_of_the_last_start(server: ComfyServer) -> None:
    server.restart()
    assert server.log().count("To see the GUI") == 1
    assert server.log_path.read_text().count("To see the GUI") == 2


def test_one_that_ends_while_starting_shows_its_last_words(
    comfyui: ComfyUI, preloader: Preloader | None, tmp_path: Path
) -> None:
    server = ComfyServer(comfyui, tmp_path / "base", args=["--refuse", "no room"], preloader=preloader)
    with pytest.raises(ServerError, match="refused: no room"):
        server.start()
    assert not server.running


def test_one_that_hangs_while_starting_is_ended(
    comfyui: ComfyUI, preloader: Preloader | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (comfyui.root / "main.py").write_text("import time\nprint('thinking', flush=True)\ntime.sleep(600)\n")
    monkeypatch.setattr(servers, "START_DEADLINE", 1.0)
    server = ComfyServer(comfyui, tmp_path / "base", preloader=preloader)
    with pytest.raises(ServerError, match=r"did not answer(.|\n)*thinking"):
        server.start()
    assert not server.running


def test_env_is_added_to_and_taken_from(
    comfyui: ComfyUI, preloader: Preloader | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATARFORGE_TAKEN_AWAY", "1")
    env = {"AVATARFORGE_ADDED": "yes", "AVATARFORGE_TAKEN_AWAY": None}
    with ComfyServer(comfyui, tmp_path / "base", env=env, preloader=preloader) as server:
        environment = fetch_json(server.url)["env"]
    assert environment["AVATARFORGE_ADDED"] == "yes"
    assert "AVATARFORGE_TAKEN_AWAY" not in environment


def test_models_are_linked_under_their_names(comfyui: ComfyUI, tmp_path: Path) -> None:
    (tmp_path / "noise").write_text("weights")
    server = ComfyServer(comfyui, tmp_path / "base", models={"checkpoints/a.safetensors": tmp_path / "noise"})
    linked = server.base / "models" / "checkpoints" / "a.safetensors"
    assert linked.samefile(tmp_path / "noise")


def clone(folder: Path) -> Path:
    (folder / "forge").mkdir(parents=True)
    (folder / "forge" / "code.py").write_text("code = 1")
    (folder / ".env").write_text("MAX_FILE_SIZE=1")
    return folder


def test_a_linked_pack_is_the_clone_itself(tmp_path: Path) -> None:
    root, target = clone(tmp_path / "avatar-forge"), tmp_path / "custom_nodes" / "avatarforge"
    install_pack(root, target, dotenv=None)
    assert (target / "forge" / "code.py").samefile(root / "forge" / "code.py")


@pytest.mark.parametrize(("dotenv", "expected"), [("", None), ("STORAGE_PATH=x\n", "STORAGE_PATH=x\n")])
def test_a_copied_pack_never_has_the_settings_of_the_clone(
    tmp_path: Path, dotenv: str, expected: str | None
) -> None:
    root, target = clone(tmp_path / "avatar-forge"), tmp_path / "custom_nodes" / "avatarforge"
    install_pack(root, target, dotenv=None)
    install_pack(root, target, dotenv=dotenv)
    assert (target / "forge" / "code.py").read_text() == "code = 1"
    assert not (target / "forge" / "code.py").samefile(root / "forge" / "code.py")
    settings = target / ".env"
    assert (settings.read_text() if settings.exists() else None) == expected
    assert (root / ".env").read_text() == "MAX_FILE_SIZE=1"


def test_a_copied_pack_need_not_be_compiled_again(tmp_path: Path) -> None:
    root, target = clone(tmp_path / "avatar-forge"), tmp_path / "custom_nodes" / "avatarforge"
    install_pack(root, target, dotenv="")
    command = [sys.executable, "-v", "-c", "import forge.code"]
    ended = subprocess.run(command, cwd=target, capture_output=True, text=True, check=False)
    bytecode = importlib.util.cache_from_source(str(target / "forge" / "code.py"))
    assert f"code object from '{bytecode}'" in ended.stderr


def test_the_tests_do_not_forbid_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("OTHER", "kept")
    environment = tool_environment()
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["OTHER"] == "kept"
    assert not sys.dont_write_bytecode


def test_a_copied_pack_is_replaced_whole(tmp_path: Path) -> None:
    root, target = clone(tmp_path / "avatar-forge"), tmp_path / "custom_nodes" / "avatarforge"
    install_pack(root, target, dotenv="OLD=1")
    (target / "left_over.py").write_text("")
    install_pack(root, target, dotenv="")
    assert not (target / "left_over.py").exists()
    assert not (target / ".env").exists()
