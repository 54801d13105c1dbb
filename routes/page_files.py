"""The files of the panel's page, compressed for browsers that take gzip: then a phone loads a quarter."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from .conditional import has_already


@dataclass(frozen=True)
class _Compressed:
    modified: int  # ns
    size: int  # bytes of the file
    content: bytes

    @property
    def tag(self) -> str:
        return f"{self.modified:x}-{self.size:x}-gzip"


class PageFiles:
    """Keeps what it has compressed until the file changes. The files are few and small: it needs no limit."""

    def __init__(self) -> None:
        self._kept: dict[Path, _Compressed] = {}

    async def answer(
        self, request: web.Request, path: Path, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """The file, with an ETag, or 304."""
        headers = {**headers, "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("Accept-Encoding", "").lower():
            return web.FileResponse(path, headers=headers)
        file = await asyncio.to_thread(self._compress, path)
        headers["ETag"] = f'"{file.tag}"'
        if has_already(request, file.tag):
            return web.Response(status=304, headers=headers)
        # No web.Response: with --enable-compress-response-body, ComfyUI would compress that again.
        response = web.StreamResponse(headers={**headers, "Content-Encoding": "gzip"})
        response.content_length = len(file.content)
        await response.prepare(request)
        if request.method != "HEAD":
            await response.write(file.content)
        await response.write_eof()
        return response

    def _compress(self, path: Path) -> _Compressed:
        status = path.stat()
        kept = self._kept.get(path)
        if kept is None or (kept.modified, kept.size) != (status.st_mtime_ns, status.st_size):
            kept = _Compressed(status.st_mtime_ns, status.st_size, gzip.compress(path.read_bytes(), mtime=0))
            self._kept[path] = kept
        return kept
