"""The archive that users install: ``comfy node pack`` on the files of a clone."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from .environment import development_python
from .obtain import obtain_comfyui
from .progress import Command, LabError, run_captured

#: The console script of comfy-cli by its function: its first line may be too long for the system.
COMFY = "from comfy_cli.__main__ import main; main()"
ARCHIVE_NAME = "node.zip"


def run_pack(root: Path, target: Path) -> int:
    """Write the archive to ``target`` and say what it holds and what is missing for a release.

    Returns 0 when the pack could be published as it is, else 1. Raises LabError.
    """
    python = development_python(obtain_comfyui(), root)
    archive = pack_archive(root, python, target.absolute())
    with zipfile.ZipFile(archive) as packed:
        print(f"{target}: {len(packed.namelist())} files, {archive.stat().st_size / 1e6:.1f} MB")
    command: Command = [python, "-m", "lab.metadata", root, "--release"]
    return subprocess.run([str(part) for part in command], cwd=root / "tests", check=False).returncode


def pack_archive(root: Path, python: Path, target: Path) -> Path:
    """Write the archive of the clone at ``root`` to ``target``, as the registry would get it.

    It holds the files that git tracks or would track, as they are on the disk, less those of
    ``.comfyignore``. comfy-cli runs in a copy, since it writes its archive into the folder that it packs.
    Raises LabError when there is no git clone, or when comfy-cli fails or warns.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "pack"
        _copy_files(root, copy)
        answer = _run([python, "-c", COMFY, "--skip-prompt", "node", "pack"], copy)
        archive = copy / ARCHIVE_NAME
        if not archive.is_file() or "arning" in answer:
            raise LabError(f"comfy node pack did not pack the clone:\n{answer}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(archive, target)
    return target


def unpack_archive(archive: Path, folder: Path) -> Path:
    """Unpack it to ``folder``. Raises LabError when a name in it leads out of the folder."""
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                raise LabError(f"{archive.name} has a file that would land outside its folder: {name}")
        packed.extractall(folder)
    return folder


def _copy_files(root: Path, copy: Path) -> None:
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(listed, cwd=root, capture_output=True, check=False)
    if answer.returncode != 0:
        raise LabError(f"Packing needs a git clone: {answer.stderr.decode('utf-8', 'replace').strip()}")
    for name in filter(None, answer.stdout.decode("utf-8").split("\0")):
        source, target = root / name, copy / name
        if source.is_file():  # a file that was deleted and not yet committed is still listed
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    _run(["git", "init", "--quiet"], copy)
    _run(["git", "add", "--all"], copy)


def _run(command: Command, folder: Path) -> str:
    """Output of a command. Raises LabError with it when the command fails."""
    answer = run_captured(command, folder)
    if answer.returncode != 0:
        raise LabError(f"{command[0]} failed with exit code {answer.returncode}:\n{answer.stdout}")
    return answer.stdout
