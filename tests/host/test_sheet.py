"""The character sheet node, through ComfyUI's own queue."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageDraw

from lab.api import Api

RED, BLUE, WHITE = (200, 0, 0), (0, 0, 200), (255, 255, 255)
#: Pixels by which a figure's edge may move when a small picture is enlarged.
ROUNDED = 6


def figure(colour: tuple[int, int, int], size: tuple[int, int]) -> bytes:
    """A plain body on white, half as high as the picture."""
    width, height = size
    picture = Image.new("RGB", size, WHITE)
    box = (width * 0.4, height * 0.25, width * 0.6, height * 0.75)
    ImageDraw.Draw(picture).rectangle(box, fill=colour)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def run(api: Api, views: dict[str, bytes], **settings: Any) -> dict[str, Any]:
    """Queue a sheet of these views; what ComfyUI's history says of it."""
    prompt: dict[str, Any] = {}
    links = {}
    for view, content in views.items():
        file_id = api.upload(content, "reference")["file_id"]
        prompt[view] = {"class_type": "AvatarForgeLoadReference", "inputs": {"file_id": file_id}}
        links[view] = [view, 0]
    inputs = {"title": "", "background": "auto", "figure_height": 200, **links, **settings}
    prompt["sheet"] = {"class_type": "AvatarForgeCharacterSheet", "inputs": inputs}
    saved = {"images": ["sheet", 0], "generation_id": "", "position": 1}
    prompt["save"] = {"class_type": "AvatarForgeSave", "inputs": saved}
    answer = api.request("POST", f"{api.server}/prompt", json={"prompt": prompt})
    assert answer.status_code == 200, answer.text
    return api.history(answer.json()["prompt_id"])


def sheet(api: Api, views: dict[str, bytes], **settings: Any) -> Image.Image:
    record = run(api, views, **settings)
    assert record["status"]["status_str"] == "success", record["status"]
    (image,) = record["outputs"]["save"]["images"]
    return Image.open(io.BytesIO(api.root("/view", params=image).content)).convert("RGB")


def extent(picture: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """(left, top, bottom) of what has nearly this colour."""
    alike = [
        (x, y)
        for y in range(picture.height)
        for x in range(picture.width)
        if all(abs(a - b) < 40 for a, b in zip(picture.getpixel((x, y)), colour, strict=True))  # type: ignore[arg-type]
    ]
    rows = [y for _, y in alike]
    return min(x for x, _ in alike), min(rows), max(rows)


def test_figures_of_pictures_of_any_size_stand_equally_high_on_one_line(api: Api) -> None:
    made = sheet(api, {"back": figure(BLUE, (300, 200)), "front": figure(RED, (128, 256))})
    red, blue = extent(made, RED), extent(made, BLUE)
    assert red[0] < blue[0]  # front, then back, however they were connected
    assert abs(red[1] - blue[1]) <= 2
    assert abs(red[2] - blue[2]) <= 2
    assert abs(red[2] - red[1] - 200) <= ROUNDED
    assert made.getpixel((0, 0)) == WHITE


def test_background_and_title_are_taken(api: Api) -> None:
    views = {"side": figure(RED, (128, 128))}
    plain = sheet(api, views, background="grey")
    titled = sheet(api, views, background="grey", title="The knight")
    assert plain.getpixel((0, 0)) == (128, 128, 128)
    assert titled.width == plain.width
    assert titled.height > plain.height


def test_a_sheet_of_nothing_says_what_to_connect(api: Api) -> None:
    record = run(api, {})
    assert record["status"]["status_str"] == "error"
    assert "needs at least one view" in str(record["status"]["messages"])


@pytest.mark.parametrize("size", [(64, 64), (400, 90)])
def test_one_view_is_enough(api: Api, size: tuple[int, int]) -> None:
    left, top, bottom = extent(sheet(api, {"quarter": figure(RED, size)}), RED)
    assert left > 0
    assert abs(bottom - top - 200) <= ROUNDED
