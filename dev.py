#!/usr/bin/env python3
"""What is run by hand: ``fsck`` and ``backup`` for operators, ``demo``, ``test`` and others for the curious.

``fsck`` and ``backup`` need the pack's own requirements, which ComfyUI's Python has. All others need a clone
and Python 3.11, and nothing else: what is missing is fetched once into a cache of this user
(AVATARFORGE_CACHE).
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
LAB = ROOT / "tests" / "lab"
PACKAGE = "avatarforge"
GROUPS = ("lint", "unit", "api", "pythons", "host")
FOUND, COULD_NOT = 1, 2
SHOWN = 50


def main(arguments: list[str]) -> int:
    """Run one command. Returns its exit code: 0 for success, 1 for a failure, 130 after Ctrl-C.

    fsck and backup: 1 when something is wrong in the store, 2 when they could not run.
    """
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.command != "test":
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        if options.command in ("fsck", "backup"):
            return _operate(options)
        if not LAB.is_dir():
            print(
                f"dev.py {options.command} needs a clone of the repository: tests/ is missing here.",
                file=sys.stderr,
            )
            return 1
        return _develop(options, rest)
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


def _develop(options: argparse.Namespace, rest: list[str]) -> int:
    sys.path.insert(0, str(ROOT / "tests"))
    from lab import archive, checks, demo, screenshots, soak, workflows
    from lab.bench.run import run_bench
    from lab.progress import LabError

    try:
        if options.command == "demo":
            names = [field.name for field in dataclasses.fields(demo.DemoOptions)]
            return demo.run_demo(ROOT, demo.DemoOptions(**{name: getattr(options, name) for name in names}))
        if options.command == "bench":
            return run_bench(ROOT, options.part)
        if options.command == "soak":
            return soak.run_soak(ROOT, options.kills, options.seed)
        if options.command == "workflows":
            return workflows.run_workflows(ROOT)
        if options.command == "screenshots":
            return screenshots.run_screenshots(ROOT)
        if options.command == "pack":
            return archive.run_pack(ROOT, options.out)
        if options.fast:
            return checks.run_fast_checks(ROOT, rest)
        return checks.run_checks(ROOT, options.only, rest)
    except LabError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _operate(options: argparse.Namespace) -> int:
    try:
        offline = _load_offline()
    except ImportError as error:
        print(
            f"{error.name or error} is not installed for {sys.executable}. "
            "Run this with the Python that runs ComfyUI.",
            file=sys.stderr,
        )
        return COULD_NOT
    data_folder = options.data_folder or offline.usual_data_folder(ROOT)
    output_folder = options.output_folder
    try:
        if output_folder is None:
            output_folder = offline.find_output_folder(data_folder)
        if options.command == "backup":
            copied, report = offline.backup(data_folder, output_folder, options.destination)
            return _tell_backup(copied, report, options.destination, output_folder)
        report = offline.fsck(data_folder, output_folder, repair=options.repair)
    except offline.CannotRun as error:
        print(error, file=sys.stderr)
        return COULD_NOT
    if options.json:
        print(json.dumps({**dataclasses.asdict(report), "clean": report.clean}))
    else:
        _tell(report, output_folder)
    return 0 if report.clean else FOUND


def _load_offline() -> Any:
    """The pack's own modules, without its ``__init__.py``, which is ComfyUI's entry. Raises ImportError."""
    if PACKAGE not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            PACKAGE, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
        )
        if spec is None:
            raise ImportError(f"no package at {ROOT}")
        sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
    return importlib.import_module(f"{PACKAGE}.forge.offline")


def _tell(report: Any, output_folder: Path | None) -> None:
    print(f"{report.files} stored files, {report.bytes} good bytes; known to be lost: {report.lost_files}")
    if output_folder is None:
        print("The generated pictures were left out: name their folder with --output-folder.")
    else:
        print(
            f"{report.outputs} pictures, {report.output_bytes} good bytes; "
            f"known to be lost: {report.lost_outputs}"
        )
    for problem in report.problems[:SHOWN]:
        done = f" -> {problem.repaired}" if problem.repaired else ""
        print(f"{problem.kind}: {problem.detail} {problem.name or ''}{done}".rstrip())
    if report.problems_total > SHOWN:
        print(f"... and {report.problems_total - SHOWN} more; --json shows 1000.")
    if report.clean:
        print("clean")
    elif report.repair:
        print(f"{report.problems_total} problems. Run it again: what could be repaired is not found again.")
    else:
        print(f"{report.problems_total} problems. --repair repairs them; nothing is thrown away.")


def _tell_backup(copied: Any, report: Any, destination: Path, output_folder: Path | None) -> int:
    print(f"{destination}: {copied.files} files and {copied.outputs} pictures, {copied.bytes} bytes")
    if copied.deleted:
        print(f"Deleted while it was copied, and not in the copy: {copied.deleted}")
    if copied.lost:
        print(f"Not whole in the store, and marked lost in the copy: {copied.lost}. Run fsck on the store.")
    _tell(report, output_folder)
    return 0 if report.clean and not copied.lost else FOUND


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dev.py", description="AvatarForge: care for its store, run it and test it on a real ComfyUI."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    check = commands.add_parser(
        "fsck",
        help="check the store while ComfyUI is stopped",
        description="Hashes every stored file and compares rows with bytes. Exit code 0: clean; 1: "
        "something was found, also when it was repaired; 2: it could not run.",
    )
    check.add_argument(
        "--repair", action="store_true", help="repair what can be repaired; nothing is thrown away"
    )
    check.add_argument("--json", action="store_true", help="print the report as one JSON document")
    copy = commands.add_parser(
        "backup",
        help="copy the store, also while ComfyUI runs",
        description="Copies database, stored files and pictures, and checks the copy. To restore it: stop "
        "ComfyUI, put the copy in the place of the data folder (and its output/ in that of "
        "output/avatarforge), run fsck.",
    )
    copy.add_argument("destination", type=Path, metavar="DEST", help="a folder that does not exist yet")
    for command in (check, copy):
        command.add_argument(
            "--data-folder",
            type=Path,
            metavar="DIR",
            help="default: user/__avatarforge of the ComfyUI in whose custom_nodes this pack lies",
        )
        command.add_argument(
            "--output-folder",
            type=Path,
            metavar="DIR",
            help="default: output/avatarforge of that ComfyUI, where it holds pictures of this store",
        )

    show = commands.add_parser(
        "demo", help="start ComfyUI with the pack and generate a character in four views"
    )
    show.add_argument("--once", action="store_true", help="end when the pictures are there")
    show.add_argument("--checkpoint", type=Path, metavar="FILE", help="the SD1.5 or SDXL checkpoint to use")
    show.add_argument(
        "--controlnet", type=Path, metavar="FILE", help="a pose ControlNet of the checkpoint's family"
    )
    show.add_argument(
        "--port", type=int, metavar="N", help="port of ComfyUI (default: 8188, or the next free one)"
    )
    show.add_argument("--prompt", default="female knight, silver armor, red cape", metavar="TEXT")
    show.add_argument(
        "--out", type=Path, default=Path("avatarforge-demo"), metavar="DIR", help="default: %(default)s"
    )
    show.add_argument("--steps", type=int, metavar="N", help="sampler steps per view")
    show.add_argument("--size", type=int, metavar="N", help="height and greatest width of a view in pixels")

    measured = commands.add_parser(
        "bench",
        help="measure the pack beside ComfyUI's own routes and the machine's limits",
        description="A whole run writes docs/benchmarks.md and its plots; single parts are printed only.",
    )
    measured.add_argument("part", nargs="*", metavar="PART", help="such as uploads or reads (default: all)")

    faults = commands.add_parser(
        "soak", help="kill ComfyUI again and again while clients use it, and look that nothing is lost"
    )
    faults.add_argument("--kills", type=int, default=100, metavar="N", help="default: %(default)s")
    faults.add_argument("--seed", type=int, metavar="N", help="plan of an earlier run (default: a new one)")

    test = commands.add_parser(
        "test",
        help="lint, types, import directions and all tests",
        description="Whatever dev.py does not know goes to pytest, such as -k NAME or tests/unit/test_x.py.",
    )
    part = test.add_mutually_exclusive_group()
    part.add_argument("--only", choices=GROUPS, help="one group of checks")
    part.add_argument("--fast", action="store_true", help="lint and the unit tests that are not slow")

    commands.add_parser("workflows", help="write example_workflows/ again, with ComfyUI's own editor")
    commands.add_parser(
        "screenshots", help="take the panel's pictures in docs/images/ again, and draw icon and banner"
    )
    packed = commands.add_parser(
        "pack",
        help="write the archive that users install, and say what is missing for a release",
        description="Exit code 1 when pyproject.toml is not ready for ComfyUI's registry; the archive is "
        "written all the same.",
    )
    packed.add_argument(
        "--out", type=Path, default=Path("avatarforge.zip"), metavar="FILE", help="default: %(default)s"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
