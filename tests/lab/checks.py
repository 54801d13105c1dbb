"""``dev.py test``: runs each check as a command and prints a summary at the end."""

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
#: pytest's exit code when it collected no tests, which counts as a failure here.
NO_TESTS = 5
#: How often the output of the background step is polled.
POLL_SECONDS = 0.5

#: These call entry points directly: the shebang line of a console script contains the interpreter's path,
#: which may be too long.
IMPORT_LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"
COMFY_VALIDATE = ("from comfy_cli.__main__ import main; main()", "--skip-prompt", "node", "validate")

#: The oldest Python in pyproject.toml: mypy reports standard library names that it did not have yet.
OLDEST = "3.10"
#: What mypy skips in the package: files that are no part of the pack, and migrations, which alembic runs as
#: scripts.
NOT_TYPED = r"(^|/)(tests|dev\.py|docs|web|avatarforge-demo|node_modules|migrations)(/|$)"


@dataclass(frozen=True)
class Step:
    """One check.

    Attributes:
        name: label in the summary.
        group: one of GROUPS.
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


def run_checks(root: Path, only: str | None, pytest_args: Sequence[str]) -> int:
    """Run the checks of the clone at ``root`` (one group, or all) and print a summary. Returns the exit code.

    ``pytest_args`` go to pytest; a path among them replaces the default test folders.
    """
    comfyui = obtain_comfyui()
    python = development_python(comfyui, root)
    if only in (None, "host"):
        _warn_without_browser()
    parent = plain_link(root).parent
    chosen = [step for step in steps(root, python, parent, pytest_args) if only in (None, step.group)]
    if only in (None, "pythons"):
        chosen += python_steps(root, python, pytest_args)
    # Host tests last: their output is printed when they end, and they take longest.
    return summarise(run_in_turn(sorted(chosen, key=lambda step: step.group == "host")))


def run_fast_checks(root: Path, pytest_args: Sequence[str]) -> int:
    """Run lint and the unit tests not marked slow. Returns the exit code."""
    comfyui = obtain_comfyui()
    python = development_python(comfyui, root)
    arguments = ["-m", "not slow", *pytest_args]
    all_steps = steps(root, python, plain_link(root).parent, arguments)
    return summarise(run_in_turn([step for step in all_steps if step.group in ("lint", "unit")]))


def run_in_turn(chosen: Sequence[Step]) -> list[tuple[Step, int, float]]:
    """Run the checks one after another. Returns each with its exit code and seconds.

    Host tests often wait for a ComfyUI to start, so they run in the background while the other checks run.
    """
    concurrent = next((step for step in chosen if step.group == "host"), None) if len(chosen) > 1 else None
    with contextlib.ExitStack() as stack:
        background = stack.enter_context(_BackgroundStep(concurrent)) if concurrent else None
        results = []
        for step in chosen:
            print(f"\n== {step.name} ==", flush=True)
            started = time.monotonic()
            if background is not None and step is concurrent:
                results.append((step, background.show(), time.monotonic() - background.started))
            else:
                results.append((step, run_check(step), time.monotonic() - started))
    return results


class _BackgroundStep:
    """A check that runs in the background and writes its output to a file."""

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

    def __enter__(self) -> _BackgroundStep:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self._folder.cleanup()

    def show(self) -> int:
        """Print its output so far, and then follow it until the check ends. Returns the exit code."""
        with self._log.open("rb") as log:
            while True:
                ended = self._process.poll() is not None
                sys.stdout.write(log.read().decode("utf-8", "replace"))
                sys.stdout.flush()
                if ended:
                    return self._process.returncode
                time.sleep(POLL_SECONDS)


def steps(root: Path, python: Path, parent: Path, pytest_args: Sequence[str]) -> list[Step]:
    """All checks, in the order in which they run. ``parent`` contains the clone's link ``avatarforge``."""
    tool_caches = cache_root() / "tools"
    config = root / "pyproject.toml"

    def ruff(*arguments: str) -> Command:
        return [python, "-m", "ruff", *arguments, "."]

    def mypy(*arguments: str | Path) -> Command:
        cache = tool_caches / f"mypy-{key(root)}"
        return [python, "-m", "mypy", "--config-file", config, "--cache-dir", cache, *arguments]

    def tests(folder: str) -> Command:
        paths = [argument for argument in pytest_args if Path(argument).parts[:1] == ("tests",)]
        inside = [path for path in paths if Path(path).parts[:2] == ("tests", folder)]
        if paths and not inside:
            return []
        options = [argument for argument in pytest_args if argument not in paths]
        return [python, "-m", "pytest", *options, *(inside or [f"tests/{folder}"])]

    all_steps = [
        Step("ruff check", "lint", ruff("check"), root),
        Step("ruff format", "lint", ruff("format", "--check"), root),
        Step(
            "types of the pack",
            "lint",
            mypy("--python-version", OLDEST, "--exclude", NOT_TYPED, "-p", PACKAGE),
            parent,
        ),
        # Runs in `parent` too, where the tests' imports of the pack resolve.
        Step(
            "types of the tests",
            "lint",
            mypy("--exclude", r"(^|/)tests/data/", parent / PACKAGE / "dev.py", root / "tests"),
            parent,
        ),
        Step(
            "import directions",
            "lint",
            [python, "-c", IMPORT_LINTER, "--config", config, "--cache-dir", tool_caches / "imports"],
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
    return [step for step in all_steps if step.command]


def python_steps(root: Path, current: Path, pytest_args: Sequence[str]) -> list[Step]:
    """Steps for the unit and API tests on the other Pythons; skipped where one is not installed."""
    paths = [argument for argument in pytest_args if Path(argument).parts[:1] == ("tests",)]
    inside = [path for path in paths if Path(path).parts[:2] in (("tests", "unit"), ("tests", "api"))]
    if paths and not inside:
        return []
    options = [argument for argument in pytest_args if argument not in paths]
    found, missing = other_pythons(current)
    listed = []
    for version, python in found:
        command = pytest_command(
            version,
            python_with_tools(python, root),
            inside or ["tests/unit", "tests/api"],
            options,
            whole=not pytest_args,
        )
        listed.append(Step(f"tests on Python {version}", "pythons", command, root))
    listed += [
        Step(f"tests on Python {version}", "pythons", [], root, skipped=f"no Python {version} is installed")
        for version in missing
    ]
    return listed


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


def summarise(results: Sequence[tuple[Step, int, float]]) -> int:
    """Print the result and duration of each check. Returns 0 if at least one ran and all passed."""
    print("\n== summary ==")
    for step, code, seconds in results:
        reason = "no tests ran" if code == NO_TESTS and step.group != "lint" else f"exit code {code}"
        verdict = "passed" if code == 0 else f"FAILED ({reason})"
        verdict = f"skipped: {step.skipped}" if step.skipped else verdict
        print(f"{step.name:26} {verdict}, {duration(seconds)}")
    failed = sum(code != 0 for _step, code, _seconds in results)
    if not results:
        print("Nothing ran: no test matches the given path.")
    sys.stdout.flush()
    return 1 if failed or not results else 0


def _warn_without_browser() -> None:
    try:
        chromium()
    except LabError as error:
        print(f"No browser: tests that need one will fail. {error}", flush=True)
