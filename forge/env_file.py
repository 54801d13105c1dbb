"""The pack's `.env`, as people write it: also with Notepad, PowerShell and cmd.exe.

python-dotenv passes over what it cannot read, decodes escapes that nobody meant, and reads UTF-8 alone. A
setting that is lost that way may be the API key, so that everything doubtful is refused here by its line.

Only python-dotenv's parser, which it does not document, gives lines and errors. Seen in 1.0 to 1.2;
`tests/unit/test_library_internals.py` tells when it changes.
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
LARGEST = 256 * 1024  # bytes; all settings at their longest take a tenth
MOST_LINES = 10  # that one sentence names
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_QUOTED = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""", re.DOTALL)
_WINDOWS_PATH = re.compile(r"[A-Za-z]:\\|\\\\")
_REMEDY = "Write it without quotes, in single quotes, or with / in place of \\"
_REMEDY_UNQUOTED = "Write it without quotes, or with / in place of \\"

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class Entry:
    """One value. `written`: as it stands in the file, quotes included; `value`: what python-dotenv makes of
    that. `line` counts from 1."""

    name: str
    value: str
    written: str
    line: int


def read_env_file(path: Path) -> dict[str, Entry]:
    """The entries by name; none when there is no file. Of a name that stands there twice the last one counts.

    Blocks. Raises SettingsError for a file that cannot be read whole.
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
    """Why the value is not what its author meant, and the remedy; None when nothing is wrong with it."""
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
    """The first control character in a text; None when there is none."""
    return next((one for one in value if one < " " or "\x7f" <= one <= "\x9f"), None)


def shown_name(name: str) -> str:
    """A name for the log: whatever stands in front of a `=` can be long, or no text at all."""
    return name if re.fullmatch(r"\w{1,80}", name, re.ASCII) else repr(name[:80])


def _loses_backslashes(inside: str) -> bool:
    r"""Whether a Windows path is another one once its escapes are decoded. `C:\\a` is still the same one."""
    share = re.match(r"\\+", inside)
    return bool(re.search(r"(?<!\\)(?:\\\\)*\\['\"]", inside)) or (share is not None and len(share[0]) < 4)


def _read(path: Path) -> bytes:
    """The bytes of the file; none when nothing has its name."""
    try:
        if not path.is_symlink() and not path.exists():
            if path.with_name(f"{NAME}.txt").exists():  # Windows hides the ending
                log.warning("AvatarForge: %s.txt has no effect; its name must be %s", NAME, NAME)
            return b""
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait for ever
            raise _unusable("it is no file")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise _unusable(error.strerror or type(error).__name__) from error
    if len(data) > LARGEST:
        raise _unusable(f"it is larger than {LARGEST // 1024} KiB")
    return data


def _decode(data: bytes) -> str:
    # Text in UTF-16 has a NUL in every line end and beside every ASCII letter, with or without a mark.
    if data.startswith(_UTF16_MARKS) or data.count(0) * 4 > len(data):
        raise _unusable("it is saved as UTF-16. Save it as UTF-8")
    if b"\0" in data:
        raise _unusable(f"line {_line_at(data, data.index(0))} holds a NUL byte. Save it as text, in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unusable(f"line {_line_at(data, error.start)} is not in UTF-8. Save it as UTF-8") from error


def _line_at(data: bytes, place: int) -> int:
    before = data[:place]
    return 1 + len(re.findall(rb"\r\n|\r|\n", before))


def _line(binding: Binding) -> int:
    """The line of the name: python-dotenv counts the empty lines before it to it."""
    text = binding.original.string
    blank = text[: len(text) - len(text.lstrip())]
    return binding.original.line + len(re.findall(r"\r\n|\r|\n", blank))


def _written(binding: Binding) -> str:
    text = binding.original.string.partition("=")[2].strip()
    quoted = _QUOTED.match(text)
    return quoted[1] if quoted else binding.value or ""


def _lines(numbers: Iterable[int]) -> str:
    every = [str(number) for number in numbers]
    named = every[:MOST_LINES]
    more = f" and {len(every) - MOST_LINES} more" if len(every) > MOST_LINES else ""
    return f"line{'s' if len(every) > 1 else ''} {', '.join(named)}{more}"


def _unusable(reason: str) -> SettingsError:
    return SettingsError(f"The file {NAME} cannot be read: {reason}.")
