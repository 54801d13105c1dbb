"""Sends requests that no client library would: endless, truncated, or with a wrong length."""

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
    """Open a connection to ``server``, a URL on this machine."""
    parts = urlsplit(server)
    return socket.create_connection((parts.hostname, parts.port), timeout=60)


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", "")).encode()


def chunked(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """Encode the pieces with Transfer-Encoding: chunked (RFC 9112 7.1)."""
    for piece in pieces:
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"


def exchange(server: str, pieces: Iterable[bytes]) -> tuple[int, bytes]:
    """Send the pieces until the server stops reading. Returns status and body of its response."""
    with connect(server) as connection:
        with contextlib.suppress(ConnectionError, TimeoutError):
            for piece in pieces:
                connection.sendall(piece)
        return answer(connection)


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """Read one response and return its status and body. Raises ConnectionError if there is none."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError(f"no response, but {data[:200]!r}")
        data += more
    header, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in header.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        more = connection.recv(65536)
        if not more:
            break
        body += more
    return int(header.split()[1]), body


def abort(connection: socket.socket) -> None:
    """Close the connection as a crashing client does, with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
