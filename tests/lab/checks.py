"""The steps of ``dev.py test``: each a command, run in order, with one summary at the end."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .cache import cache_root, key
from .environment import development_python
from .obtain import obtain_comfyui
from .pack import PACKAGE, plain_link
from .progress import Command, LabError, duration, run_captured, tool_environment
from .pythons import other_pythons, pytest_command, python_with_tools
from .system import chromium

GROUPS = ("lint", "unit", "api", "pythons", "host")
#: pytest's exit code when it found no test: here that is a failure.
NO_TESTS = 5
#: How often the output of what runs in the background is looked at.
LOOK_SECONDS = 0.5

#: Console scripts by their function: a script's own first line has the interpreter's path in it, which may be
#: too long.
IMPORT_LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"
COMFY_VALIDATE = ("from comfy_cli.__main__ import main; main()", "--skip-prompt", "node", "validate")

#: The oldest Python of pyproject.toml: mypy finds what the standard library did not have there.
OLDEST = "3.10"
#: What mypy leaves out of the package: what is no part of the pack, and migrations, which alembic runs as
#: scripts.
NOT_TYPED = r"(^|/)(tests|dev\.py|docs|web|avatarforge-demo|node_modules|migrations)(/|$)"


@dataclass(frozen=True)
class Step:
    """One check.

    Attributes:
        name: as the summary prints it.
        group: one of GROUPS.
        command: run in ``cwd``; exit code 0 is a pass.
        warning: text that makes the check fail although the command ends with 0.
        skipped: why it cannot run here, and is no failure.
    """

    name: str
    group: str
    command: Command
    cwd: Path
    warning: str | None = None
    skipped: str | None = None


def run_checks(root: Path, only: str | None, pytest_args: Sequence[str]) -> int:
    """Run the checks of the clone at ``root`` (one group, or all) and print a summary. Returns the exit code.

    ``pytest_args`` go to pytest; when one of them is a path, it takes the place of pytest's own folders.
    """
    comfyui = obtain_comfyui()
    python = development_python(comfyui, root)
    if only in (None, "host"):
        _look_for_browser()
    parent = plain_link(root).parent
    chosen = [step for step in steps(root, python, parent, pytest_args) if only in (None, step.group)]
    if only in (None, "pythons"):
        chosen += python_steps(root, python, pytest_args)
    # What is listed after the tests on the real host would wait for them, which take longest.
    return summarise(run_in_turn(sorted(chosen, key=lambda step: step.group == "host")))


def run_fast_checks(root: Path, pytest_args: Sequence[str]) -> int:
    """Run lint and the unit tests that are not marked slow. Returns the exit code."""
    comfyui = obtain_comfyui()
    python = development_python(comfyui, root)
    arguments = ["-m", "not slow", *pytest_args]
    every = steps(root, python, plain_link(root).parent, arguments)
    return summarise(run_in_turn([step for step in every if step.group in ("lint", "unit")]))


def run_in_turn(chosen: Sequence[Step]) -> list[tuple[Step, int, float]]:
    """Run the checks one after another; but those on the real host, which often wait for a ComfyUI to start,
    run beside the others, and are shown after them. Returns each with its exit code and seconds."""
    aside = next((step for step in chosen if step.group == "host"), None) if len(chosen) > 1 else None
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(_Aside(aside)) if aside else None
        results = []
        for step in chosen:
            print(f"\n== {step.name} ==", flush=True)
            started = time.monotonic()
            if running is not None and step is aside:
                results.append((step, running.show(), time.monotonic() - running.started))
            else:
                results.append((step, run_check(step), time.monotonic() - started))
    return results


class _Aside:
    """A check that runs in the background, its output in a file until somebody looks."""

    def __init__(self, step: Step) -> None:
        self.started = time.monotonic()
        self._folder = tempfile.TemporaryDirectory()
        self._log = Path(self._folder.name) / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(part) for part in step.command],
                cwd=step.cwd,
                env=tool_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> _Aside:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self._folder.cleanup()

    def show(self) -> int:
        """Print what it has printed and goes on to print, until it ends. Returns its exit code."""
        with self._log.open("rb") as written:
            while True:
                ended = self._process.poll() is not None
                sys.stdout.write(written.read().decode("utf-8", "replace"))
                sys.stdout.flush()
                if ended:
                    return self._process.returncode
                time.sleep(LOOK_SECONDS)


def steps(root: Path, python: Path, parent: Path, pytest_args: Sequence[str]) -> list[Step]:
    """All checks, in the order in which they run. ``parent`` holds the link ``avatarforge`` to the clone."""
    caches = cache_root() / "tools"
    config = root / "pyproject.toml"

    def ruff(*arguments: str) -> Command:
        return [python, "-m", "ruff", *arguments, "."]

    def mypy(*arguments: str | Path) -> Command:
        cache = caches / f"mypy-{key(root)}"
        return [python, "-m", "mypy", "--config-file", config, "--cache-dir", cache, *arguments]

    def tests(folder: str) -> Command:
        chosen = [argument for argument in pytest_args if Path(argument).parts[:1] == ("tests",)]
        inside = [argument for argument in chosen if Path(argument).parts[:2] == ("tests", folder)]
        if chosen and not inside:
            return []
        options = [argument for argument in pytest_args if argument not in chosen]
        return [python, "-m", "pytest", *options, *(inside or [f"tests/{folder}"])]

    every = [
        Step("ruff check", "lint", ruff("check"), root),
        Step("ruff format", "lint", ruff("format", "--check"), root),
        Step(
            "types of the pack",
            "lint",
            mypy("--python-version", OLDEST, "--exclude", NOT_TYPED, "-p", PACKAGE),
            parent,
        ),
        # From `parent` too, where the tests' imports of the pack are found.
        Step(
            "types of the tests",
            "lint",
            mypy("--exclude", r"(^|/)tests/data/", parent / PACKAGE / "dev.py", root / "tests"),
            parent,
        ),
        Step(
            "import directions",
            "lint",
            [python, "-c", IMPORT_LINTER, "--config", config, "--cache-dir", caches / "imports"],
            parent,
        ),
        Step("comfy node validate", "lint", [python, "-c", *COMFY_VALIDATE], root, warning="arning"),
        Step("registry metadata", "lint", [python, "-m", "lab.metadata", root], root / "tests"),
        Step("scripts beside other packs", "lint", [python, "-m", "lab.js_lint", root], root / "tests"),
        Step("types of web/", "lint", [python, "-m", "lab.js_tools", "types", root], root / "tests"),
        Step("eslint on web/", "lint", [python, "-m", "lab.js_tools", "lint", root], root / "tests"),
        Step("unit tests", "unit", tests("unit"), root),
        Step("API tests", "api", tests("api"), root),
        Step("tests on the real host", "host", tests("host"), root),
    ]
    return [step for step in every if step.command]


def python_steps(root: Path, own: Path, pytest_args: Sequence[str]) -> list[Step]:
    """The unit and API tests on the other Pythons, and a step for each that is not installed."""
    paths = [argument for argument in pytest_args if Path(argument).parts[:1] == ("tests",)]
    inside = [path for path in paths if Path(path).parts[:2] in (("tests", "unit"), ("tests", "api"))]
    if paths and not inside:
        return []
    options = [argument for argument in pytest_args if argument not in paths]
    found, missing = other_pythons(own)
    made = []
    for version, python in found:
        command = pytest_command(
            version,
            python_with_tools(python, root),
            inside or ["tests/unit", "tests/api"],
            options,
            whole=not pytest_args,
        )
        made.append(Step(f"tests on Python {version}", "pythons", command, root))
    made += [
        Step(f"tests on Python {version}", "pythons", [], root, skipped=f"no Python {version} is installed")
        for version in missing
    ]
    return made


def run_check(step: Step) -> int:
    """Run one check, its output to the terminal. Returns 0 for a pass."""
    if step.skipped is not None:
        print(f"Skipped: {step.skipped}.", flush=True)
        return 0
    if step.warning is None:
        command = [str(part) for part in step.command]
        return subprocess.run(
            command, cwd=step.cwd, env=tool_environment(), stdin=subprocess.DEVNULL, check=False
        ).returncode
    answer = run_captured(step.command, step.cwd)
    print(answer.stdout, end="", flush=True)
    return answer.returncode or int(step.warning in answer.stdout)


def summarise(results: Sequence[tuple[Step, int, float]]) -> int:
    """Print the checks that ran, with exit code and seconds. Returns 0 when some ran and all passed."""
    print("\n== summary ==")
    for step, code, seconds in results:
        reason = "no tests ran" if code == NO_TESTS and step.group != "lint" else f"exit code {code}"
        verdict = "passed" if code == 0 else f"FAILED ({reason})"
        verdict = f"skipped: {step.skipped}" if step.skipped else verdict
        print(f"{step.name:26} {verdict}, {duration(seconds)}")
    failed = sum(code != 0 for _step, code, _seconds in results)
    if not results:
        print("Nothing ran: no test has the path that was given.")
    sys.stdout.flush()
    return 1 if failed or not results else 0


def _look_for_browser() -> None:
    try:
        chromium()
    except LabError as error:
        print(f"No browser: the tests that need one will fail. {error}", flush=True)
