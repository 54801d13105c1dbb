"""Reads multipart/form-data as a stream, with limits on everything (RFC 2046 section 5.1, RFC 7578).

aiohttp's reader has no limit for the preamble or the number of parts, decodes parts, reads nested forms, and
fails with internal errors on some broken forms.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from email.message import Message
from urllib.parse import unquote

from .reading import BodyReader

#: Limit for the bytes before the first boundary and after the last one. No current client sends any.
MAX_AROUND = 4096
MAX_PART_HEADERS = 16
MAX_HEADER_BYTES = 8192
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PARAMETER = re.compile(
    r"""[ \t]*(?P<name>[^\s=;"]+)[ \t]*=[ \t]*(?P<value>"(?:[^"\\]|\\.)*"|[^\s;"]*)[ \t]*(?:;|$)"""
)
# Only these escapes are decoded, because browsers send other backslashes of a file name unescaped.
_ESCAPED = re.compile(r"""\\(["\\])""")
_PLAIN = ("binary", "8bit", "7bit")


class BrokenForm(ValueError):
    """The body is not a supported form. The message continues "the form ..."."""


@dataclass(frozen=True)
class Part:
    """The headers of a part. A value is None if it is missing."""

    name: str | None
    filename: str | None


def boundary_of(content_types: Sequence[str]) -> bytes | None:
    """The boundary from the Content-Type of a form; None if it is not a form.

    Raises BrokenForm for a boundary that is missing, repeated or invalid by RFC 2046: 1 to 70 of certain
    characters, quoted or not.
    """
    if len(content_types) != 1:
        return None
    header = Message()
    header["Content-Type"] = content_types[0]
    if header.get_content_type() != "multipart/form-data":
        return None
    boundaries = [value for name, value in header.get_params([]) if name.lower() == "boundary"]
    # An extended value (RFC 2231) is a tuple, which no client needs for a boundary.
    if len(boundaries) != 1 or not isinstance(boundaries[0], str) or not _BOUNDARY.fullmatch(boundaries[0]):
        raise BrokenForm("needs one boundary of 1 to 70 plain characters in its Content-Type")
    return boundaries[0].encode("ascii")


class FormReader:
    """The parts of a form in order. Call `next_part`, read its `data` to the end, then call `next_part`
    again."""

    def __init__(self, body: BodyReader, boundary: bytes) -> None:
        self._body = body
        self._delimiter = b"\r\n--" + boundary
        # The first boundary may be at the very start. The added line end makes it match like the others.
        self._buffer = b"\r\n"
        self._started = False

    async def next_part(self) -> Part | None:
        """The headers of the next part; None after the last one and the end of the body. Raises
        BrokenForm."""
        if not self._started:
            await self._read_until(self._delimiter, MAX_AROUND, "has too much before its first boundary")
            self._started = True
        while len(self._buffer) < 2:
            await self._read_more()
        if self._buffer.startswith(b"--"):
            await self._read_epilogue()
            return None
        block = await self._read_until(b"\r\n\r\n", MAX_HEADER_BYTES, "has a part with too long headers")
        padding, *lines = block.split(b"\r\n")
        if padding.strip(b" \t"):
            raise BrokenForm("has something else where a boundary must end")
        return read_part_headers(lines)

    async def data(self) -> AsyncIterator[bytes]:
        """The bytes of the part, as they arrive. Raises BrokenForm if the body ends before the part does."""
        while (at := self._buffer.find(self._delimiter)) < 0:
            ready = _partial_delimiter(self._buffer, self._delimiter)
            if ready:
                yield self._buffer[:ready]  # usually all of it, which is not copied
            self._buffer = self._buffer[ready:]
            await self._read_more()
        if at:
            yield self._buffer[:at]
        self._buffer = self._buffer[at + len(self._delimiter) :]

    async def _read_more(self) -> None:
        data = await self._body.read()
        if not data:
            raise BrokenForm("ends before its last boundary")
        self._buffer += data

    async def _read_until(self, mark: bytes, limit: int, message: str) -> bytes:
        """Read up to and including `mark`; returns the at most `limit` bytes before it. Raises BrokenForm
        with `message`."""
        start = 0
        while (at := self._buffer.find(mark, start, limit + len(mark))) < 0:
            if len(self._buffer) >= limit + len(mark):
                raise BrokenForm(message)
            start = max(0, len(self._buffer) - len(mark) + 1)
            await self._read_more()
        data = self._buffer[:at]
        self._buffer = self._buffer[at + len(mark) :]
        return data

    async def _read_epilogue(self) -> None:
        remaining = MAX_AROUND - len(self._buffer)
        while remaining >= 0:
            data = await self._body.read()
            if not data:
                return
            remaining -= len(data)
        raise BrokenForm("has too much after its last boundary")


def _partial_delimiter(data: bytes, delimiter: bytes) -> int:
    """The offset of an incomplete delimiter at the end of `data`; the length of `data` if there is none."""
    at = data.find(delimiter[:1], max(0, len(data) - len(delimiter) + 1))
    while at >= 0 and not delimiter.startswith(data[at:]):
        at = data.find(delimiter[:1], at + 1)
    return at if at >= 0 else len(data)


def read_part_headers(lines: Sequence[bytes]) -> Part:
    """Parse the header lines of a part, given without their line ends. Raises BrokenForm."""
    if len(lines) > MAX_PART_HEADERS:
        raise BrokenForm("has a part with too many headers")
    headers: dict[str, str] = {}
    for line in lines:
        # Browsers send names in UTF-8. With another encoding, only letters of the name are lost.
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if not colon or not _TOKEN.fullmatch(name) or any(ord(char) < 32 for char in value.strip()):
            raise BrokenForm("has a part with a broken header")
        if headers.setdefault(name.lower(), value.strip()) != value.strip():
            raise BrokenForm("has a part with a header given twice")
    if headers.get("content-type", "").lower().startswith("multipart/"):
        raise BrokenForm("has another form in it")
    if headers.get("content-transfer-encoding", "binary").lower() not in _PLAIN:
        raise BrokenForm("has a part with a Content-Transfer-Encoding; send the bytes as they are")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise BrokenForm("has a part with a Content-Encoding; send the bytes as they are")
    parameters = _parameters(headers.get("content-disposition", ""))
    return Part(parameters.get("name"), parameters.get("filename"))


def _parameters(disposition: str) -> dict[str, str]:
    """The parameters of a form-data Content-Disposition: lower-case name -> value.

    `name*` (RFC 5987), which older clients send for non-ASCII names, counts as `name` and takes precedence.
    aiohttp's parser is not used, because it logs client input, which could fill ComfyUI's log.
    """
    kind, _, rest = disposition.partition(";")
    if kind.strip().lower() != "form-data":
        raise BrokenForm("has a part without a Content-Disposition of form-data")
    rest = rest.strip("; \t")
    parameters: dict[str, str] = {}
    at = 0
    while at < len(rest):
        match = _PARAMETER.match(rest, at)
        if match is None or match["name"].lower() in parameters:
            raise BrokenForm("has a part with a broken Content-Disposition")
        value = match["value"]
        parameters[match["name"].lower()] = (
            _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
        )
        at = match.end()
    for name, value in list(parameters.items()):
        encoding, _, encoded = value.partition("''")
        if name.endswith("*") and encoding.lower() == "utf-8":
            parameters[name[:-1]] = unquote(encoded)
    return parameters
