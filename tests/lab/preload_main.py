"""Imports the libraries of ComfyUI once, and forks a process that runs a script with them for each request.

ComfyUI's own Python runs this file: ``preload_main.py DESCRIPTOR LIBRARY...``. The descriptor is that of an
inherited Unix socket that keeps messages apart; `preloaded.py` has the other end. A library is a module, or
``module:name`` if it imports the rest when that name is used. A message is a JSON list:

- ``["start", script, arguments, folder, environment]``, with the descriptor of the log, is answered with the
  process id of a new process, which runs ``script`` as ``__main__``;
- ``["end", process id]`` is answered with the exit code of a process that has ended, as subprocess has it.

The first message is ours: the number of our threads. A process with several must not fork.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import socket
import sys
from pathlib import Path
from typing import Any

LONGEST_MESSAGE = 1 << 20


def main() -> None:
    """Answer requests until the other end is closed. In a forked process, run the script instead."""
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        del sys.path[0]  # our own folder
        for name in sys.argv[2:]:
            module, _, attribute = name.partition(":")
            with contextlib.suppress(ImportError, AttributeError):  # another ComfyUI may do without
                getattr(importlib.import_module(module), attribute or "__name__")
        gc.collect()
        gc.freeze()  # what is collected in a forked process is copied for it
        requests.send(json.dumps(len(list(Path("/proc/self/task").iterdir()))).encode())
        script = _serve(requests)
    if script is not None:
        runpy.run_path(script, run_name="__main__")


def _serve(requests: socket.socket) -> str | None:
    """Returns None at the end, and in each forked process the script that it is to run."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(requests, LONGEST_MESSAGE, 1)
        if not data:
            return None
        kind, *values = json.loads(data)
        if kind == "start":
            pid = os.fork()
            if pid == 0:
                return _become(descriptors[0], *values)
            os.close(descriptors[0])
            requests.send(json.dumps(pid).encode())
        else:
            _, status = os.waitpid(values[0], 0)
            requests.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())


def _become(log: int, script: str, arguments: list[str], folder: str, environment: dict[str, str]) -> str:
    """Make this process what the command `python script arguments` would be, in a session of its own."""
    os.setsid()
    os.chdir(folder)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    set_by_python = {name: os.environ[name] for name in ("LC_CTYPE",) if name in os.environ}
    os.environ.clear()
    os.environ.update({**set_by_python, **environment})
    sys.argv = [script, *arguments]
    sys.path.insert(0, str(Path(script).parent))
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()  # random numbers that a new process would have, as Python's own module does
    return script


if __name__ == "__main__":
    main()
