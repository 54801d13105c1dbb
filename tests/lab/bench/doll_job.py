"""Times the paper doll. A script for ComfyUI's interpreter.

    python doll_job.py PACK_ROOT

The last line of output is JSON: seconds of processor time by style, and those of writing a PNG.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS = 7
SIZE = (512, 768)
WORDS = "female knight, silver armor, red cape, helmet"
STYLES = ("clean", "flat", "ink", "watercolour", "pixel art", "low poly")


def main(pack: str) -> None:
    sys.path[:0] = [str(Path(pack) / "tests")]
    from lab.pack import load_pack

    load_pack(Path(pack))
    views = importlib.import_module("avatarforge.forge.pictures.doll.views")
    reader = importlib.import_module("avatarforge.forge.pictures.doll.words.reader")
    measured: dict[str, list[float]] = {}
    picture = None
    for style in STYLES:
        order = views.ViewsOrder(
            description=reader.read_description(WORDS, style=style),
            views=("front",),
            size=SIZE,
            seed=42,
            view_seed=views.SAME_SEED,
            consistency=1.0,
            passes=4,
        )

        def draw(order: object = order) -> object:
            return views.draw_views(order, lambda row, done, preview: None)[0].picture

        picture = draw()  # the first one also imports and fills caches
        measured[style] = [_seconds(draw) for _ in range(ROUNDS)]
    measured["PNG"] = [
        _seconds(lambda: picture.save(io.BytesIO(), "PNG", compress_level=4))  # type: ignore[attr-defined]
        for _ in range(ROUNDS)
    ]
    print(json.dumps(measured))


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main(sys.argv[1])
