"""Parts of requests that are refused."""

from __future__ import annotations

from typing import Any

from aiohttp import FormData

SECRET = "s" * 32
UNKNOWN = "00000000-0000-4000-8000-000000000000"
POSE = {
    "people": [{"pose_keypoints_2d": [20, 20, 1] + [30, 40, 1] * 17}],
    "canvas_width": 64,
    "canvas_height": 64,
}
AVATAR = "/generate/avatar"
UPLOAD = "/upload/pose_image"


def form(data: bytes, name: str = "file") -> dict[str, Any]:
    made = FormData()
    made.add_field(name, data, filename="a.png")
    return {"data": made}


def body(**fields: Any) -> dict[str, Any]:
    return {"json": {"prompt": "x", **fields}}
