"""``dev.py templates``: offers every image workflow of ComfyUI's own templates package as a template.

See ``template_posts.py`` for what is asked of each answer. The run needs no models, and no network.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .environment import development_python
from .host import ComfyUI
from .obtain import obtain_comfyui
from .progress import Command, LabError
from .server import ComfyServer
from .template_posts import Outcome, Poster
from .workflows import QUIET_EDITOR

PACKAGE = "comfyui_workflow_templates_json"
LOCATE = f"import {PACKAGE} as package; print(package.__path__[0])"
EDITOR_READY = "() => window.app?.vueAppReady && window.app.rootGraph.nodes.length > 0"
DEADLINE = 120.0  # seconds for the editor to convert one workflow
#: How many workflows the editor opens before its page is reloaded: it keeps what it has opened.
PER_PAGE = 50
SHOWN = 3  # names of missing things in a line of the table


@dataclass(frozen=True)
class Package:
    """The workflows of ComfyUI's templates package."""

    folder: Path

    def names(self, kinds: Sequence[str] = ("image",)) -> list[str]:
        """The workflows in the categories of these kinds, each once, in the order of the package."""
        index = json.loads((self.folder / "index.json").read_text(encoding="utf-8"))
        listed = [
            str(entry["name"])
            for category in index
            if category["type"] in kinds
            for entry in category["templates"]
        ]
        return [name for name in dict.fromkeys(listed) if self.path(name).is_file()]

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def workflow(self, name: str) -> dict[str, Any]:
        workflow: dict[str, Any] = json.loads(self.path(name).read_text(encoding="utf-8"))
        return workflow


def find_package(comfyui: ComfyUI) -> Package:
    """The templates package of a ComfyUI. Raises LabError."""
    found = subprocess.run(
        [str(comfyui.python), "-c", LOCATE], capture_output=True, encoding="utf-8", check=False
    )
    folder = Path(found.stdout.strip()) / "templates"
    if found.returncode or not (folder / "index.json").is_file():
        raise LabError(f"This ComfyUI has no package {PACKAGE}. Install its requirements.")
    return Package(folder)


def run_templates(root: Path, names: Sequence[str]) -> int:
    """``dev.py templates``. Returns 1 if an answer is a server error or says too little. Raises LabError."""
    python = development_python(obtain_comfyui(), root)
    command: Command = [python, "-m", "lab.templates", root, *names]
    return subprocess.run([str(part) for part in command], cwd=root / "tests", check=False).returncode


@contextmanager
def open_poster(server: ComfyServer) -> Iterator[Poster]:
    """A poster whose editor is open. Needs the development tools."""
    from browser import open_browser

    with open_browser() as browser:
        browser.page.set_default_timeout(DEADLINE * 1000)
        browser.page.goto(server.url)
        browser.page.wait_for_function(EDITOR_READY)
        yield Poster(server, browser.page)


def prepare(base: Path) -> None:
    """Write the settings of a new ComfyUI whose editor shows no dialog at its first start."""
    settings = base / "user" / "default" / "comfy.settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps(QUIET_EDITOR), encoding="utf-8")


def post_all(root: Path, names: Sequence[str]) -> list[Outcome]:
    """Post the workflows of these names, or all image workflows, and print a line for each."""
    comfyui = obtain_comfyui()
    package = find_package(comfyui)
    chosen = list(names) or package.names()
    outcomes: list[Outcome] = []
    started = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as base:
        prepare(Path(base))
        with ComfyServer(comfyui, Path(base), pack=root, dotenv="") as server:
            for first in range(0, len(chosen), PER_PAGE):
                with open_poster(server) as poster:
                    for name in chosen[first : first + PER_PAGE]:
                        outcomes.append(poster.post(name, package.workflow(name)))
                        print(line(outcomes[-1]), flush=True)
    print(f"\n{time.monotonic() - started:.0f} s")
    return outcomes


def line(outcome: Outcome) -> str:
    """A row of the table: the name, the nodes, the first answer, and the one with the missing files."""
    first = _verdict(outcome)
    last = _verdict(outcome.filled) if outcome.filled else ""
    then = f" -> {last}" if last and last != first else ""
    return f"{outcome.name[:52]:52} {outcome.nodes:4}  {first}{then}"


def _verdict(outcome: Outcome) -> str:
    if outcome.fault:
        return f"FAULT: {outcome.fault}"
    if outcome.saved:
        return f"saved: {' '.join(outcome.slots)}"
    parts = [
        f"{len(found)} {what} ({', '.join(found[:SHOWN])}{', ...' if len(found) > SHOWN else ''})"
        for found, what in (
            (outcome.missing_nodes, "missing nodes"),
            (outcome.missing_files, "missing files"),
            (outcome.problems, "problems"),
        )
        if found
    ]
    return f"{outcome.code}: {'; '.join(parts)}"


def summary(outcomes: Sequence[Outcome]) -> list[str]:
    """The counts: of the first answers, of those after the missing files were created, and of slots."""

    def kind(outcome: Outcome) -> str:
        if outcome.fault:
            return "fault"
        return "saved" if outcome.saved else f"refused: {outcome.code}"

    lines = [f"{len(outcomes)} workflows"]
    for label, found in (
        ("as they are, with the files of those before", outcomes),
        ("with files of all missing names", [outcome.last for outcome in outcomes]),
    ):
        counts = Counter(kind(outcome) for outcome in found)
        lines.append(f"{label}: " + ", ".join(f"{count} {name}" for name, count in counts.most_common()))
    saved = [outcome.last for outcome in outcomes if outcome.last.saved]
    slots = Counter(slot for outcome in saved for slot in outcome.slots)
    lines.append("slots of the saved: " + ", ".join(f"{name} {count}" for name, count in slots.most_common()))
    lines += [f"FAULT {outcome.name}: {fault}" for outcome in outcomes for fault in outcome.faults]
    return lines


if __name__ == "__main__":
    try:
        posted = post_all(Path(sys.argv[1]), sys.argv[2:])
    except LabError as error:
        sys.exit(f"\n{error}")
    print("\n".join(summary(posted)))
    sys.exit(1 if any(outcome.faults for outcome in posted) or not posted else 0)
