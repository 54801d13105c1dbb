"""Forms as bytes, whole or broken, and what a route makes of them."""

from __future__ import annotations

from typing import Any

from pictures import picture
from services import Product

from avatarforge.routes import PREFIX

from .conftest import Client

B = "xYzZY"
FILE = 'Content-Disposition: form-data; name="file"; filename="a.png"'
TYPE = f"multipart/form-data; boundary={B}"


def part(*headers: str, data: bytes | None = None, boundary: str = B) -> bytes:
    head = "".join(f"{header}\r\n" for header in headers or (FILE,))
    return f"--{boundary}\r\n{head}\r\n".encode() + (picture() if data is None else data) + b"\r\n"


def form(*parts: bytes, boundary: str = B) -> bytes:
    return b"".join(parts or (part(boundary=boundary),)) + f"--{boundary}--\r\n".encode()


async def send(client: Client, body: Any, kind: str = TYPE, **headers: str) -> tuple[int, Any]:
    answer = await client.post(
        f"{PREFIX}/upload/pose_image", data=body, headers={"Content-Type": kind, **headers}
    )
    return answer.status, (await answer.json()).get("detail")


def stored(forge: Product) -> list[str]:
    return [path.name for path in forge.blobs.folder.rglob("*") if path.is_file()]
