"""Runs the unit and API tests on the oldest and newest supported Python, if installed.

These environments have no ComfyUI and no torch, which would take gigabytes each. Tests that need them are
skipped: see `tests/without_comfyui.py`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from .cache import being_made, cache_root, key
from .environment import development_requirements
from .progress import Command, run_step
from .system import create_venv, python_in

VERSIONS = ("3.10", "3.13")
#: If fewer tests pass in a full run, something keeps them from being collected.
MIN_TESTS = 1200
#: The packages of the extra ``dev`` that these tests need.
TOOLS = ("hypothesis", "pytest", "pytest-aiohttp", "pytest-timeout", "requests", "standardwebhooks")
HINT = "Is the network up, and may pip reach its package index? Then run the same command again."
_VERSION = "import sys; print(sys.executable, '%d.%d' % sys.version_info[:2])"


def other_pythons(current: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """Find interpreters for VERSIONS, except for the version of `current`.

    Returns pairs of version and interpreter, and the versions that are not installed.
    """
    probed = _probe(current)
    versions = [version for version in VERSIONS if probed is None or version != probed[0]]
    found = [(version, python) for version in versions if (python := _find(version)) is not None]
    return found, [version for version in versions if version not in dict(found)]


def python_with_tools(python: Path, root: Path) -> Path:
    """Make an environment with the pack's requirements and the test tools. Returns its interpreter."""
    requirements = [
        *(root / "requirements.txt").read_text(encoding="utf-8").split(),
        *(tool for tool in development_requirements(root) if re.split(r"[<>=~!]", tool)[0] in TOOLS),
    ]
    made_from = {"python": python, "requirements": " ".join(requirements)}
    folder = cache_root() / f"python-{key(*made_from.values())}"
    with being_made(folder, made_from) as needed:
        if needed:
            venv_python = create_venv(python, folder / "venv")
            pip: Command = [venv_python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
            run_step(f"Installing the test tools for {python}", [*pip, *requirements], hint=HINT)
    return python_in(folder / "venv")


def pytest_command(python: Path, folders: Sequence[str], options: Sequence[str], *, whole: bool) -> list[str]:
    """The command that runs the tests in these folders or files without ComfyUI.

    A `whole` run fails if fewer than MIN_TESTS pass. It runs every test, but not with every case: see
    `tests/thinning.py`.
    """
    minimum = ["--at-least", str(MIN_TESTS)] if whole else []
    thinned = ["--thin"] if whole else []
    return [str(python), "-m", "pytest", "-q", "--without-comfyui", *minimum, *thinned, *options, *folders]


def _find(version: str) -> Path | None:
    """An interpreter of this version that starts: a pyenv shim fails if its version is not selected."""
    for candidate in _candidates(version):
        probed = _probe(candidate)
        if probed is not None and probed[0] == version:
            return probed[1]
    return None


def _candidates(version: str) -> Iterator[Path]:
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield Path(on_path)
    yield from sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"), reverse=True)


def _probe(python: Path) -> tuple[str, Path] | None:
    """The version and `sys.executable` of an interpreter; None if it does not start."""
    try:
        result = subprocess.run([python, "-c", _VERSION], capture_output=True, text=True, check=False)
    except OSError:
        return None
    executable, _, version = result.stdout.strip().rpartition(" ")
    return (version, Path(executable)) if result.returncode == 0 and executable else None
