#!/usr/bin/env python3
"""Command line tools: ``fsck`` and ``backup`` for operators, ``demo``, ``test`` and others for developers.

``fsck`` and ``backup`` need the pack's own requirements, which ComfyUI's Python has. All other commands need
only a clone and Python 3.11: they download the rest once, into the user's cache (AVATARFORGE_CACHE).
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
#: Exit codes of fsck and backup.
PROBLEMS_FOUND, CANNOT_RUN = 1, 2
MAX_SHOWN = 50


def main(argv: list[str]) -> int:
    """Run one command. Returns its exit code: 0 for success, 1 for a failure, 130 after Ctrl-C.

    fsck and backup return 1 if something is wrong with the store, and 2 if they cannot run.
    """
    options, rest = _parser().parse_known_args(argv)
    if rest and options.command != "test":
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        if options.command in ("fsck", "backup"):
            return _run_operator_command(options)
        if not LAB.is_dir():
            print(
                f"dev.py {options.command} needs a clone of the repository: tests/ is missing here.",
                file=sys.stderr,
            )
            return 1
        return _run_developer_command(options, rest)
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


def _run_developer_command(options: argparse.Namespace, rest: list[str]) -> int:
    sys.path.insert(0, str(ROOT / "tests"))
    from lab import (
        archive,
        checks,
        demo,
        illustrations,
        pose_sheets,
        screenshots,
        soak,
        templates,
        workflows,
    )
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
        if options.command == "templates":
            return templates.run_templates(ROOT, options.name)
        if options.command == "dolls":
            return illustrations.run_illustrations(ROOT)
        if options.command == "poses":
            return pose_sheets.run_pose_sheets(ROOT, options.out)
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


def _run_operator_command(options: argparse.Namespace) -> int:
    try:
        offline = _load_offline()
    except ImportError as error:
        print(
            f"{error.name or error} is not installed for {sys.executable}. "
            "Run this with the Python that runs ComfyUI.",
            file=sys.stderr,
        )
        return CANNOT_RUN
    data_folder = options.data_folder or offline.usual_data_folder(ROOT)
    output_folder = options.output_folder
    try:
        if output_folder is None:
            output_folder = offline.find_output_folder(data_folder)
        if options.command == "backup":
            copied, report = offline.backup(data_folder, output_folder, options.destination)
            return _print_backup(copied, report, options.destination, output_folder)
        report = offline.fsck(data_folder, output_folder, repair=options.repair)
    except offline.CannotRun as error:
        print(error, file=sys.stderr)
        return CANNOT_RUN
    if options.json:
        print(json.dumps({**dataclasses.asdict(report), "clean": report.clean}))
    else:
        _print_report(report, output_folder)
    return 0 if report.clean else PROBLEMS_FOUND


def _load_offline() -> Any:
    """Import ``forge.offline`` without running the pack's ``__init__.py``, which is ComfyUI's entry point.

    Raises ImportError.
    """
    if PACKAGE not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            PACKAGE, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
        )
        if spec is None:
            raise ImportError(f"no package at {ROOT}")
        sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
    return importlib.import_module(f"{PACKAGE}.forge.offline")


def _print_report(report: Any, output_folder: Path | None) -> None:
    print(f"{report.files} stored files, {report.bytes} intact bytes; marked as lost: {report.lost_files}")
    if output_folder is None:
        print("The generated pictures were left out: set their folder with --output-folder.")
    else:
        print(
            f"{report.outputs} pictures, {report.output_bytes} intact bytes; "
            f"marked as lost: {report.lost_outputs}"
        )
    for problem in report.problems[:MAX_SHOWN]:
        repair = f" -> {problem.repaired}" if problem.repaired else ""
        print(f"{problem.kind}: {problem.detail} {problem.name or ''}{repair}".rstrip())
    if report.problems_total > MAX_SHOWN:
        print(f"... and {report.problems_total - MAX_SHOWN} more; --json shows 1000.")
    if report.clean:
        print("clean")
    elif report.repair:
        print(f"{report.problems_total} problems. Run fsck again: it reports only what was not repaired.")
    else:
        print(f"{report.problems_total} problems. --repair repairs them and never discards data.")


def _print_backup(copied: Any, report: Any, destination: Path, output_folder: Path | None) -> int:
    print(f"{destination}: {copied.files} files and {copied.outputs} pictures, {copied.bytes} bytes")
    if copied.deleted:
        print(f"Deleted during the backup, and therefore not in the copy: {copied.deleted}")
    if copied.lost:
        print(f"Damaged in the store, and marked as lost in the copy: {copied.lost}. Run fsck on the store.")
    _print_report(report, output_folder)
    return 0 if report.clean and not copied.lost else PROBLEMS_FOUND


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dev.py", description="AvatarForge: maintain its store, run it and test it on a real ComfyUI."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    fsck = commands.add_parser(
        "fsck",
        help="check the store while ComfyUI is stopped",
        description="Hashes every stored file and compares rows with bytes. Exit code 0: clean; 1: "
        "problems were found, even if they were repaired; 2: the check could not run.",
    )
    fsck.add_argument(
        "--repair", action="store_true", help="repair what can be repaired; no data is discarded"
    )
    fsck.add_argument("--json", action="store_true", help="print the report as one JSON document")
    backup = commands.add_parser(
        "backup",
        help="copy the store, even while ComfyUI runs",
        description="Copies database, stored files and pictures, and checks the copy. To restore it, stop "
        "ComfyUI, replace the data folder with the copy (and output/avatarforge with its output/), "
        "and run fsck.",
    )
    backup.add_argument("destination", type=Path, metavar="DEST", help="a folder that does not exist yet")
    for command in (fsck, backup):
        command.add_argument(
            "--data-folder",
            type=Path,
            metavar="DIR",
            help="default: user/__avatarforge of the ComfyUI whose custom_nodes contains this pack",
        )
        command.add_argument(
            "--output-folder",
            type=Path,
            metavar="DIR",
            help="default: output/avatarforge of that ComfyUI, if it contains pictures of this store",
        )

    demo = commands.add_parser(
        "demo",
        help="start ComfyUI with the pack and show a character in four views",
        description="Without --model, the paper doll draws the character: no model is needed.",
    )
    demo.add_argument("--once", action="store_true", help="exit when the pictures are done")
    demo.add_argument(
        "--model",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="the files of a model of any family: model, text encoders, VAE, pose ControlNet or patch",
    )
    for name in ("--checkpoint", "--controlnet"):  # of earlier releases
        demo.add_argument(
            name,
            type=Path,
            nargs=1,
            action="extend",
            dest="model",
            metavar="FILE",
            help="the same as --model",
        )
    demo.add_argument(
        "--port", type=int, metavar="N", help="port of ComfyUI (default: 8188, or the next free one)"
    )
    demo.add_argument("--prompt", default="female knight, silver armor, red cape", metavar="TEXT")
    demo.add_argument(
        "--out", type=Path, default=Path("avatarforge-demo"), metavar="DIR", help="default: %(default)s"
    )
    demo.add_argument(
        "--steps", type=int, metavar="N", help="sampler steps per view; the paper doll's passes"
    )
    demo.add_argument("--size", type=int, metavar="N", help="height and maximum width of a view in pixels")

    bench = commands.add_parser(
        "bench",
        help="measure the pack against ComfyUI's own routes and the machine's limits",
        description="A full run writes docs/benchmarks.md and its plots; single parts are only printed.",
    )
    bench.add_argument("part", nargs="*", metavar="PART", help="such as uploads or reads (default: all)")

    soak = commands.add_parser(
        "soak", help="kill ComfyUI repeatedly while clients use it, and check that nothing is lost"
    )
    soak.add_argument("--kills", type=int, default=100, metavar="N", help="default: %(default)s")
    soak.add_argument("--seed", type=int, metavar="N", help="repeat an earlier run's plan (default: random)")

    test = commands.add_parser(
        "test",
        help="lint, types, import directions and all tests",
        description="Unknown arguments go to pytest, such as -k NAME or tests/unit/test_x.py.",
    )
    group = test.add_mutually_exclusive_group()
    group.add_argument("--only", choices=GROUPS, help="one group of checks")
    group.add_argument("--fast", action="store_true", help="lint and the unit tests that are not slow")

    commands.add_parser("workflows", help="regenerate example_workflows/ with ComfyUI's own editor")
    templates = commands.add_parser(
        "templates",
        help="offer ComfyUI's own image workflows as templates, as the editor converts them",
        description="Exit code 1 if an answer is a server error, or a refusal does not name what is missing.",
    )
    templates.add_argument("name", nargs="*", metavar="NAME", help="a workflow (default: all for images)")
    commands.add_parser(
        "dolls", help="draw the paper dolls of docs/images/: icon, banner, overview and contact sheet"
    )
    poses = commands.add_parser(
        "poses", help="draw all built-in poses of the library on contact sheets, to look at them"
    )
    poses.add_argument(
        "--out", type=Path, default=Path("pose-sheets"), metavar="FOLDER", help="default: %(default)s"
    )
    commands.add_parser(
        "screenshots", help="retake the panel's screenshots in docs/images/, and draw what dolls draws"
    )
    pack = commands.add_parser(
        "pack",
        help="write the archive that users install, and list what is missing for a release",
        description="Exit code 1 if pyproject.toml is not ready for ComfyUI's registry; the archive is "
        "written in any case.",
    )
    pack.add_argument(
        "--out", type=Path, default=Path("avatarforge.zip"), metavar="FILE", help="default: %(default)s"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
