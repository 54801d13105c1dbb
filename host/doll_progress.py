"""Reports the passes of a drawing to ComfyUI, with previews, and stops when the user wants it."""

from __future__ import annotations

import comfy.utils
from comfy import model_management
from comfy.cli_args import LatentPreviewMethod, args
from PIL import Image, ImageOps

from .view_previews import LARGEST, RowPreviews

_FORMAT = "JPEG"


class DrawingProgress:
    """Called after each pass of each row, the rows one after another. Raises ComfyUI's interruption."""

    def __init__(self, rows: int, passes: int) -> None:
        self._passes = passes
        self._bar = comfy.utils.ProgressBar(rows * passes)
        self._previews_on = args.preview_method != LatentPreviewMethod.NoPreviews
        self._rows = RowPreviews.of_running_prompt()

    def __call__(self, row: int, done: int, picture: Image.Image) -> None:
        model_management.throw_exception_if_processing_interrupted()
        preview = None
        if self._previews_on:
            small = ImageOps.contain(picture, (LARGEST, LARGEST))
            if row > 0 and self._rows is not None:
                # ComfyUI's own previews do not say the row.
                self._rows.show(row, small)
            else:
                preview = (_FORMAT, small, LARGEST)
        self._bar.update_absolute(row * self._passes + done, preview=preview)
