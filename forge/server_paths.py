"""Removes the folders of paths on the server's disk from messages of other code.

A node, a driver or the operating system may put a path into its message in any form. A client needs the name
of the file, and must not learn the folders. If it is unclear where a path ends (a path with spaces and
without quotes), it is better to remove a word too many than to leave a folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

FOLDER = "(folder)"  # replaces a path that names a folder and no file
_LONGEST_QUOTED = 4096  # characters
_MOST_WORDS = 8  # in the name of one folder

_SEP = r"(?:[\\/]|%2[Ff]|%5[Cc])+"
# In a POSIX path a backslash is a separator only if it escapes nothing: `\ ` is a space, and `\n` before a
# capital letter is a line break in a repr.
_POSIX_SEP = r"(?:\\?/|%2[Ff]|%5[Cc]|\\(?=\w)(?![nrt](?:[A-Z]|\W|$)))+"
_DRIVE = r"[A-Za-z](?::|%3[Aa])"
# No quotes or line breaks, and an apostrophe only within a word.
_CHAR = r"""[^\\/\n\r\t\0"`<>|“”„«»'%]|(?<=\w)'(?=\w)|%(?!2[Ff]|5[Cc])"""
_LONGEST_NAME = 255

# The start of a path. The order matters: alternatives that are no paths of this disk come first.
_START = re.compile(
    rf"""
      (?P<url>\b(?!file:|sqlite)[A-Za-z][A-Za-z0-9+.-]{{1,20}}://[^\s/\\?\#"'<>`][^\s?\#"'<>`]*)
    | (?P<quote>(?:(?<!\w)|(?<=\b[bBrRuUfF]))['"`“\u2018„«])
    | (?P<database>\bsqlite(?:\+\w{{1,20}})?:///)
    | (?P<file>\bfile:(?={_SEP}))
    | (?P<long>(?<![\w\\/])\\{{2,}}[?.]\\+(?:UNC\\+)?)
    | (?P<share>(?<![\w\\/])\\{{2,}}(?=\w\w))
    | (?P<drive>(?<![A-Za-z0-9_]){_DRIVE}{_SEP}(?=\S))
    | (?P<home>(?<![\w~.\\/])~(?:[A-Za-z_][\w.-]{{0,31}})?[\\/]+)
    | (?P<variable>(?<![\w%])(?:\$\{{?[A-Za-z_]\w{{0,63}}\}}?|%[A-Za-z_]\w{{0,63}}%)[\\/]+)
    | (?P<relative>(?<![\w.\\/])\.{{1,3}}[\\/]+(?=[\w.(-]))
    | (?P<backslash>(?<![\w.:)\]}}\\/])\\(?=\w\w))
    | (?P<root>(?:(?<![\w.)\]}}*%\\/<~$-])|(?<=\s-[A-Za-z]))(?:\\?/)+(?=[^\s\\/<]))
    | (?P<encoded>(?<![\w%])(?:%2[Ff]|%5[Cc])+)
    """,
    re.VERBOSE,
)
# Starts that are a path only if a folder follows: "/health", "\alpha" and "\\d+" are left alone.
_NEEDS_FOLDER = frozenset({"root", "backslash", "encoded", "share", "database"})
_CLOSING = {"“": "”", "\u2018": "\u2019", "„": "“", "«": "»"}
_WINDOWS = (re.compile(_SEP), re.compile(rf"((?:{_CHAR}){{1,{_LONGEST_NAME}}})({_SEP})"))
_POSIX = (
    re.compile(_POSIX_SEP),
    re.compile(rf"((?:{_CHAR}|(?!{_POSIX_SEP})\\'?){{1,{_LONGEST_NAME}}})({_POSIX_SEP})"),
)
_WINDOWS_ROOT = re.compile(r"[A-Za-z](?::|%3[Aa])|\\\\")
_NO_PATH = re.compile(r"\n|://")  # quoted text with one of these is not a single path
_ANY_SEP = re.compile(_SEP)
_ANY_DRIVE = re.compile(_DRIVE + _SEP)
# No file name can follow here.
_NOTHING = re.compile(r"""$|[\s"'`,;:)\]}>”\u2019»]|\.(?:\s|$)""")
_LAST_NAME = re.compile(r"[\w@-]+(?:\.[\w@-]+)*")
_HOMES = frozenset({"home", "users"})  # its subfolders are names of users

_KINDS = (
    r"\.(?:safetensors|sft|ckpt|pth?|pt2|bin|gguf|onnx|pkl|png|jpe?g|webp|gif|bmp|tiff?|exr|svg|mp[34]|webm|wav|flac"
    r"|json|ya?ml|toml|cfg|ini|csv|txt|md|html?|log|pyc?|pyd|so|dll|dylib|exe|sh|bat|db|sqlite|zip|np[yz]|lock|tmp"
    r"|part)"
)
_FILE_NAME = re.compile(_KINDS + "$", re.IGNORECASE)
# Shows that a path has ended: a known file extension and a space, or punctuation.
_PROSE = re.compile(rf"[,;:]\s|\w{{4,}}[.!?]\s|{_KINDS}\s", re.IGNORECASE)
# Words with a slash that are no paths, at the end of a name with spaces.
_SLASHED = re.compile(
    r"\s(?:and/or|n/a|w/o|he/she|his/her|yes/no|true/false|on/off|\d+/\d+(?![\w./\\])"
    r"|(?:image|text|application)/(?:png|jpeg|webp|gif|plain|html|json|octet-stream))(?!\w)",
    re.IGNORECASE,
)


def without_folders(message: str, known: Iterable[str] = ()) -> str:
    """The message with every path of the server reduced to the name of its file.

    `known` are folders of the server, as its operating system writes them. They are always found, other paths
    only by their form. Paths relative to a folder that clients cannot see ("sub/a.pt", as loader nodes name
    models) are kept, and so are URLs with schemes other than `file:`.
    """
    folders = _known_folders(tuple(known))
    parts: list[str] = []
    at = 0
    own = folders.search(message)
    while True:
        found = _START.search(message, at)
        if own is not None and own.start() < at:
            own = folders.search(message, at)
        first = own if own and (found is None or own.start() <= found.start()) else found
        if first is None:
            return "".join([*parts, message[at:]])
        parts.append(message[at : first.start()])
        if first.lastgroup == "url":
            kept, at = first.group(), first.end()
        elif first.lastgroup == "quote":
            kept, at = _cut_quoted(message, first, folders)
        else:
            kept, at = _cut(message, _begin(message, first, folders), None)
        parts.append(kept)


def _cut_quoted(text: str, quote: re.Match[str], known: re.Pattern[str]) -> tuple[str, int]:
    """(replacement, position to continue at) for an opening quote: the closing quote shows where the path
    ends."""
    found = known.match(text, quote.end()) or _START.match(text, quote.end())
    if found is None or found.lastgroup in ("url", "quote"):
        return quote.group(), quote.end()
    escaped = text[quote.start() - 1 : quote.start()] == "\\"
    mark = _CLOSING.get(quote.group(), quote.group())
    closing = re.compile((r"\\" if escaped else "") + re.escape(mark) + r"(?!\w)")
    begin = _begin(text, found, known)
    end = closing.search(text, begin.at, begin.at + _LONGEST_QUOTED)
    if end is None or _NO_PATH.search(text[begin.at : end.start()]):
        kept, at = _cut(text, begin, None)
    else:
        kept, at = _cut(text, begin, end.start())
    return quote.group() + kept, at


@dataclass(frozen=True)
class _Begin:
    """The start of a path. `at` is where its first name begins that is not known to be a folder; `folders` is
    the number of known folders before it. `ended`: the path is a known folder itself. `kept` stays before the
    path."""

    kind: str
    start: int
    at: int
    folders: int
    windows: bool
    kept: str = ""
    on_share: bool = False
    ended: bool = False


def _begin(text: str, found: re.Match[str], known: re.Pattern[str]) -> _Begin:
    kind, written = found.lastgroup or "own", found.group()
    at = found.end()
    if kind in ("file", "long", "database") and (separator := _ANY_SEP.match(text, at)):
        at = separator.end()
    own = found if kind == "own" else None
    for place in () if own else (found.start(), found.end(), at):
        own = own or known.match(text, place)
    kept = written if kind == "database" else ""
    if own is not None:
        windows = bool(_WINDOWS_ROOT.match(own.group()))
        separator = _ANY_SEP.match(text, own.end())
        at = separator.end() if separator else own.end()
        return _Begin("own", found.start(), at, 2, windows, kept, ended=separator is None)
    drive = _ANY_DRIVE.match(text, at) if kind in ("file", "long", "database") else None
    windows = bool(drive) or kind in ("drive", "long", "share") or "\\" in written.replace("\\/", "")
    on_share = kind == "share" or "UNC" in written
    return _Begin(kind, found.start(), drive.end() if drive else at, 0, windows, kept, on_share)


def _cut(text: str, begin: _Begin, end: int | None) -> tuple[str, int]:
    """(replacement, position to continue at) for a path. `end` is where it ends, or None to find that from
    the text."""
    if begin.ended:
        return begin.kept + FOLDER, begin.at
    at, names = begin.at, [""] * begin.folders
    separators, folder = _WINDOWS if begin.windows else _POSIX
    if end is not None:
        for separator in separators.finditer(text, at, end):
            names.append(text[at : separator.start()])
            at = separator.end()
    else:
        while (step := folder.match(text, at)) and _is_folder(step):
            names.append(step.group(1))
            at = step.end()
    if not names and begin.kind in _NEEDS_FOLDER:
        return text[begin.start : at], at
    if at == end or (end is None and _NOTHING.match(text, at)):
        return (begin.kept + FOLDER if names else text[begin.start : at]), at
    in_homes = begin.kind != "relative" and names and names[0].lower() in _HOMES
    if len(names) == 1 and (begin.on_share or in_homes):
        last = _LAST_NAME.match(text, at)
        if last and not _FILE_NAME.search(last.group()):
            return begin.kept + FOLDER, end or last.end()
    return begin.kept, at


def _is_folder(step: re.Match[str]) -> bool:
    """Whether the text before the separator is the name of a folder, and not the end of a path and words
    after it."""
    name = step.group(1)
    if name[0].isspace() or name[-1].isspace() or name[-1] in ",;:=([{":
        return False
    if _PROSE.search(name) or len(name.split()) > _MOST_WORDS:
        return False
    last_word = re.search(r"\s\S+$", name)
    return last_word is None or not _SLASHED.match(step.string, step.start() + last_word.start())


@lru_cache(maxsize=8)
def _known_folders(folders: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern for any of these folders in every spelling; the longest first."""
    patterns = [_folder_pattern(folder) for folder in sorted(folders, key=len, reverse=True)]
    alternatives = "|".join(pattern for pattern in patterns if pattern) or r"(?!)"
    return re.compile(rf"(?:{alternatives})(?![\w-]|\.\w)")


def _folder_pattern(folder: str) -> str:
    windows = bool(_WINDOWS_ROOT.match(folder))
    names = [name for name in re.split(r"[\\/]+" if windows else "/+", folder) if name]
    if not names or (windows and len(names) == 1):
        return ""  # the root itself
    # A few separators with none before them, so that a long run of separators is scanned only once.
    separator = r"(?:[\\/]|%2[Ff]|%5[Cc]){1,8}" if windows else r"(?:\\?/|%2[Ff]){1,8}"
    pattern = separator.join("".join(map(_character_pattern, name)) for name in names)
    if windows and names[0][1:] == ":":
        return rf"(?<!\w)(?i:{pattern})"  # Windows paths are case-insensitive
    return rf"(?<![\w.\\/]){separator}{pattern}"


def _character_pattern(character: str) -> str:
    plain = re.escape(character)
    if character.isascii() and (character.isalnum() or character in "._-"):
        return plain
    encoded = "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
    return rf"(?:\\?{plain}|(?i:{encoded}))"
