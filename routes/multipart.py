"""multipart/form-data as a stream, bounded in every direction (RFC 2046 section 5.1, RFC 7578).

aiohttp's reader bounds neither preamble nor number of parts, unpacks parts, reads nested forms, and
answers some broken ones with an error of its own inside.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from email.message import Message
from urllib.parse import unquote

from .reading import BodyReader

#: Bytes before the first boundary, and after the last one. No client of today sends any.
MAX_AROUND = 4096
MAX_PART_HEADERS = 16
MAX_HEADER_BYTES = 8192
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PARAMETER = re.compile(
    r"""[ \t]*(?P<name>[^\s=;"]+)[ \t]*=[ \t]*(?P<value>"(?:[^"\\]|\\.)*"|[^\s;"]*)[ \t]*(?:;|$)"""
)
# Browsers send a backslash of a file name as it is.
_ESCAPED = re.compile(r"""\\(["\\])""")
_PLAIN = ("binary", "8bit", "7bit")


class BrokenForm(ValueError):
    """The body is no form that is read here; the message goes on after "the form ..."."""


@dataclass(frozen=True)
class Part:
    """What the headers of a part say; None where they do not."""

    name: str | None
    filename: str | None


def boundary_of(content_types: Sequence[str]) -> bytes | None:
    """The boundary that the Content-Type of a form names; None when it is no form.

    Raises BrokenForm for a boundary that is missing, doubled, or not as RFC 2046 wants it: 1 to 70 certain
    characters, in quotation marks or not.
    """
    if len(content_types) != 1:
        return None
    header = Message()
    header["Content-Type"] = content_types[0]
    if header.get_content_type() != "multipart/form-data":
        return None
    given = [value for name, value in header.get_params([]) if name.lower() == "boundary"]
    # An extended value (RFC 2231) is a tuple; a boundary has no use for one.
    if len(given) != 1 or not isinstance(given[0], str) or not _BOUNDARY.fullmatch(given[0]):
        raise BrokenForm("needs one boundary of 1 to 70 plain characters in its Content-Type")
    return given[0].encode("ascii")


class FormReader:
    """The parts of a form, one after another: `next_part`, then its `data` to the end, then `next_part`."""

    def __init__(self, body: BodyReader, boundary: bytes) -> None:
        self._body = body
        self._delimiter = b"\r\n--" + boundary
        # The first boundary may stand at the very start; with a line end before it, it is like the others.
        self._held = b"\r\n"
        self._begun = False

    async def next_part(self) -> Part | None:
        """The headers of the next part; None after the last one, when the whole body has been read.

        Raises BrokenForm.
        """
        if not self._begun:
            await self._until(self._delimiter, MAX_AROUND, "has too much before its first boundary")
            self._begun = True
        while len(self._held) < 2:
            await self._more()
        if self._held.startswith(b"--"):
            await self._end()
            return None
        block = await self._until(b"\r\n\r\n", MAX_HEADER_BYTES, "has a part with too long headers")
        padding, *lines = block.split(b"\r\n")
        if padding.strip(b" \t"):
            raise BrokenForm("has something else where a boundary must end")
        return read_part_headers(lines)

    async def data(self) -> AsyncIterator[bytes]:
        """The bytes of the part, as they come. Raises BrokenForm when the body ends before the part does."""
        while (at := self._held.find(self._delimiter)) < 0:
            ready = _undecided(self._held, self._delimiter)
            if ready:
                yield self._held[:ready]  # mostly all of it, which is no copy
            self._held = self._held[ready:]
            await self._more()
        if at:
            yield self._held[:at]
        self._held = self._held[at + len(self._delimiter) :]

    async def _more(self) -> None:
        data = await self._body.read()
        if not data:
            raise BrokenForm("ends before its last boundary")
        self._held += data

    async def _until(self, mark: bytes, limit: int, complaint: str) -> bytes:
        """What stands before `mark`, which is taken too; at most `limit` bytes."""
        start = 0
        while (at := self._held.find(mark, start, limit + len(mark))) < 0:
            if len(self._held) >= limit + len(mark):
                raise BrokenForm(complaint)
            start = max(0, len(self._held) - len(mark) + 1)
            await self._more()
        found = self._held[:at]
        self._held = self._held[at + len(mark) :]
        return found

    async def _end(self) -> None:
        left = MAX_AROUND - len(self._held)
        while left >= 0:
            data = await self._body.read()
            if not data:
                return
            left -= len(data)
        raise BrokenForm("has too much after its last boundary")


def _undecided(data: bytes, delimiter: bytes) -> int:
    """Where in `data` a delimiter begins that only the next bytes can complete; its length for nowhere."""
    at = data.find(delimiter[:1], max(0, len(data) - len(delimiter) + 1))
    while at >= 0 and not delimiter.startswith(data[at:]):
        at = data.find(delimiter[:1], at + 1)
    return at if at >= 0 else len(data)


def read_part_headers(lines: Sequence[bytes]) -> Part:
    """What the header lines of a part say, without their line ends. Raises BrokenForm."""
    if len(lines) > MAX_PART_HEADERS:
        raise BrokenForm("has a part with too many headers")
    headers: dict[str, str] = {}
    for line in lines:
        # Browsers send names in UTF-8. What is in another encoding loses letters, not the picture.
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if not colon or not _TOKEN.fullmatch(name) or any(ord(letter) < 32 for letter in value.strip()):
            raise BrokenForm("has a part with a broken header")
        if headers.setdefault(name.lower(), value.strip()) != value.strip():
            raise BrokenForm("has a part with a header given twice")
    if headers.get("content-type", "").lower().startswith("multipart/"):
        raise BrokenForm("has another form in it")
    if headers.get("content-transfer-encoding", "binary").lower() not in _PLAIN:
        raise BrokenForm("has a part with a Content-Transfer-Encoding; send the bytes as they are")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise BrokenForm("has a part with a Content-Encoding; send the bytes as they are")
    given = _parameters(headers.get("content-disposition", ""))
    return Part(given.get("name"), given.get("filename"))


def _parameters(disposition: str) -> dict[str, str]:
    """The parameters of a Content-Disposition of form-data, lower case names to values.

    `name*` (RFC 5987), which older programs send for names that are not ASCII, counts as `name` and goes
    before it. aiohttp's own parser warns with the client's words, which would fill ComfyUI's log.
    """
    kind, _, rest = disposition.partition(";")
    if kind.strip().lower() != "form-data":
        raise BrokenForm("has a part without a Content-Disposition of form-data")
    rest = rest.strip("; \t")
    found: dict[str, str] = {}
    at = 0
    while at < len(rest):
        match = _PARAMETER.match(rest, at)
        if match is None or match["name"].lower() in found:
            raise BrokenForm("has a part with a broken Content-Disposition")
        value = match["value"]
        found[match["name"].lower()] = _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
        at = match.end()
    for name, value in list(found.items()):
        encoding, _, encoded = value.partition("''")
        if name.endswith("*") and encoding.lower() == "utf-8":
            found[name[:-1]] = unquote(encoded)
    return found
