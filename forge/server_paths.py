"""Cuts paths of the server's disk out of texts that other people's code wrote.

A node, a driver or the operating system puts a path into its message as it likes. A client needs the file's
name to find the file, and must not learn the folders. Where a text leaves open where a path ends (a path
with spaces and no quotes), a word too many is cut rather than a folder left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

FOLDER = "(folder)"  # stands for a path that names a folder and no file
_LONGEST_QUOTED = 4096  # characters
_MOST_WORDS = 8  # in the name of one folder

_SEP = r"(?:[\\/]|%2[Ff]|%5[Cc])+"
# In a POSIX path a backslash separates only where it escapes nothing: `\ ` is a space, `\n` before a capital
# letter is a line break in a repr.
_POSIX_SEP = r"(?:\\?/|%2[Ff]|%5[Cc]|\\(?=\w)(?![nrt](?:[A-Z]|\W|$)))+"
_DRIVE = r"[A-Za-z](?::|%3[Aa])"
# Neither a quote nor a line break, and an apostrophe only within a word.
_CHAR = r"""[^\\/\n\r\t\0"`<>|“”„«»'%]|(?<=\w)'(?=\w)|%(?!2[Ff]|5[Cc])"""
_LONGEST_NAME = 255

# Where a path begins. The order matters: what is no path of this disk comes first.
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
# One name and all that follow is left alone: "/health", "\alpha", "\\d+".
_NEEDS_FOLDER = frozenset({"root", "backslash", "encoded", "share", "database"})
_CLOSING = {"“": "”", "\u2018": "\u2019", "„": "“", "«": "»"}
_WINDOWS = (re.compile(_SEP), re.compile(rf"((?:{_CHAR}){{1,{_LONGEST_NAME}}})({_SEP})"))
_POSIX = (
    re.compile(_POSIX_SEP),
    re.compile(rf"((?:{_CHAR}|(?!{_POSIX_SEP})\\'?){{1,{_LONGEST_NAME}}})({_POSIX_SEP})"),
)
_WINDOWS_ROOT = re.compile(r"[A-Za-z](?::|%3[Aa])|\\\\")
_NO_PATH = re.compile(r"\n|://")  # in quotes: more than one path is quoted
_ANY_SEP = re.compile(_SEP)
_ANY_DRIVE = re.compile(_DRIVE + _SEP)
# Nothing follows that could be a file's name.
_NOTHING = re.compile(r"""$|[\s"'`,;:)\]}>”\u2019»]|\.(?:\s|$)""")
_LAST_NAME = re.compile(r"[\w@-]+(?:\.[\w@-]+)*")
_HOMES = frozenset({"home", "users"})  # what lies in it is called as a person is

_KINDS = (
    r"\.(?:safetensors|sft|ckpt|pth?|pt2|bin|gguf|onnx|pkl|png|jpe?g|webp|gif|bmp|tiff?|exr|svg|mp[34]|webm|wav|flac"
    r"|json|ya?ml|toml|cfg|ini|csv|txt|md|html?|log|pyc?|pyd|so|dll|dylib|exe|sh|bat|db|sqlite|zip|np[yz]|lock|tmp"
    r"|part)"
)
_FILE_NAME = re.compile(_KINDS + "$", re.IGNORECASE)
# A path that has ended: a known kind of file, then a space; or the mark of a sentence.
_PROSE = re.compile(rf"[,;:]\s|\w{{4,}}[.!?]\s|{_KINDS}\s", re.IGNORECASE)
# What has a slash and is no path, at the end of a name with spaces.
_SLASHED = re.compile(
    r"\s(?:and/or|n/a|w/o|he/she|his/her|yes/no|true/false|on/off|\d+/\d+(?![\w./\\])"
    r"|(?:image|text|application)/(?:png|jpeg|webp|gif|plain|html|json|octet-stream))(?!\w)",
    re.IGNORECASE,
)


def without_folders(message: str, known: Iterable[str] = ()) -> str:
    """The message with every path of the server cut to the name of its file.

    `known` are folders of the server, as its operating system writes them. They are found whatever they are
    called; other paths by their shape. What is relative to a folder that the client cannot see ("sub/a.pt",
    as loader nodes name models) stays, and so do URLs of other schemes than `file:`.
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
    """(what to write, where to go on), where a quote is opened: in quotes it is clear where a path ends."""
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
    """Where a path begins, and where its first name that is not known to be a folder begins (`at`), after
    so many known `folders`. `ended`: the path is one of the known folders. `kept` stays before the path."""

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
    """(what to write, where to go on) for a path. `end` is where it ends, if that is known; else it is read
    off the text."""
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
    """Whether what stands before the separator is the name of a folder, rather than the end of a path and
    words after it."""
    name = step.group(1)
    if name[0].isspace() or name[-1].isspace() or name[-1] in ",;:=([{":
        return False
    if _PROSE.search(name) or len(name.split()) > _MOST_WORDS:
        return False
    last_word = re.search(r"\s\S+$", name)
    return last_word is None or not _SLASHED.match(step.string, step.start() + last_word.start())


@lru_cache(maxsize=8)
def _known_folders(folders: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern for any of them, however it is written; the longest first."""
    patterns = [_folder_pattern(folder) for folder in sorted(folders, key=len, reverse=True)]
    wanted = "|".join(pattern for pattern in patterns if pattern) or r"(?!)"
    return re.compile(rf"(?:{wanted})(?![\w-]|\.\w)")


def _folder_pattern(folder: str) -> str:
    windows = bool(_WINDOWS_ROOT.match(folder))
    names = [name for name in re.split(r"[\\/]+" if windows else "/+", folder) if name]
    if not names or (windows and len(names) == 1):
        return ""  # the root itself
    # Few of them, and none before: a long run of separators is looked at once.
    separator = r"(?:[\\/]|%2[Ff]|%5[Cc]){1,8}" if windows else r"(?:\\?/|%2[Ff]){1,8}"
    pattern = separator.join("".join(map(_character_pattern, name)) for name in names)
    if windows and names[0][1:] == ":":
        return rf"(?<!\w)(?i:{pattern})"  # Windows takes no notice of upper and lower case
    return rf"(?<![\w.\\/]){separator}{pattern}"


def _character_pattern(character: str) -> str:
    plain = re.escape(character)
    if character.isascii() and (character.isalnum() or character in "._-"):
        return plain
    encoded = "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
    return rf"(?:\\?{plain}|(?i:{encoded}))"
