"""Runs comfy-test's lint on the scripts in ``web/``: it finds code that could conflict with other packs.

Its rules forbid a pack to touch what all packs share. EXCEPTIONS lists where that is unavoidable, and why.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .progress import Command

#: (file in web/, rule) -> reason. An entry allows one finding: a second one in the same file fails.
EXCEPTIONS = {
    ("avatarforge.js", "shared-dom-injection"): (
        "Two style sheets in the head. Every selector in them names one of our classes, which a test checks."
    ),
    ("avatarforge.js", "document-level-listener"): (
        "A picture pasted over a picker must be handled before the editor's own listener on the document "
        "creates a node from it. Does nothing unless the pointer or the selection is on one of our nodes."
    ),
    ("shared/list_dialog.mjs", "shared-dom-injection"): (
        "A modal <dialog>, removed when it closes. It may outlive the node or the sidebar that opened it, so "
        "it cannot be a child of their elements."
    ),
    ("shared/api_key.mjs", "shared-dom-injection"): "As in list_dialog.mjs, for the API key dialog.",
    ("panel/live.mjs", "document-level-listener"): (
        "visibilitychange exists only on the document: a hidden page closes its connection."
    ),
}


def main(root: Path) -> int:
    """Print findings without an exception and exceptions without a finding. Returns 0 if there are none."""
    command: Command = [sys.executable, "-m", "comfy_test", "lint", "--check", "javascript", "--json", root]
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    try:
        report = json.loads(result.stdout)
    except ValueError:
        print(f"comfy-test printed no report:\n{result.stdout}{result.stderr}")
        return 1
    findings = report["results"]["javascript"]["findings"]
    unused = dict(EXCEPTIONS)
    failed = False
    for finding in findings:
        if unused.pop((finding["file"], finding["rule"]), None) is None:
            failed = True
            print(f"{finding['file']}:{finding['line']} {finding['rule']}: {finding['message']}")
    for file, rule in unused:
        failed = True
        print(f"{file}: the exception for {rule} is no longer needed. Remove it from {Path(__file__).name}.")
    print(f"{len(findings)} findings, {len(EXCEPTIONS) - len(unused)} of them allowed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
