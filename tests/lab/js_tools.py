"""Installs what npm has: TypeScript and eslint, which check the scripts in ``web/``, and two game engines.

``python -m lab.js_tools types ROOT`` checks the types that the JSDoc comments of ``ROOT/web`` declare, and
``python -m lab.js_tools lint ROOT`` runs eslint on it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .cache import being_made, cache_root, key
from .progress import Command, LabError, run_step
from .system import node_and_npm

CONFIG = Path(__file__).with_name("js")
GAMES = Path(__file__).with_name("js_games")
#: The builds that a page loads, of packages that have a hundred times as many bytes.
GAME_BUILDS = ("phaser/dist/phaser.min.js", "pixi.js/dist/pixi.min.js")
NETWORK_HINT = "Is the network up, and may npm reach its registry? Then run the same command again."


def js_tools() -> Path:
    """Install the packages in ``js/package.json`` and return their ``node_modules``. Raises LabError."""
    with _made("js", CONFIG / "package.json") as (folder, needed):
        if needed:
            _install("TypeScript and eslint", folder)
    return folder / "node_modules"


def game_engines() -> Path:
    """Install the packages in ``js_games/package.json`` and return a folder with their builds for pages:
    ``phaser.min.js`` and ``pixi.min.js``. Raises LabError."""
    with _made("js-games", GAMES / "package.json") as (folder, needed):
        if needed:
            _install("Phaser and PixiJS", folder)
            for build in GAME_BUILDS:
                shutil.copy(folder / "node_modules" / build, folder)
            shutil.rmtree(folder / "node_modules")
    return folder


@contextmanager
def _made(name: str, manifest: Path) -> Iterator[tuple[Path, bool]]:
    """(the cached folder of these packages, whether it must be filled)"""
    packages = manifest.read_text(encoding="utf-8")
    folder = cache_root() / f"{name}-{key(packages)}"
    with being_made(folder, {"package.json": packages}) as needed:
        if needed:
            shutil.copy(manifest, folder)
        yield folder, needed


def _install(what: str, folder: Path) -> None:
    _, npm = node_and_npm()
    run_step(
        f"Installing {what}",
        [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund"],
        hint=NETWORK_HINT,
        cwd=folder,
    )


def types_command(project: Path = CONFIG / "tsconfig.json") -> Command:
    """The command that type-checks the files that ``project`` includes. Raises LabError."""
    node, _ = node_and_npm()
    return [node, js_tools() / "typescript" / "bin" / "tsc", "--pretty", "false", "--project", project]


def lint_command(folder: Path) -> Command:
    """The command that runs eslint on ``folder``; its working directory must contain it. Raises LabError."""
    node, _ = node_and_npm()
    eslint = js_tools() / "eslint" / "bin" / "eslint.js"
    return [node, eslint, "--config", CONFIG / "eslint.config.mjs", "--max-warnings", "0", folder]


def main(check: str, root: Path) -> int:
    """Run one check. Returns its exit code."""
    try:
        command = types_command() if check == "types" else lint_command(root / "web")
    except LabError as error:
        print(error, flush=True)
        return 1
    return subprocess.run([str(part) for part in command], cwd=root, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]).resolve()))
