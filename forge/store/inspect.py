"""Validates uploaded files: a picture, or a pose in OpenPose JSON, told apart by the first bytes."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from ..errors import TooLargeError
from ..pictures.openpose_json import MAX_BYTES, InvalidPose, parse_pose
from .images import ImageFacts, ImageLimits, InvalidImage, inspect_image

JSON_TYPE = "application/json"

# RFC 8259 allows white space before the value; a byte order mark is common on Windows.
_SPACE = b"\xef\xbb\xbf \t\r\n"
_START = 1024

# Windows, "Naming Files, Paths, and Namespaces".
_FORBIDDEN = str.maketrans(dict.fromkeys('<>:"/\\|?*', "_"))
_DEVICES = frozenset(
    (
        *("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"),
        *(f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789\u00b9\u00b2\u00b3"),
    )
)
_MAX_STEM = 200  # bytes

# Stored extension -> all extensions of the same type: IANA's media types, and what browsers offer for
# image/jpeg.
_ALIASES = {"jpg": frozenset(("jpg", "jpeg", "jpe", "jfif", "jif", "pjpeg", "pjp"))}


def inspect_file(path: Path, limits: ImageLimits) -> ImageFacts:
    """Check that the store accepts the file; for a pose, width and height are those of its canvas.

    Raises InvalidImage with a sentence for the user, TooLargeError, and OSError when the disk fails.
    """
    with path.open("rb") as file:
        start = file.read(_START).lstrip(_SPACE)
    return _inspect_pose(path, limits) if start[:1] in (b"{", b"[") else inspect_image(path, limits)


def _inspect_pose(path: Path, limits: ImageLimits) -> ImageFacts:
    if path.stat().st_size > MAX_BYTES:
        raise TooLargeError(
            f"File too large: a pose in JSON may have {MAX_BYTES} bytes.",
            code="file_too_large",
            parameters={"limit": MAX_BYTES},
        )
    try:
        pose = parse_pose(path.read_bytes())
    except InvalidPose as error:
        raise InvalidImage(str(error), code="invalid_pose") from error
    if not all(limits.min_dimension <= side <= limits.max_dimension for side in (pose.width, pose.height)):
        raise InvalidImage(
            f"The pose's canvas is {pose.width}x{pose.height} pixels; each side must be from "
            f"{limits.min_dimension} to {limits.max_dimension} pixels.",
            code="image_size_out_of_range",
            parameters=limits.error_parameters(pose.width, pose.height),
        )
    return ImageFacts(JSON_TYPE, "json", pose.width, pose.height)


def display_name(sent: str | None, extension: str) -> str:
    """A name to show and to use for downloads; never used as a path on the server.

    It is the last part of the name that the client sent. Its extension is kept if it fits the type of the
    bytes, and otherwise replaced with `extension`. Control and direction characters, characters that Windows
    forbids and device names are removed or replaced; the name without extension has at most 200 bytes.
    """
    last = PureWindowsPath(PurePosixPath(sent or "").name).name
    name = "".join(filter(str.isprintable, last)).rstrip(". ")
    stem, dot, sent_extension = name.rpartition(".")
    if not dot:
        stem, sent_extension = name, ""
    if sent_extension.lower() in _ALIASES.get(extension, (extension,)):
        extension = sent_extension
    stem = stem.translate(_FORBIDDEN).encode("utf-8")[:_MAX_STEM].decode("utf-8", "ignore").strip(". ")
    if stem.split(".", 1)[0].strip().upper() in _DEVICES:
        stem = f"_{stem}"
    return f"{stem or 'image'}.{extension}"
