"""Runs a real ComfyUI process with this pack, for the demo and for the host tests."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from .host import ComfyUI
from .links import link
from .pack import PACKAGE, install_pack
from .preloaded import Preloader, Process
from .progress import LabError

HOST = "127.0.0.1"
START_DEADLINE = 180.0
STOP_DEADLINE = 15.0

#: Keeps ComfyUI's libraries off the network; ComfyUI itself makes no requests at startup.
#: (--disable-api-nodes is not used: it also adds a Content-Security-Policy header to every response, which
#: users do not have.)
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8",
}


class ServerError(LabError):
    """ComfyUI did not start. The message ends with the last lines of its log."""


class ComfyServer:
    """A ComfyUI process with its own base directory.

    It never writes to the ComfyUI installation: custom nodes, models, input, output, user folder and database
    are all under ``base``. ``with ComfyServer(...) as server:`` starts and stops it.

    Args:
        comfyui: the installation and its interpreter.
        base: ``--base-directory``; created if missing.
        pack: folder to link as ``custom_nodes/avatarforge``; None for a ComfyUI without the pack.
        dotenv: None links the pack as it is. Otherwise the pack is copied without the clone's ``.env``, and
            with this text as its ``.env`` ("" for none), so that a developer's settings cannot affect a test.
        models: path under ``models/`` -> file to link there, such as ``{"checkpoints/a.safetensors": path}``.
        args: additional command line arguments for ComfyUI.
        env: changes to this process's environment; None removes a variable.
        port: 0 chooses a free port.
        preloader: starts it without importing its libraries again, where that makes no difference.
    """

    def __init__(
        self,
        comfyui: ComfyUI,
        base: Path,
        *,
        pack: Path | None = None,
        dotenv: str | None = None,
        models: Mapping[str, Path] | None = None,
        args: Sequence[str] = (),
        env: Mapping[str, str | None] | None = None,
        port: int = 0,
        preloader: Preloader | None = None,
    ) -> None:
        self.comfyui = comfyui
        self.base = base
        self.port = port or free_port()
        self.args = tuple(args)
        self.env = dict(env or {})
        self._preloader = preloader
        self._process: Process | None = None
        self._log_start = 0
        for folder in ("custom_nodes", "models", "input", "output", "user"):
            (base / folder).mkdir(parents=True, exist_ok=True)
        if pack is not None:
            install_pack(pack, base / "custom_nodes" / PACKAGE, dotenv)
        for name, source in (models or {}).items():
            self.add_model(name, source)

    @property
    def url(self) -> str:
        """ComfyUI's URL, without a trailing slash."""
        return f"http://{HOST}:{self.port}"

    @property
    def log_path(self) -> Path:
        return self.base / "comfyui.log"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the running ComfyUI."""
        if self._process is None:
            raise ServerError("ComfyUI is not running")
        return self._process.pid

    def log(self) -> str:
        """ComfyUI's output since its last start."""
        with contextlib.suppress(FileNotFoundError), self.log_path.open("rb") as file:
            file.seek(self._log_start)
            return file.read().decode("utf-8", "replace")
        return ""

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(self.log().splitlines()[-lines:])

    def add_model(self, name: str, source: Path) -> None:
        """Link a model file to ``models/<name>``. A running ComfyUI finds it when it next lists models."""
        link(source, self.base / "models" / name)

    def start(self, tick: Callable[[], None] | None = None) -> ComfyServer:
        """Start ComfyUI and wait until it responds, calling ``tick`` ten times a second while waiting.

        Raises ServerError, with the end of the log, if it exits or hangs.
        """
        if self.running:
            return self
        self.log_path.touch()
        self._log_start = self.log_path.stat().st_size
        allow_interrupts()
        with self.log_path.open("ab") as log:
            self._process = self._run(log)
        atexit.register(self.kill)
        try:
            self._wait_until_ready(tick or (lambda: None))
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """Stop ComfyUI as Ctrl-C would; kill it if that takes too long."""
        if self._process is None:
            return
        if self.running:
            self._process.send_signal(_INTERRUPT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_DEADLINE)
        self.kill()

    def kill(self) -> None:
        """Kill ComfyUI immediately, as a power cut or the kernel's out-of-memory killer would."""
        atexit.unregister(self.kill)
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop ComfyUI and start it again with the same base directory and port."""
        self.stop()
        self.start()

    def __enter__(self) -> ComfyServer:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def _run(self, log: IO[bytes]) -> Process:
        command, environment = self._command(), self._environment()
        if self._preloader is not None:
            process = self._preloader.start(command, self.comfyui.root, environment, log)
            if process is not None:
                return process
        return subprocess.Popen(
            command,
            cwd=self.comfyui.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **_own_group(),
        )

    def _command(self) -> list[str]:
        command = [str(self.comfyui.python), "main.py", "--listen", HOST, "--port", str(self.port)]
        command += ["--base-directory", str(self.base)]
        # By default the database is in the installation, where a second ComfyUI would find it locked.
        command += ["--database-url", f"sqlite:///{(self.base / 'user' / 'comfyui.db').as_posix()}"]
        command += ["--disable-auto-launch"]
        if not self.comfyui.has_accelerator():
            command.append("--cpu")
        return [*command, *self.args]

    def _environment(self) -> dict[str, str]:
        variables: dict[str, str | None] = {
            **os.environ,
            **OFFLINE,
            "PYTHONPATH": None,
            **self.env,
        }
        return {name: value for name, value in variables.items() if value is not None}

    def _wait_until_ready(self, tick: Callable[[], None]) -> None:
        deadline = time.monotonic() + START_DEADLINE
        # Check the log too: if another program uses the port, the response would come from that program.
        while f":{self.port}" not in self.log() or not self._responds():
            if not self.running:
                raise ServerError(f"ComfyUI exited during startup. The end of its log:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise ServerError(f"ComfyUI did not answer in {START_DEADLINE:.0f} s:\n{self.log_tail()}")
            tick()
            time.sleep(0.1)

    def _responds(self) -> bool:
        try:
            return bool(fetch_json(f"{self.url}/system_stats"))
        except (OSError, ValueError):
            return False


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is currently unused."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) != 0


def fetch_json(url: str, timeout: float = 10.0) -> Any:
    """GET a JSON document from a server on this machine. Raises OSError or ValueError."""
    # Never send requests for 127.0.0.1 through a proxy from the environment.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=timeout) as response:
        return json.load(response)


if sys.platform == "win32":
    _INTERRUPT = signal.CTRL_BREAK_EVENT
else:
    _INTERRUPT = signal.SIGINT


def allow_interrupts() -> None:
    """Stop ignoring SIGINT, so that ComfyUI can be stopped cleanly.

    A shell starts background jobs with interrupts ignored, and child processes inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _own_group() -> dict[str, Any]:
    """Popen arguments that keep Ctrl-C in our terminal from reaching ComfyUI before we stop it cleanly."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
