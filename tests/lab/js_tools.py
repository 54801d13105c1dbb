"""Checks the scripts in ``web/`` with TypeScript and eslint, which npm installs into the user's cache.

``python -m lab.js_tools types ROOT`` checks the types that the JSDoc comments of ``ROOT/web`` declare, and
``python -m lab.js_tools lint ROOT`` runs eslint on it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from .cache import being_made, cache_root, key
from .progress import Command, LabError, run_step
from .system import node_and_npm

CONFIG = Path(__file__).with_name("js")
NETWORK_HINT = "Is the network up, and may npm reach its registry? Then run the same command again."


def js_tools() -> Path:
    """Install the packages in ``js/package.json`` and return their ``node_modules``. Raises LabError."""
    manifest = CONFIG / "package.json"
    packages = manifest.read_text(encoding="utf-8")
    folder = cache_root() / f"js-{key(packages)}"
    with being_made(folder, {"package.json": packages}) as needed:
        if needed:
            _, npm = node_and_npm()
            shutil.copy(manifest, folder)
            run_step(
                "Installing TypeScript and eslint",
                [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund"],
                hint=NETWORK_HINT,
                cwd=folder,
            )
    return folder / "node_modules"


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
