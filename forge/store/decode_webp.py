"""Trying whether a WEBP decodes, in a process of its own when it is large.

libwebp's decoder takes 256 MB for 4096x4096 pixels, and Pillow keeps Python's lock while it works, so that
ComfyUI's event loop stands still for 0.2 s. A child gives the memory back when it ends, and a picture that
crashes libwebp ends the child and not ComfyUI. Pillow's PNG and JPEG decoders have neither trouble here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import PIL
from PIL import WebPImagePlugin

from .pixel_stream import Part, open_parts
from .structure import InvalidImage, Structure

#: Pixels up to which it is not worth a process: 16 MB of memory and some 10 ms.
SMALL = 1024 * 1024
#: Seconds; the largest picture takes 2 on a slow machine.
PATIENCE = 60.0

_STARTED, _WHOLE, _UNREAD = b"started ", b"whole", b"unread"
#: What the child runs. Nothing of ComfyUI's or of other packs is imported: only Pillow, from the folder where
#: it lies here.
SCRIPT = """
import sys
import io, json
sys.path.append(sys.argv[2])
from PIL import WebPImagePlugin
sys.stdout.write("started ")
sys.stdout.flush()
try:
    picture = b""
    with open(sys.argv[1], "rb") as file:
        for part in json.loads(sys.argv[3]):
            if isinstance(part, str):
                picture += bytes.fromhex(part)
            else:
                file.seek(part[0])
                picture += file.read(part[1])
    WebPImagePlugin.WebPImageFile(io.BytesIO(picture)).load()
    sys.stdout.write("whole")
except OSError as error:
    sys.stdout.write("broken" if error.errno is None else "unread")
except Exception:
    sys.stdout.write("broken")
"""


def open_webp(fp: BinaryIO, structure: Structure) -> WebPImagePlugin.WebPImageFile:
    """Raises InvalidImage where Pillow was built without WebP, and whatever Pillow raises."""
    if not WebPImagePlugin.SUPPORTED:
        raise InvalidImage("The file is a WEBP, which the Pillow of this server was built without.")
    return WebPImagePlugin.WebPImageFile(open_parts(fp, structure.pixels))


def try_webp(fp: BinaryIO, path: Path, structure: Structure) -> None:
    """Decode the picture and throw it away. Raises InvalidImage, and whatever Pillow raises."""
    large = structure.width * structure.height > SMALL
    verdict = _in_a_child(path, structure.pixels) if large and WebPImagePlugin.SUPPORTED else b""
    if verdict.startswith(_STARTED) and verdict != _STARTED + _UNREAD:
        if verdict != _STARTED + _WHOLE:
            raise InvalidImage("The picture cannot be decoded.")
    else:
        open_webp(fp, structure).load()


def _in_a_child(path: Path, pixels: tuple[Part, ...]) -> bytes:
    """What the child wrote; nothing of it where none can be started."""
    if getattr(sys, "frozen", False) or not Path(sys.executable or "").stem.lower().startswith("python"):
        return b""  # a program with Python in it: it would start as a whole once more
    folder = str(Path(PIL.__file__).parent.parent)
    parts = json.dumps([part.hex() if isinstance(part, bytes) else part for part in pixels])
    # -I -S: no environment, no user's packages, no .pth files.
    command = [sys.executable, "-I", "-S", "-c", SCRIPT, str(path), folder, parts]
    try:
        with subprocess.Popen(  # noqa: S603 - our own interpreter, our own script, our own file
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        ) as child:
            try:
                return child.communicate(timeout=PATIENCE)[0]
            except subprocess.TimeoutExpired:
                child.kill()
                return _STARTED
    except OSError:
        return b""
