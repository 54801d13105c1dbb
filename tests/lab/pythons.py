"""The unit and API tests on the oldest and the newest Python that the pack promises, if installed.

Without ComfyUI and torch, which would be gigabytes for each: what needs them is left out, see
`tests/without_comfyui.py`.
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
#: Those on which a whole run leaves out the tests marked slow: what a new Python breaks shows in the others.
FAST_VERSIONS = ("3.13",)
#: Fewer tests than this in a whole run mean that something keeps them from being collected.
LEAST = 2000
#: What these tests need of the extra ``dev``.
TOOLS = ("hypothesis", "pytest", "pytest-aiohttp", "pytest-timeout", "requests", "standardwebhooks")
HINT = "Is the network up, and may pip reach its package index? Then run the same command again."
_VERSION = "import sys; print(sys.executable, '%d.%d' % sys.version_info[:2])"


def other_pythons(own: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """The interpreters of VERSIONS, except the version of `own`, each with its version; and the versions
    that are not installed."""
    tested = _probe(own)
    wanted = [version for version in VERSIONS if tested is None or version != tested[0]]
    found = [(version, python) for version in wanted if (python := _find(version)) is not None]
    return found, [version for version in wanted if version not in dict(found)]


def python_with_tools(python: Path, root: Path) -> Path:
    """The interpreter of an environment with the pack's requirements and the tools, made from another one."""
    requirements = [
        *(root / "requirements.txt").read_text(encoding="utf-8").split(),
        *(one for one in development_requirements(root) if re.split(r"[<>=~!]", one)[0] in TOOLS),
    ]
    made_from = {"python": python, "requirements": " ".join(requirements)}
    folder = cache_root() / f"python-{key(*made_from.values())}"
    with being_made(folder, made_from) as needed:
        if needed:
            inside = create_venv(python, folder / "venv")
            pip: Command = [inside, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
            run_step(f"Installing the test tools for {python}", [*pip, *requirements], hint=HINT)
    return python_in(folder / "venv")


def pytest_command(
    version: str, python: Path, folders: Sequence[str], options: Sequence[str], *, whole: bool
) -> list[str]:
    """What runs the tests in these folders or files without ComfyUI; `whole`: all of them, so that few are a
    failure, but for the slow ones on FAST_VERSIONS."""
    least = ["--at-least", str(LEAST)] if whole else []
    marked = ["-m", "not slow"] if whole and version in FAST_VERSIONS else []
    return [str(python), "-m", "pytest", "-q", "--without-comfyui", *least, *marked, *options, *folders]


def _find(version: str) -> Path | None:
    """An interpreter of this version that starts. A shim of pyenv may stand for one that is not chosen."""
    for candidate in _candidates(version):
        probed = _probe(candidate)
        if probed is not None and probed[0] == version:
            return probed[1]
    return None


def _candidates(version: str) -> Iterator[Path]:
    named = shutil.which(f"python{version}")
    if named:
        yield Path(named)
    yield from sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"), reverse=True)


def _probe(python: Path) -> tuple[str, Path] | None:
    """Its version and the path by which it calls itself; None when it does not start."""
    try:
        answer = subprocess.run([python, "-c", _VERSION], capture_output=True, text=True, check=False)
    except OSError:
        return None
    executable, _, version = answer.stdout.strip().rpartition(" ")
    return (version, Path(executable)) if answer.returncode == 0 and executable else None
