"""Requests that no client library makes: endless, cut off, or with a length that is a lie."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterable
from urllib.parse import urlsplit

BOUNDARY = "b"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
START = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'.encode()
END = f"\r\n--{BOUNDARY}--\r\n".encode()


def connect(server: str) -> socket.socket:
    """A connection to ``server``, a URL of this machine."""
    parts = urlsplit(server)
    return socket.create_connection((parts.hostname, parts.port), timeout=60)


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", "")).encode()


def chunked(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """Transfer-Encoding: chunked (RFC 9112 7.1)."""
    for piece in pieces:
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"


def exchange(server: str, sent: Iterable[bytes]) -> tuple[int, bytes]:
    """Send the pieces until all are out or the server has had enough; the status and body of its answer."""
    with connect(server) as link:
        with contextlib.suppress(ConnectionError, TimeoutError):
            for piece in sent:
                link.sendall(piece)
        return answer(link)


def answer(link: socket.socket) -> tuple[int, bytes]:
    """Read one answer. Raises ConnectionError when there is none."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = link.recv(65536)
        if not more:
            raise ConnectionError(f"no answer, but {data[:200]!r}")
        data += more
    top, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in top.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        more = link.recv(65536)
        if not more:
            break
        body += more
    return int(top.split()[1]), body


def abort(link: socket.socket) -> None:
    """Break the connection off, as a client that crashes does: RST in place of FIN."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()
