"""Reads the pack's `.env`, which may be written with Notepad, PowerShell or cmd.exe.

python-dotenv skips lines that it cannot read, decodes escapes that were not meant as such, and reads only
UTF-8. A setting lost that way may be the API key, so anything doubtful is refused with its line number.

Only python-dotenv's parser, which it does not document, gives lines and errors. Seen in 1.0 to 1.2;
`tests/unit/test_library_internals.py` fails when it changes.
"""

from __future__ import annotations

import io
import logging
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from .errors import SettingsError

NAME = ".env"
LARGEST = 256 * 1024  # bytes; all settings at their maximum length take a tenth
MOST_LINES = 10  # named in one sentence
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_QUOTED = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""", re.DOTALL)
_WINDOWS_PATH = re.compile(r"[A-Za-z]:\\|\\\\")
_REMEDY = "Write it without quotes, in single quotes, or with / in place of \\"
_REMEDY_UNQUOTED = "Write it without quotes, or with / in place of \\"

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class Entry:
    """One setting. `written` is the value as in the file, with its quotes; `value` is what python-dotenv
    reads. `line` counts from 1."""

    name: str
    value: str
    written: str
    line: int


def read_env_file(path: Path) -> dict[str, Entry]:
    """The entries by name; empty if there is no file. If a name occurs twice, the last one wins.

    Blocks. Raises SettingsError if any part of the file cannot be read.
    """
    text = _decode(_read(path))
    entries: dict[str, Entry] = {}
    unreadable = []
    for binding in parse_stream(io.StringIO(text, newline="")):
        line = _line(binding)
        if binding.error or (binding.key is not None and binding.value is None):
            unreadable.append(line)
        elif binding.key is not None and binding.value is not None:
            if binding.key in entries:
                log.warning(
                    "AvatarForge: %s stands in lines %d and %d of .env; the latter counts",
                    shown_name(binding.key),
                    entries[binding.key].line,
                    line,
                )
            entries[binding.key] = Entry(binding.key, binding.value, _written(binding), line)
    if unreadable:
        raise _unusable(f"{_lines(unreadable)} cannot be read; a line must be NAME=value, with closed quotes")
    return entries


def fault_of(entry: Entry) -> str | None:
    """Why the value is probably not what its author meant, and the remedy; None if it is fine."""
    quoted = entry.written[:1] in ("'", '"')
    escapes = entry.written.startswith('"') and "\\" in entry.written
    if "\n" in entry.written or "\r" in entry.written:
        return "its quotes are closed in a later line. Close them in the line in which they open"
    if escapes and control_character(entry.value):
        return f"inside double quotes a backslash and a letter stand for a control character. {_REMEDY}"
    if quoted and _WINDOWS_PATH.match(entry.written[1:]) and _loses_backslashes(entry.written[1:-1]):
        return (
            f"inside quotes \\\\ stands for one backslash, and \\' and \\\" for the quote. {_REMEDY_UNQUOTED}"
        )
    return None


def control_character(value: str) -> str | None:
    """The first control character in a text; None if there is none."""
    return next((char for char in value if char < " " or "\x7f" <= char <= "\x9f"), None)


def shown_name(name: str) -> str:
    """A name for the log: the text before a `=` can be long or unprintable."""
    return name if re.fullmatch(r"\w{1,80}", name, re.ASCII) else repr(name[:80])


def _loses_backslashes(inside: str) -> bool:
    r"""Whether decoding escapes changes a Windows path. `C:\\a` stays the same path."""
    share = re.match(r"\\+", inside)
    return bool(re.search(r"(?<!\\)(?:\\\\)*\\['\"]", inside)) or (share is not None and len(share[0]) < 4)


def _read(path: Path) -> bytes:
    """The bytes of the file; empty if it does not exist."""
    try:
        if not path.is_symlink() and not path.exists():
            if path.with_name(f"{NAME}.txt").exists():  # Windows hides the extension
                log.warning("AvatarForge: %s.txt has no effect; its name must be %s", NAME, NAME)
            return b""
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe could block forever
            raise _unusable("it is no file")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise _unusable(error.strerror or type(error).__name__) from error
    if len(data) > LARGEST:
        raise _unusable(f"it is larger than {LARGEST // 1024} KiB")
    return data


def _decode(data: bytes) -> str:
    # UTF-16 has a NUL byte in every line end and every ASCII letter, with or without a byte order mark.
    if data.startswith(_UTF16_MARKS) or data.count(0) * 4 > len(data):
        raise _unusable("it is saved as UTF-16. Save it as UTF-8")
    if b"\0" in data:
        raise _unusable(f"line {_line_at(data, data.index(0))} holds a NUL byte. Save it as text, in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unusable(f"line {_line_at(data, error.start)} is not in UTF-8. Save it as UTF-8") from error


def _line_at(data: bytes, offset: int) -> int:
    before = data[:offset]
    return 1 + len(re.findall(rb"\r\n|\r|\n", before))


def _line(binding: Binding) -> int:
    """The line of the name: python-dotenv includes the empty lines before it."""
    text = binding.original.string
    blank = text[: len(text) - len(text.lstrip())]
    return binding.original.line + len(re.findall(r"\r\n|\r|\n", blank))


def _written(binding: Binding) -> str:
    text = binding.original.string.partition("=")[2].strip()
    quoted = _QUOTED.match(text)
    return quoted[1] if quoted else binding.value or ""


def _lines(numbers: Iterable[int]) -> str:
    lines = [str(number) for number in numbers]
    more = f" and {len(lines) - MOST_LINES} more" if len(lines) > MOST_LINES else ""
    return f"line{'s' if len(lines) > 1 else ''} {', '.join(lines[:MOST_LINES])}{more}"


def _unusable(reason: str) -> SettingsError:
    return SettingsError(f"The file {NAME} cannot be read: {reason}.")
