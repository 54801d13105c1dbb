"""Limits of exports."""

from __future__ import annotations

#: Pictures of one export.
MOST_PICTURES = 1_000
#: Pixels of a frame's height that a client can ask for.
SMALLEST_HEIGHT, LARGEST_HEIGHT = 16, 4_096
#: Pixels of a side of a texture or sheet, which every graphics card of today takes.
MOST_SIDE = 8_192
#: How often a picture is shown in an epoch of a training.
MOST_REPEATS = 100
