"""Builds the archive that users install, with ``comfy node pack``."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from .environment import development_python
from .obtain import obtain_comfyui
from .progress import Command, LabError, run_captured

#: Calls comfy-cli's entry point directly: the shebang line of its console script may be too long.
COMFY = "from comfy_cli.__main__ import main; main()"
ARCHIVE_NAME = "node.zip"


def run_pack(root: Path, target: Path) -> int:
    """Write the archive to ``target``, and print its size and what is missing for a release.

    Returns 0 if the pack could be published as it is, else 1. Raises LabError.
    """
    python = development_python(obtain_comfyui(), root)
    archive = pack_archive(root, python, target.absolute())
    with zipfile.ZipFile(archive) as zip_file:
        print(f"{target}: {len(zip_file.namelist())} files, {archive.stat().st_size / 1e6:.1f} MB")
    command: Command = [python, "-m", "lab.metadata", root, "--release"]
    return subprocess.run([str(part) for part in command], cwd=root / "tests", check=False).returncode


def pack_archive(root: Path, python: Path, target: Path) -> Path:
    """Write the archive of the clone at ``root`` to ``target``, as it would be uploaded to the registry.

    It contains the files that git tracks or would track, as they are on disk, except those in
    ``.comfyignore``. comfy-cli runs in a copy, because it writes its archive into the folder that it packs.
    Raises LabError if ``root`` is no git clone, or if comfy-cli fails or warns.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "pack"
        _copy_files(root, copy)
        output = _run([python, "-c", COMFY, "--skip-prompt", "node", "pack"], copy)
        archive = copy / ARCHIVE_NAME
        if not archive.is_file() or "arning" in output:
            raise LabError(f"comfy node pack did not pack the clone:\n{output}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(archive, target)
    return target


def unpack_archive(archive: Path, folder: Path) -> Path:
    """Unpack ``archive`` to ``folder``. Raises LabError if a name in it points outside the folder."""
    with zipfile.ZipFile(archive) as zip_file:
        for name in zip_file.namelist():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                raise LabError(f"{archive.name} has a file that would land outside its folder: {name}")
        zip_file.extractall(folder)
    return folder


def _copy_files(root: Path, copy: Path) -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    result = subprocess.run(command, cwd=root, capture_output=True, check=False)
    if result.returncode != 0:
        raise LabError(f"Packing needs a git clone: {result.stderr.decode('utf-8', 'replace').strip()}")
    for name in filter(None, result.stdout.decode("utf-8").split("\0")):
        source, target = root / name, copy / name
        if source.is_file():  # git still lists a file whose deletion is not committed
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    _run(["git", "init", "--quiet"], copy)
    _run(["git", "add", "--all"], copy)


def _run(command: Command, folder: Path) -> str:
    """Run a command and return its output. Raises LabError, with the output, if the command fails."""
    result = run_captured(command, folder)
    if result.returncode != 0:
        raise LabError(f"{command[0]} failed with exit code {result.returncode}:\n{result.stdout}")
    return result.stdout
