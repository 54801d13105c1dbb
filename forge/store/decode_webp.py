"""Test-decodes WEBP pictures, large ones in a child process.

libwebp's decoder takes 256 MB for 4096x4096 pixels, and Pillow holds the GIL while it decodes, which blocks
ComfyUI's event loop for 0.2 s. A child process returns the memory when it exits, and a picture that crashes
libwebp does not crash ComfyUI. Pillow's PNG and JPEG decoders have neither problem.
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

#: Pixels up to which no child process is started: such a decode takes 16 MB and about 10 ms.
SMALL = 1024 * 1024
#: Seconds; the largest picture takes 2 on a slow machine.
PATIENCE = 60.0

_STARTED, _WHOLE, _UNREAD = b"started ", b"whole", b"unread"
# Imports only Pillow, from the folder it is installed in; nothing of ComfyUI or of other packs.
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
except Exception:  # whatever Pillow raises for bytes that are no picture
    sys.stdout.write("broken")
"""


def open_webp(fp: BinaryIO, structure: Structure) -> WebPImagePlugin.WebPImageFile:
    """Raises InvalidImage if Pillow was built without WebP, and whatever Pillow raises."""
    if not WebPImagePlugin.SUPPORTED:
        raise InvalidImage(
            "The file is a WEBP, which the Pillow of this server was built without.",
            code="unsupported_image_format",
        )
    return WebPImagePlugin.WebPImageFile(open_parts(fp, structure.pixels))


def try_webp(fp: BinaryIO, path: Path, structure: Structure) -> None:
    """Decode the picture and discard the result. Raises InvalidImage, and whatever Pillow raises."""
    large = structure.width * structure.height > SMALL
    output = _decode_in_child(path, structure.pixels) if large and WebPImagePlugin.SUPPORTED else b""
    if output.startswith(_STARTED) and output != _STARTED + _UNREAD:
        if output != _STARTED + _WHOLE:
            raise InvalidImage("The picture cannot be decoded.")
    else:
        open_webp(fp, structure).load()


def _decode_in_child(path: Path, pixels: tuple[Part, ...]) -> bytes:
    """What the child process printed; empty if it could not be started."""
    if getattr(sys, "frozen", False) or not Path(sys.executable or "").stem.lower().startswith("python"):
        return b""  # an application with embedded Python: running its executable would start the application
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
