#!/usr/bin/env python3
"""Everything a developer or a curious person runs: ``python3 dev.py demo`` and ``python3 dev.py test``.

Needs Python 3.11 and nothing else: what is missing is fetched once into a cache of this user
(AVATARFORGE_CACHE).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tests"))

from lab import bench, checks, demo, screenshots, workflows  # noqa: E402
from lab.progress import LabError  # noqa: E402


def main(arguments: list[str]) -> int:
    """Run one command. Returns its exit code: 0 for success, 1 for a failure, 130 after Ctrl-C."""
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.command != "test":
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        if options.command == "demo":
            return demo.run_demo(ROOT, _demo_options(options))
        if options.command == "bench":
            return bench.run_bench(ROOT)
        if options.command == "workflows":
            return workflows.run_workflows(ROOT)
        if options.command == "screenshots":
            return screenshots.run_screenshots(ROOT)
        return checks.run_checks(ROOT, options.only, rest)
    except LabError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dev.py", description="AvatarForge, run and tested on a real ComfyUI."
    )
    commands = parser.add_subparsers(dest="command", required=True)

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

    commands.add_parser("bench", help="measure the turnaround against single views on a real ComfyUI")

    test = commands.add_parser(
        "test",
        help="lint, types, import directions and all tests",
        description="Whatever dev.py does not know goes to pytest, such as -k NAME or tests/unit/test_x.py.",
    )
    test.add_argument("--only", choices=checks.GROUPS, help="one group of checks")

    commands.add_parser("workflows", help="write example_workflows/ anew, with ComfyUI's own editor")
    commands.add_parser("screenshots", help="take the panel's pictures in docs/images/ anew")
    return parser


def _demo_options(options: argparse.Namespace) -> demo.DemoOptions:
    return demo.DemoOptions(
        prompt=options.prompt,
        out=options.out,
        once=options.once,
        checkpoint=options.checkpoint,
        controlnet=options.controlnet,
        port=options.port,
        steps=options.steps,
        size=options.size,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
