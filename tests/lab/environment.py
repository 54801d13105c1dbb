"""The virtual environment of the development tools, which also sees ComfyUI's packages."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from .cache import being_made, cache_root, key
from .host import ComfyUI
from .progress import NETWORK_HINT, LabError, run_step
from .system import create_venv, python_in

_SITE = """
import json, site, sys, sysconfig
folders = [*site.getsitepackages(), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
folders += [p for p in sys.path if p.endswith(("site-packages", "dist-packages"))]
print(json.dumps(list(dict.fromkeys(folders))))
"""


def development_python(comfyui: ComfyUI, root: Path) -> Path:
    """An interpreter that has the extra ``dev`` of ``root``'s pyproject.toml and sees ComfyUI's packages.

    It belongs to a separate virtual environment with a ``.pth`` file: pip treats torch and other packages of
    ComfyUI's environment as installed, and writes what it adds or replaces only to the new environment.
    """
    requirements = development_requirements(root)
    folders = site_folders(comfyui.python)
    made_from = {"comfyui": comfyui.root, "python": comfyui.python, "requirements": " ".join(requirements)}
    folder = cache_root() / f"dev-{key(*made_from.values(), *folders)}"
    with being_made(folder, made_from) as needed:
        if needed:
            python = create_venv(comfyui.python, folder / "venv")
            see_packages(python, folders)
            run_step(
                "Installing the development tools",
                [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", *requirements],
                hint=NETWORK_HINT,
            )
    return python_in(folder / "venv")


def development_requirements(root: Path) -> list[str]:
    """The pack's dependencies and its extra ``dev``, as requirement specifiers for pip."""
    try:
        import tomllib
    except ImportError as error:
        raise LabError("dev.py needs Python 3.11 or newer.") from error
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["dev"]]


def site_folders(python: Path) -> list[str]:
    """The folders in which this interpreter looks for installed packages."""
    result = subprocess.run([python, "-c", _SITE], capture_output=True, text=True, check=True)
    folders: list[str] = json.loads(result.stdout)
    return [folder for folder in folders if Path(folder).is_dir()]


def see_packages(python: Path, folders: list[str]) -> None:
    """Add package folders, and their ``.pth`` files, to an environment's path, after its own folder."""
    own = Path(site_folders(python)[0])
    lines = ["import site", *(f"site.addsitedir({folder!r})" for folder in folders)]
    (own / "comfyui.pth").write_text("; ".join(lines) + "\n", encoding="utf-8")
