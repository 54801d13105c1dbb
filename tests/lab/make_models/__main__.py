from __future__ import annotations

import sys
from pathlib import Path

from . import KINDS
from .files import write
from .vaes import SMALL_DECODER, STANDARD_DECODER

NOTE = "Synthetic model filled with noise, for tests. Its pictures are noise."


def main(root: str, *wanted: str) -> None:
    # In the place of the folder this was started in, whose modules are not for ComfyUI.
    sys.path[0] = root
    from comfy.cli_args import args

    args.cpu = True  # Only shapes are needed, so do not touch a GPU.
    reads_decoder_width = "decoder_ddconfig" in (Path(root) / "comfy" / "sd.py").read_text(encoding="utf-8")
    decoder_width = SMALL_DECODER if reads_decoder_width else STANDARD_DECODER
    for kind, output in zip(wanted[::2], wanted[1::2], strict=True):
        print(kind, flush=True)
        write(Path(output), KINDS[kind](decoder_width), NOTE)


if __name__ == "__main__":
    main(*sys.argv[1:])
