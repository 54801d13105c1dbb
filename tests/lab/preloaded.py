"""Starts ComfyUI from a process that has already imported its libraries.

Most of the time of a start goes to libraries (torch, transformers, scipy and others). They are the same for
each, so a process imports them once and forks: see `preload_main.py`.

ComfyUI itself, the pack and other custom nodes are imported by each process. A process id, a session,
signals, exit codes, command line options, variables and the log are those of a plain start. What differs:

- ComfyUI logs a warning that torch was imported before it;
- all processes of one `Preloader` have the same seed of `hash()`, and another command line in /proc;
- their parent is the process that forks. It lives as long as the `Preloader`.

Where that is not possible (no Linux, a GPU, variables that libraries may read), the start is a plain one. So
is that of every ComfyUI whose tests pass no `Preloader`: the oldest one, the demo, and the one that is killed
in `test_soak.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

MAIN = Path(__file__).with_name("preload_main.py")
#: What ComfyUI imports at its start anyway and takes longest, without anything of its own. They are imported
#: in a plain start's order, and read neither command line nor one of the variables that tests vary.
LIBRARIES = (
    "torch",
    "numpy.random",
    "sqlalchemy.orm",
    "sqlalchemy.dialects.sqlite",
    "alembic.command",
    "pydantic_settings",
    "requests",
    "torch.export",
    "torch._dynamo",
    "torchvision",
    "torchaudio",
    "transformers:CLIPTokenizer",
    "scipy.integrate",
    "scipy.ndimage",
    "scipy.signal",
    "scipy.stats",
    "torchsde",
    "safetensors.torch",
    "av",
    "PIL.Image",
    "aiohttp.web",
    "kornia",
    "spandrel",
)
LONGEST_MESSAGE = 1 << 20
#: How long the imports may take, in seconds.
IMPORT_DEADLINE = 120.0
POLL_SECONDS = 1.0
#: Variables that no library reads when it is imported.
FREE_VARIABLES = ("AVATARFORGE_", "STAND_IN_", "PYTEST_")


class Process(Protocol):
    """What a started ComfyUI needs of subprocess.Popen."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...
    def kill(self) -> None: ...


class Preloader:
    """A process that has imported the libraries of one Python. It is started when it is first needed."""

    def __init__(self, libraries: Sequence[str] = LIBRARIES) -> None:
        self._libraries = libraries
        self._lock = threading.Lock()
        self._made_for: tuple[str, dict[str, str]] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None

    def start(
        self, command: Sequence[str], folder: Path, env: Mapping[str, str], log: IO[bytes]
    ) -> Process | None:
        """Run `command`, which is a Python, a script in `folder`, and arguments, in a session of its own.

        Returns None where only a plain start does the same.
        """
        python, script, *arguments = command
        if sys.platform != "linux" or "--cpu" not in arguments:
            return None
        wanted = (python, _read_by_libraries(env))
        if self._made_for is None:
            self._made_for = wanted
            self._preload(python, env)
        if self._requests is None or wanted != self._made_for:
            return None
        message = ["start", str(folder / script), arguments, str(folder), dict(env)]
        return ForkedProcess(self, self.ask(message, [log.fileno()]))

    def ask(self, message: list[Any], descriptors: Sequence[int] = ()) -> int:
        """Send a message and return its answer."""
        with self._lock:
            if self._requests is None:
                raise RuntimeError("the process that forks has ended")
            socket.send_fds(self._requests, [json.dumps(message).encode()], descriptors)
            return _receive(self._requests)

    def close(self) -> None:
        """End the process. What it has forked must have ended."""
        if self._requests is not None:
            self._requests.close()
            self._requests = None
        if self._process is not None:
            self._process.wait()

    def _preload(self, python: str, env: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [python, str(MAIN), str(theirs.fileno()), *self._libraries],
                env=env,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        ours.settimeout(IMPORT_DEADLINE)
        if _receive(ours) != 1:
            # Some library has started threads, which a forked process would not have.
            ours.close()
            return
        self._requests = ours


class ForkedProcess:
    """A child of the process that forks, used like a subprocess.Popen.

    It is a zombie until its exit code was asked for, so that no other process has its id before that.
    """

    def __init__(self, preloader: Preloader, pid: int) -> None:
        self.pid = pid
        self._preloader = preloader
        self._lock = threading.Lock()
        self._code: int | None = None
        self._ended = os.pidfd_open(pid)

    def poll(self) -> int | None:
        with self._lock:
            if self._code is None and select.select([self._ended], [], [], 0)[0]:
                self._code = self._preloader.ask(["end", self.pid])
                os.close(self._ended)
            return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired, as Popen does."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            with contextlib.suppress(OSError, ValueError):  # another thread has seen its end
                select.select(
                    [self._ended], [], [], POLL_SECONDS if left is None else min(left, POLL_SECONDS)
                )
        return code

    def send_signal(self, sig: int, /) -> None:
        with self._lock:
            if self._code is None:
                os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _read_by_libraries(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if not name.startswith(FREE_VARIABLES)}


def _receive(requests: socket.socket) -> int:
    data = requests.recv(LONGEST_MESSAGE)
    if not data:
        raise RuntimeError("the process that forks has ended")
    answer: int = json.loads(data)
    return answer
