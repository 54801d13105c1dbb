"""Finds or installs what pip cannot: Python's venv module on Debian, a browser, Node.js, strace and 7z."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .progress import Command, LabError, StepFailed, run_step

#: The oldest Node.js that eslint 9 supports.
MIN_NODE_MAJOR = 18
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def python_in(venv: Path) -> Path:
    """The interpreter of a virtual environment."""
    return venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def create_venv(python: Path, folder: Path) -> Path:
    """Create a virtual environment with pip and return its interpreter.

    Debian packages the part of venv that installs pip separately. As root, this function installs it.
    """
    title = f"Creating a virtual environment in {folder}"
    hint = f"Python's venv module must work: try `{python} -m venv SOME_FOLDER`."
    command: Command = [python, "-m", "venv", folder]
    try:
        run_step(title, command, hint=hint)
    except StepFailed as error:
        if "ensurepip" not in str(error):
            raise
        _apt_install(
            _venv_package(python), "Debian and Ubuntu ship part of Python's venv in a separate package"
        )
        run_step(title, [*command, "--clear"], hint=hint)
    return python_in(folder)


def chromium() -> Path:
    """A Chromium for the browser tests. Installs Debian's if there is none, as root only. Raises LabError."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path:
            return Path(path)
    _apt_install("chromium", "The browser tests need a Chromium")
    installed = shutil.which("chromium")
    if installed is None:
        raise LabError("The package chromium is installed, but there is no program `chromium` on the PATH.")
    return Path(installed)


def node_and_npm() -> tuple[Path, Path]:
    """Node.js and npm. Installs Debian's if one is missing, as root only. Raises LabError."""
    reason = "The checks of the scripts in web/ need Node.js and npm"
    for program, package in (("node", "nodejs"), ("npm", "npm")):
        if shutil.which(program) is None:
            _apt_install(package, reason)
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise LabError(f"{reason}. Both are installed, but `node` or `npm` is not on the PATH.")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < MIN_NODE_MAJOR:
        raise LabError(f"{reason}. {node} is {version}; install Node.js {MIN_NODE_MAJOR} or newer.")
    return Path(node), Path(npm)


def strace() -> Path:
    """strace, for Linux only. Installs Debian's if it is missing, as root only. Raises LabError."""
    if shutil.which("strace") is None:
        _apt_install("strace", "The test of the order of system calls needs strace")
    path = shutil.which("strace")
    if path is None:
        raise LabError("The package strace is installed, but there is no program `strace` on the PATH.")
    return Path(path)


def seven_zip() -> Path:
    """7-Zip's command. Installs Debian's if there is none, as root only. Raises LabError."""
    found = _seven_zip()
    if found is None:
        _apt_install("p7zip-full", "The test of exported archives needs 7-Zip")
        found = _seven_zip()
    if found is None:
        raise LabError("The package p7zip-full is installed, but there is no program `7z` on the PATH.")
    return found


def _seven_zip() -> Path | None:
    for name in ("7z", "7zz", "7za"):
        path = shutil.which(name)
        if path:
            return Path(path)
    return None


def _venv_package(python: Path) -> str:
    """Debian's package for this interpreter's venv module, such as ``python3.11-venv``."""
    program = "import sys; print('python%d.%d-venv' % sys.version_info[:2])"
    return subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def _apt_install(package: str, reason: str) -> None:
    """Install a Debian package. Raises a LabError that says how to install it if we cannot."""
    if shutil.which("apt-get") is None:
        raise LabError(f"{reason}. Install {package} with this system's package manager and try again.")
    if sys.platform == "win32" or os.geteuid() != 0:
        raise LabError(f"{reason}. Run `sudo apt-get install {package}` and try again.")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    hint = f"{reason}: `apt-get install {package}` must work."
    run_step("Reading Debian's package lists", ["apt-get", "update", "-q"], hint=hint, env=env)
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", package]
    run_step(f"Installing Debian's {package}", install, hint=hint, env=env)
