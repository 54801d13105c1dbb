"""comfy-test's lint of the scripts in ``web/``: what in them could get in the way of other packs.

It wants a pack to touch nothing that all packs share. Where that cannot be had, EXCEPTIONS says why.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .progress import Command

#: (file in web/, rule) -> why it stays. One entry covers one finding: a second one in the same file fails.
EXCEPTIONS = {
    ("avatarforge.js", "shared-dom-injection"): (
        "Two style sheets in the head. Every selector in them names a class of ours, which a test checks."
    ),
    ("avatarforge.js", "document-level-listener"): (
        "A picture pasted over a picker must be seen before the editor's own listener on the document makes "
        "a node of it. Nothing happens unless the pointer or the selection is on a node of ours."
    ),
    ("shared/file_dialog.mjs", "shared-dom-injection"): (
        "A modal <dialog>, removed when it closes. It may outlive the node or the sidebar that opened it, so "
        "it cannot lie in their elements."
    ),
    ("shared/api_key.mjs", "shared-dom-injection"): "The same, for the dialog that asks for the API key.",
    ("panel/live.mjs", "document-level-listener"): (
        "visibilitychange, which only the document has: a hidden page gives its connection back."
    ),
}


def main(root: Path) -> int:
    """Print what is new or no longer true. Returns 0 when there is neither."""
    command: Command = [sys.executable, "-m", "comfy_test", "lint", "--check", "javascript", "--json", root]
    answer = subprocess.run(
        [str(part) for part in command], capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    try:
        report = json.loads(answer.stdout)
    except ValueError:
        print(f"comfy-test gave no report:\n{answer.stdout}{answer.stderr}")
        return 1
    findings = report["results"]["javascript"]["findings"]
    waiting = dict(EXCEPTIONS)
    failed = False
    for one in findings:
        if waiting.pop((one["file"], one["rule"]), None) is None:
            failed = True
            print(f"{one['file']}:{one['line']} {one['rule']}: {one['message']}")
    for file, rule in waiting:
        failed = True
        print(f"{file}: the exception for {rule} is no longer needed. Remove it from {Path(__file__).name}.")
    print(f"{len(findings)} findings, {len(EXCEPTIONS) - len(waiting)} of them explained exceptions")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
