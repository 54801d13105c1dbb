"""Checks that ``pyproject.toml`` has complete and correct metadata for ComfyUI's registry."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from . import pins

ICON, BANNER = "docs/images/icon.png", "docs/images/banner.png"
#: The registry's maximum size of an icon, in pixels, and the aspect ratio of a banner.
MAX_ICON_SIZE = (800, 400)
BANNER_RATIO = (21, 9)


def check_metadata(root: Path) -> tuple[list[str], list[str]]:
    """Find mistakes, and what is still missing before the pack can be published.

    Returns both as sentences. A mistake fails the project's checks; missing metadata only stops a release.
    Needs Python 3.11 and Pillow.
    """
    import tomllib

    document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return list(_mistakes(root, document)), list(_missing(document))


def _mistakes(root: Path, document: dict[str, Any]) -> Iterator[str]:
    project, comfy = document["project"], document["tool"]["comfy"]
    version = project["version"]
    if _constant(root / "bootstrap.py", "VERSION") != version:
        yield f"VERSION in bootstrap.py is not {version}, the version in pyproject.toml."
    newest = re.search(
        r"^## \[(\d[^\]]*)\]", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    if newest is None or newest[1] != version:
        yield f"The newest release in CHANGELOG.md is not {version}, the version in pyproject.toml."
    if comfy.get("requires-comfyui") != f">={pins.OLDEST.version}":
        yield f"requires-comfyui must be >={pins.OLDEST.version}, the oldest ComfyUI that the tests start."
    requirements = (root / "requirements.txt").read_text(encoding="utf-8").split()
    if sorted(requirements) != sorted(project["dependencies"]):
        yield "requirements.txt and the dependencies in pyproject.toml are not the same."
    with Image.open(root / ICON) as icon:
        if icon.width > MAX_ICON_SIZE[0] or icon.height > MAX_ICON_SIZE[1]:
            yield f"{ICON} is larger than {MAX_ICON_SIZE[0]}x{MAX_ICON_SIZE[1]} pixels."
    with Image.open(root / BANNER) as banner:
        if banner.width * BANNER_RATIO[1] != banner.height * BANNER_RATIO[0]:
            yield f"{BANNER} is not {BANNER_RATIO[0]}:{BANNER_RATIO[1]}."


def _missing(document: dict[str, Any]) -> Iterator[str]:
    repository = document["project"].get("urls", {}).get("Repository", "")
    comfy = document["tool"]["comfy"]
    if not re.fullmatch(r"https://[^/\s]+/[^/\s]+/[^/\s]+", repository):
        yield (
            "[project.urls] Repository in pyproject.toml is not the https address of a repository: set it, "
            "then Icon and Banner."
        )
        return
    for name, path in (("Icon", ICON), ("Banner", BANNER)):
        expected = f"{repository}/raw/main/{path}"
        if comfy.get(name) != expected:
            yield f'[tool.comfy] {name} in pyproject.toml must be "{expected}".'


def _constant(module: Path, name: str) -> object:
    """The value of a module's constant, read without running the module; None if it does not exist."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in node.targets
        ):
            return ast.literal_eval(node.value)
    return None


def main(arguments: list[str]) -> int:
    """Print the findings. Returns 1 if there are mistakes or, with ``--release``, if metadata is missing."""
    mistakes, missing = check_metadata(Path(arguments[0]))
    for sentence in mistakes:
        print(sentence)
    for sentence in missing:
        print(f"Before publishing: {sentence}")
    return 1 if mistakes or ("--release" in arguments and missing) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
