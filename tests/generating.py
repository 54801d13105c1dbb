"""Generations on a real ComfyUI, from the request to the pixels of its pictures."""

from __future__ import annotations

import hashlib
import io
import re
import secrets
from typing import Any

from pictures import picture
from PIL import Image

from lab.api import Api

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def fresh() -> bytes:
    return picture(secrets.randbits(64))


def pixels(api: Api, generation: dict[str, Any]) -> list[str]:
    """A hash of the pixels of each picture, whatever its metadata."""
    found = []
    for output in generation["output_files"]:
        with Image.open(io.BytesIO(api.root(output["url"]).content)) as image:
            found.append(hashlib.sha256(image.convert("RGB").tobytes()).hexdigest())
    return found


def send(api: Api, route: str = "/generate/avatar", **body: Any) -> dict[str, Any]:
    """A finished generation of exactly this body."""
    response = api.post(route, json=body)
    assert response.status_code == 200, response.text
    done = api.wait(response.json()["generation_id"])
    assert done["status"] == "completed", done["error"]
    return done


def run(api: Api, route: str = "/generate/avatar", **body: Any) -> dict[str, Any]:
    done = api.wait(api.generate(route, **body)["generation_id"])
    assert done["status"] == "completed", done["error"]
    return done
