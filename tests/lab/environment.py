"""The environment of the development tools: beside ComfyUI's own, and able to see into it."""

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
places = [*site.getsitepackages(), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
places += [p for p in sys.path if p.endswith(("site-packages", "dist-packages"))]
print(json.dumps(list(dict.fromkeys(places))))
"""


def development_python(comfyui: ComfyUI, root: Path) -> Path:
    """An interpreter with the extra ``dev`` of ``root``'s pyproject.toml that also sees ComfyUI's packages.

    It is a virtual environment of its own with a ``.pth`` file: pip finds torch and the rest in ComfyUI's
    environment, takes them as installed, and writes whatever it adds or replaces into the new one only.
    """
    requirements = development_requirements(root)
    places = site_folders(comfyui.python)
    made_from = {"comfyui": comfyui.root, "python": comfyui.python, "requirements": " ".join(requirements)}
    folder = cache_root() / f"dev-{key(*made_from.values(), *places)}"
    with being_made(folder, made_from) as needed:
        if needed:
            python = create_venv(comfyui.python, folder / "venv")
            see_packages(python, places)
            run_step(
                "Installing the development tools",
                [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", *requirements],
                hint=NETWORK_HINT,
            )
    return python_in(folder / "venv")


def development_requirements(root: Path) -> list[str]:
    """The pack's own requirements and its extra ``dev``, as pip takes them."""
    try:
        import tomllib
    except ImportError as error:
        raise LabError("dev.py needs Python 3.11 or newer.") from error
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["dev"]]


def site_folders(python: Path) -> list[str]:
    """Where this interpreter looks for installed packages."""
    answer = subprocess.run([python, "-c", _SITE], capture_output=True, text=True, check=True)
    folders: list[str] = json.loads(answer.stdout)
    return [folder for folder in folders if Path(folder).is_dir()]


def see_packages(python: Path, places: list[str]) -> None:
    """Make an environment see other folders of packages, after its own, their ``.pth`` files included."""
    own = Path(site_folders(python)[0])
    lines = ["import site", *(f"site.addsitedir({place!r})" for place in places)]
    (own / "comfyui.pth").write_text("; ".join(lines) + "\n", encoding="utf-8")
