"""What ComfyUI's registry needs to know of the pack: is ``pyproject.toml`` complete and true?"""

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
#: Limits of the registry for an icon, in pixels, and the shape of a banner.
ICON_LIMIT = (800, 400)
BANNER_SHAPE = (21, 9)


def check_metadata(root: Path) -> tuple[list[str], list[str]]:
    """Look for mistakes, and for what is still missing before the pack can be published.

    Returns both as sentences. A mistake fails the checks of the project; what is missing only stops a
    release. Needs Python 3.11 and Pillow.
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
    listed = (root / "requirements.txt").read_text(encoding="utf-8").split()
    if sorted(listed) != sorted(project["dependencies"]):
        yield "requirements.txt and the dependencies in pyproject.toml are not the same."
    with Image.open(root / ICON) as icon:
        if icon.width > ICON_LIMIT[0] or icon.height > ICON_LIMIT[1]:
            yield f"{ICON} is larger than {ICON_LIMIT[0]}x{ICON_LIMIT[1]} pixels."
    with Image.open(root / BANNER) as banner:
        if banner.width * BANNER_SHAPE[1] != banner.height * BANNER_SHAPE[0]:
            yield f"{BANNER} is not {BANNER_SHAPE[0]}:{BANNER_SHAPE[1]}."


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
        wanted = f"{repository}/raw/main/{path}"
        if comfy.get(name) != wanted:
            yield f'[tool.comfy] {name} in pyproject.toml must be "{wanted}".'


def _constant(module: Path, name: str) -> object:
    """The value of a module's constant, read without running the module. None when it has no such one."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(to, ast.Name) and to.id == name for to in node.targets
        ):
            return ast.literal_eval(node.value)
    return None


def main(arguments: list[str]) -> int:
    """Print the findings. Returns 1 for a mistake, and with ``--release`` also for what is missing."""
    mistakes, missing = check_metadata(Path(arguments[0]))
    for sentence in mistakes:
        print(sentence)
    for sentence in missing:
        print(f"Before publishing: {sentence}")
    return 1 if mistakes or ("--release" in arguments and missing) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
