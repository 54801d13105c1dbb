"""``dev.py test``: runs each check as a command and prints a summary at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from .cache import cache_root, key
from .environment import development_python
from .obtain import obtain_comfyui
from .pack import PACKAGE, plain_link
from .progress import Command, LabError, duration
from .pythons import other_pythons, pytest_command, python_with_tools
from .step_runner import Result, Step, run_side_by_side
from .system import chromium

GROUPS = ("lint", "unit", "api", "pythons", "host")
#: pytest's exit code when it collected no tests, which counts as a failure here.
NO_TESTS = 5
#: The host tests run in so many parts, each with a ComfyUI of its own, so that several can run at a time, and
#: the last one does not run alone for long.
HOST_PARTS = 9
#: Shows where the time of a part goes, because it is what a whole run takes longest for.
SLOWEST = "--durations=12"

#: These call entry points directly: the shebang line of a console script contains the interpreter's path,
#: which may be too long.
IMPORT_LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"
COMFY_VALIDATE = ("from comfy_cli.__main__ import main; main()", "--skip-prompt", "node", "validate")

#: The oldest Python in pyproject.toml: mypy reports standard library names that it did not have yet.
OLDEST = "3.10"
#: What mypy skips in the package: files that are no part of the pack, and migrations, which alembic runs as
#: scripts.
NOT_TYPED = r"(^|/)(tests|dev\.py|docs|web|avatarforge-demo|node_modules|migrations)(/|$)"


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
    # Host tests last: the background takes from the end, and they take longest, of them the first parts.
    host = [step for step in chosen if step.group == "host"]
    return summarise(run_side_by_side([step for step in chosen if step not in host] + host[::-1]))


def run_fast_checks(root: Path, pytest_args: Sequence[str]) -> int:
    """Run lint and the unit tests not marked slow. Returns the exit code."""
    comfyui = obtain_comfyui()
    python = development_python(comfyui, root)
    arguments = ["-m", "not slow", *pytest_args]
    all_steps = steps(root, python, plain_link(root).parent, arguments)
    return summarise(run_side_by_side([step for step in all_steps if step.group in ("lint", "unit")]))


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
        *_host_steps(tests("host"), root),
    ]
    return [step for step in all_steps if step.command]


def _host_steps(command: Command, root: Path) -> list[Step]:
    """The host tests: all files in HOST_PARTS parts, or what the user has chosen in one."""
    *start, last = command or [""]
    if last != "tests/host":
        return [Step("tests on the real host", "host", command, root)]
    files = sorted(path.relative_to(root) for path in (root / "tests" / "host").glob("test_*.py"))
    size = -(-len(files) // HOST_PARTS)
    parts = [files[first : first + size] for first in range(0, len(files), size)]
    return [
        Step(f"tests on the real host {number}/{len(parts)}", "host", [*start, SLOWEST, *part], root)
        for number, part in enumerate(parts, start=1)
    ]


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


def summarise(results: Sequence[Result]) -> int:
    """Print the result and duration of each check. Returns 0 if at least one ran and all passed."""
    print("\n== summary ==")
    for result in results:
        step, code = result.step, result.code
        reason = "no tests ran" if code == NO_TESTS and step.group != "lint" else f"exit code {code}"
        verdict = "passed" if code == 0 else f"FAILED ({reason})"
        verdict = f"skipped: {step.skipped}" if step.skipped else verdict
        print(f"{step.name:26} {verdict}, {duration(result.seconds)}")
    failed = sum(result.code != 0 for result in results)
    if not results:
        print("Nothing ran: no test matches the given path.")
    sys.stdout.flush()
    return 1 if failed or not results else 0


def _warn_without_browser() -> None:
    try:
        chromium()
    except LabError as error:
        print(f"No browser: tests that need one will fail. {error}", flush=True)
