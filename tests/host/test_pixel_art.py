"""Large pixels on a real ComfyUI: in one palette for all views, drawn and sampled, also after a re-roll."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from generating import pixels, run
from PIL import Image

from avatarforge.forge.pictures.doll.character.parts_text import parts_from_text
from avatarforge.forge.store.picture_parts import PARTS_KEY
from lab.api import Api

SHEET = "/generate_all_poses"
DOLL: dict[str, Any] = {
    "prompt": "a knight in red",
    "family": "doll",
    "width": 128,
    "height": 192,
    "seed": 11,
    "steps": 4,
}
ROWS, SIDE, COLORS = 48, 4, 12


def pictures(api: Api, generation: dict[str, Any]) -> list[Image.Image]:
    contents = (api.root(output["url"]).content for output in generation["output_files"])
    return [Image.open(io.BytesIO(content)) for content in contents]


def colors_of(picture: Image.Image) -> set[Any]:
    return {color for _, color in picture.convert("RGB").getcolors(1 << 20) or ()}


def in_cells(picture: Image.Image) -> bool:
    """Whether each cell has one value; the sides are multiples of a cell."""
    small = np.asarray(
        picture.resize((picture.width // SIDE, picture.height // SIDE), Image.Resampling.NEAREST)
    )
    return bool((small.repeat(SIDE, axis=0).repeat(SIDE, axis=1) == np.asarray(picture)).all())


def test_drawn_views_share_the_palette_of_the_front_also_after_a_reroll(api: Api) -> None:
    # With a consistency of 0 a re-roll draws another character, whose colours are not in the palette.
    body = {**DOLL, "consistency": 0}
    whole, sheet = run(api, SHEET, **body), run(api, SHEET, **body, pixel_height=ROWS, pixel_colors=COLORS)
    assert [output["dimensions"] for output in sheet["output_files"]] == [
        output["dimensions"] for output in whole["output_files"]
    ]
    assert not set(pixels(api, sheet)) & set(pixels(api, whole))
    front, *others = before = pictures(api, sheet)
    palette = colors_of(front)
    assert 2 < len(palette) <= COLORS
    for picture in before:
        parts = parts_from_text(picture.info[PARTS_KEY], picture.size)
        assert parts is not None and len(set(parts.tobytes())) > 2
        assert in_cells(picture.convert("RGB")) and in_cells(parts)
        assert colors_of(picture) <= palette
    assert all(len(colors_of(picture)) > 2 for picture in others)
    # Again, and in another order of work: the same pixels.
    again = run(api, SHEET, **{**body, **sheet["parameters"], "turnaround": "sequential"})
    assert pixels(api, again) == pixels(api, sheet)

    path = f"/generations/{sheet['generation_id']}/reroll"
    for position, view in ((1, "back"), (0, "front"), (2, "side")):
        earlier = pixels(api, sheet)
        assert api.post(path, params={"pose": view, "seed": 5}).status_code == 200
        sheet = api.wait(sheet["generation_id"])
        assert (sheet["status"], sheet["warnings"]) == ("completed", [])
        changed = [old != new for old, new in zip(earlier, pixels(api, sheet), strict=True)]
        assert changed == [number == position for number in range(4)]
        rolled = pictures(api, sheet)[position]
        assert in_cells(rolled.convert("RGB"))
        assert colors_of(rolled) <= palette


def test_a_reduced_drawing_is_a_reference_by_its_parts(api: Api) -> None:
    green = run(api, **{**DOLL, "prompt": "green dress, green hair"}, pixel_height=ROWS)
    reference = api.upload(api.root(green["output_files"][0]["url"]).content, "reference")["file_id"]
    person: dict[str, Any] = {**DOLL, "prompt": "a woman in a dress"}
    seen = pixels(api, run(api, **person))
    used = run(api, **person, reference_file_id=reference, reference_strength=1)
    assert pixels(api, used) != seen
    top = colors_of(pictures(api, used)[0])
    assert any(color[1] > color[0] + 20 and color[1] > color[2] + 20 for color in top)


def test_sampled_views_share_a_palette_too(api: Api) -> None:
    size: dict[str, Any] = {
        "width": 64,
        "height": 64,
        "steps": 1,
        "seed": 3,
        "pixel_height": 16,
        "pixel_colors": 8,
    }
    front, back = pictures(api, run(api, SHEET, **size, views=["front", "back"]))
    assert 2 < len(colors_of(front)) <= 8
    assert in_cells(front.convert("RGB")) and in_cells(back.convert("RGB"))
    assert colors_of(back) <= colors_of(front)
