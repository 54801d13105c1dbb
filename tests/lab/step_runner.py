"""Runs checks, three at a time: one with its output as it comes, and two in the background."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .progress import Command, run_captured, tool_environment

#: How many checks run in the background. Tests of a real ComfyUI wait a quarter of their time, for its start,
#: a browser or the disk: with two checks on two cores, the cores would wait with them.
BACKGROUND = 2
#: How often the output of a step in the background is polled.
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Step:
    """One check.

    Attributes:
        name: label in the summary.
        group: one of the groups of ``dev.py test --only``.
        command: run in ``cwd``; passes if its exit code is 0.
        warning: text in the output that makes the check fail despite exit code 0.
        skipped: why the check cannot run here; this is no failure.
    """

    name: str
    group: str
    command: Command
    cwd: Path
    warning: str | None = None
    skipped: str | None = None


@dataclass(frozen=True)
class Result:
    step: Step
    code: int
    seconds: float


def run_side_by_side(chosen: Sequence[Step]) -> list[Result]:
    """Run all checks. Returns their results in the order of ``chosen``.

    The foreground takes checks from the front of the list and the background from its end, until they meet.
    So the cores stay busy until the last check, whatever each takes. The output of a check in the background
    is printed when no other is printing.
    """
    pending = _Pending(chosen)
    results: dict[int, Result] = {}
    number = pending.first()
    with _background(pending) as lanes:
        while number is not None:
            started = time.monotonic()
            print(f"\n== {chosen[number].name} ==", flush=True)
            code = run_check(chosen[number])
            results[number] = Result(chosen[number], code, time.monotonic() - started)
            for lane in lanes:
                results.update(lane.print_ended())
            number = pending.first()
        for lane in lanes:
            results.update(lane.print_rest())
    return [results[number] for number in range(len(chosen))]


def run_check(step: Step) -> int:
    """Run one check and print its output. Returns 0 if it passes."""
    if step.skipped is not None:
        print(f"Skipped: {step.skipped}.", flush=True)
        return 0
    if step.warning is None:
        command = [str(part) for part in step.command]
        return subprocess.run(
            command, cwd=step.cwd, env=tool_environment(), stdin=subprocess.DEVNULL, check=False
        ).returncode
    result = run_captured(step.command, step.cwd)
    print(result.stdout, end="", flush=True)
    return result.returncode or int(step.warning in result.stdout)


class _Pending:
    """The numbers of the checks that have not started. All lanes take from it."""

    def __init__(self, chosen: Sequence[Step]) -> None:
        self.steps = chosen
        self.lock = threading.Lock()
        self._numbers = deque(range(len(chosen)))

    def first(self) -> int | None:
        with self.lock:
            return self._numbers.popleft() if self._numbers else None

    def last(self) -> int | None:
        """Take the last one that has a command. Call it with the lock held."""
        for number in reversed(self._numbers):
            if self.steps[number].skipped is None:
                self._numbers.remove(number)
                return number
        return None


@dataclass
class _Run:
    """A check in the background. ``code`` and ``seconds`` are set before ``ended``."""

    number: int
    step: Step
    log: Path
    code: int = 1
    seconds: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)

    def print_output(self) -> tuple[int, Result]:
        """Print the output so far, and then what is added until the check ends. Returns number and result."""
        print(f"\n== {self.step.name} ==", flush=True)
        with self.log.open("rb") as log:
            while True:
                ended = self.ended.wait(POLL_SECONDS)
                sys.stdout.write(log.read().decode("utf-8", "replace"))
                sys.stdout.flush()
                if ended:
                    return self.number, Result(self.step, self.code, self.seconds)


class _Background:
    """Runs checks one after another in a thread, each with its output in a file."""

    def __init__(self, pending: _Pending, folder: Path) -> None:
        self._pending = pending
        self._folder = folder
        self._runs: list[_Run] = []
        self._shown = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="checks in the background")
        self._thread.start()

    def print_ended(self) -> Iterator[tuple[int, Result]]:
        """Print the output of each check that has ended since the last call."""
        while self._shown < len(self._runs) and self._runs[self._shown].ended.is_set():
            self._shown += 1
            yield self._runs[self._shown - 1].print_output()

    def print_rest(self) -> Iterator[tuple[int, Result]]:
        """Print the output of all other checks, and wait for them. No check may be pending."""
        for run in self._runs[self._shown :]:
            self._shown += 1
            yield run.print_output()

    def stop(self) -> None:
        """Stop the running check, if any."""
        with self._pending.lock:
            self._stopped = True
            if self._process is not None:
                self._process.terminate()
        self._thread.join()

    def _work(self) -> None:
        while (run := self._start()) is not None:
            started = time.monotonic()
            try:
                run.code = self._run(run)
            finally:
                run.seconds = time.monotonic() - started
                run.ended.set()

    def _start(self) -> _Run | None:
        with self._pending.lock:
            number = None if self._stopped else self._pending.last()
            if number is None:
                return None
            run = _Run(number, self._pending.steps[number], self._folder / f"{number}.log")
            run.log.touch()
            self._runs.append(run)
            return run

    def _run(self, run: _Run) -> int:
        with run.log.open("wb") as log:
            with self._pending.lock:
                if self._stopped:
                    return 1
                self._process = subprocess.Popen(
                    [str(part) for part in run.step.command],
                    cwd=run.step.cwd,
                    env=tool_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            code = self._process.wait()
        warned = run.step.warning is not None and run.step.warning in run.log.read_text("utf-8", "replace")
        return code or int(warned)


@contextmanager
def _background(pending: _Pending) -> Iterator[list[_Background]]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        lanes = []
        for _ in range(BACKGROUND):
            lanes.append(_Background(pending, Path(folder)))
            stack.callback(lanes[-1].stop)
        yield lanes
