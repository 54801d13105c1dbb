"""Processes that are forked from one that has imported libraries, beside those of a plain start."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.preloaded import Preloader, Process
from lab.server import allow_interrupts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks"),
]

REPORT = """
import json, os, random, signal, sys, threading
import numpy, shapes
report = {
    "argv": sys.argv[1:], "folder": os.getcwd(), "path": sys.path[0], "file": __file__, "name": __name__,
    "env": dict(os.environ), "own session": os.getsid(0) == os.getpid(), "umask": os.umask(0o22),
    "input": os.readlink("/proc/self/fd/0"), "flags": str(sys.flags), "threads": threading.active_count(),
    "open": sorted(map(int, os.listdir("/proc/self/fd")))[:-1],
    "unbuffered": sys.stdout.write_through, "encoding": sys.stdout.encoding,
    "handlers": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)],
}
drawn = [random.random(), float(numpy.random.random())]
print(json.dumps([report, drawn]), file=sys.stderr)
"""
ENV = {
    "PATH": "/usr/bin:/bin",
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8",
    "OMP_NUM_THREADS": "1",  # with more, numpy starts them
    "AVATARFORGE_TEXT": "ä\n",
}
BUSY = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"


@pytest.fixture(scope="module")
def preloader() -> Iterator[Preloader]:
    allow_interrupts()  # as at each start of a ComfyUI
    made = Preloader(libraries=["numpy.random", "json:loads", "json:no_such_name", "no_such_library"])
    yield made
    made.close()


class Script:
    """A script in a folder of its own, which imports a module beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        (folder / "shapes.py").write_text("")

    def start(self, preloader: Preloader, text: str, *arguments: str, **env: str) -> Process:
        started = self.try_to_start(preloader, text, "--cpu", *arguments, **env)
        assert started is not None
        return started

    def try_to_start(self, preloader: Preloader, text: str, *arguments: str, **env: str) -> Process | None:
        (self.folder / "main.py").write_text(text)
        with self.log.open("wb") as log:
            return preloader.start([sys.executable, "main.py", *arguments], self.folder, {**ENV, **env}, log)

    def plain(self, text: str, *arguments: str) -> subprocess.Popen[bytes]:
        (self.folder / "main.py").write_text(text)
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "main.py", "--cpu", *arguments],
                cwd=self.folder,
                env=ENV,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def report(self, process: Process) -> tuple[dict[str, Any], list[float]]:
        assert process.wait(60) == 0, self.log.read_text()
        report, drawn = json.loads(self.log.read_text())
        return report, drawn

    def wait_for(self, word: str) -> None:
        while word not in self.log.read_text():
            pass


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def test_it_finds_itself_as_a_plain_start_does(preloader: Preloader, script: Script) -> None:
    forked, drawn = script.report(script.start(preloader, REPORT, "--port", "1"))
    plain, _ = script.report(script.plain(REPORT, "--port", "1"))
    assert forked == plain
    assert forked["argv"] == ["--cpu", "--port", "1"]
    assert forked["env"]["AVATARFORGE_TEXT"] == "ä\n"
    assert forked["own session"]
    assert not set(drawn) & set(script.report(script.start(preloader, REPORT))[1])


@pytest.mark.parametrize(
    ("ending", "code", "words"),
    [
        ("pass", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('refused')", 1, "refused"),
        ("os._exit(4)", 4, ""),
        ("os.kill(os.getpid(), 9)", -9, ""),
        ("raise OSError('no room')", 1, "OSError: no room"),
        ("atexit.register(print, 'last words')", 0, "last words"),
        ("threading.Timer(0.1, print, ['from a thread']).start()", 0, "from a thread"),
    ],
)
def test_its_end_is_that_of_a_plain_start(
    preloader: Preloader, script: Script, ending: str, code: int, words: str
) -> None:
    text = f"import atexit, os, sys, threading\n{ending}\n"
    assert script.start(preloader, text).wait(60) == code
    assert words in script.log.read_text()
    assert script.plain(text).wait(60) == code
    assert words in script.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_reaches_it_alone(preloader: Preloader, script: Script, number: signal.Signals) -> None:
    waiting = "import threading\nprint('ready')\nthreading.Event().wait()\n"
    process = script.start(preloader, waiting)
    script.wait_for("ready")
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0)
    process.send_signal(number)
    assert process.wait(60) == -number
    process.send_signal(number)  # to a process that has ended, as with subprocess
    assert process.poll() == -number
    assert script.start(preloader, "").wait(60) == 0


def test_a_plain_start_is_needed_where_the_libraries_may_see_a_difference(
    preloader: Preloader, script: Script
) -> None:
    assert script.start(preloader, "").wait(60) == 0
    assert script.try_to_start(preloader, "") is None  # a GPU: without --cpu
    assert script.try_to_start(preloader, "", "--cpu", OMP_NUM_THREADS="7") is None
    assert script.start(preloader, "", AVATARFORGE_KEY="1", STAND_IN_ENDS="1").wait(60) == 0


def test_libraries_that_start_threads_are_never_forked(tmp_path: Path, script: Script) -> None:
    busy = tmp_path / "site" / "busy_library.py"
    busy.parent.mkdir()
    busy.write_text(BUSY)
    preloader = Preloader(libraries=["busy_library"])
    assert script.try_to_start(preloader, "", "--cpu", PYTHONPATH=str(busy.parent)) is None
    preloader.close()
