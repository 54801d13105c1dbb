"""The four views of a figure for image-to-3D models."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from exporting import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    Drawn,
    export_pictures,
    made,
    manifest_in,
    material_of,
    picture_in,
)

from avatarforge.forge.errors import ConflictError
from avatarforge.forge.export.naming import Shows
from avatarforge.forge.export.views_3d import choose_sides, cut_out

SIDES = ("front", "left", "back", "right")
#: Inputs of core nodes that take another node's output -> the class and output that fits.
LINKS = {
    ("ModelSamplingAuraFlow", "model"): ("ImageOnlyCheckpointLoader", 0),
    ("CLIPVisionEncode", "clip_vision"): ("ImageOnlyCheckpointLoader", 1),
    ("CLIPVisionEncode", "image"): ("LoadImage", 0),
    **{("Hunyuan3Dv2ConditioningMultiView", side): ("CLIPVisionEncode", 0) for side in SIDES},
    ("KSampler", "model"): ("ModelSamplingAuraFlow", 0),
    ("KSampler", "positive"): ("Hunyuan3Dv2ConditioningMultiView", 0),
    ("KSampler", "negative"): ("Hunyuan3Dv2ConditioningMultiView", 1),
    ("KSampler", "latent_image"): ("EmptyLatentHunyuan3Dv2", 0),
    ("VAEDecodeHunyuan3D", "samples"): ("KSampler", 0),
    ("VAEDecodeHunyuan3D", "vae"): ("ImageOnlyCheckpointLoader", 2),
    ("VoxelToMesh", "voxel"): ("VAEDecodeHunyuan3D", 0),
    ("SaveGLB", "mesh"): ("VoxelToMesh", 0),
}
#: Figures of different heights, one of them narrow, in front of different backgrounds.
DRAWN = [
    Drawn(background=None),
    Drawn(size=(40, 96), body=(10, 20, 30, 80), foot=(16, 80, 24, 90), colour=BLUE, background=(9, 99, 9)),
    Drawn(size=(128, 192), body=(44, 20, 84, 160), foot=(60, 160, 68, 180), colour=GREEN),
    Drawn(background=WHITE),
]


def test_four_squares_have_one_scale_one_baseline_and_no_background(tmp_path: Path) -> None:
    pictures = export_pictures(
        tmp_path, DRAWN, [Shows(view=view) for view in ("front", "side", "back", "right")]
    )
    members = made(material_of("3d", pictures, height=200))
    assert [*members] == ["manifest.json", *(f"mira_{side}.png" for side in SIDES), "mira_to_3d.json"]
    for side, colour in zip(SIDES, (RED, BLUE, GREEN, RED), strict=True):
        image = picture_in(members, f"mira_{side}.png")
        assert (image.mode, image.size) == ("RGBA", (200, 200))
        pixels = np.asarray(image)
        assert (pixels[pixels[..., 3] == 0] == (255, 255, 255, 0)).all()
        solid = pixels[..., 3] > 127
        rows = np.flatnonzero(solid.any(axis=1))
        assert abs(rows[0] - 10) <= 1 and rows[-1] == 189
        assert tuple(pixels[150, 100]) == (*colour, 255)
        # No pixel of the edges has a colour of the background.
        edge = pixels[(pixels[..., 3] > 64) & (pixels[..., 3] < 255)][:, :3].astype(int)
        assert (abs(edge - np.array(colour)).max(axis=1) < 40).all()
    entries = manifest_in(members)["pictures"]
    assert [entry["frame"]["image"] for entry in entries] == [f"mira_{side}.png" for side in SIDES]


def test_the_graph_loads_the_four_pictures(tmp_path: Path) -> None:
    pictures = export_pictures(tmp_path, [Drawn(background=None)] * 4, [Shows(view=view) for view in SIDES])
    members = made(material_of("3d", pictures))
    graph = json.loads(members["mira_to_3d.json"])
    links = {}
    for node in graph.values():
        for name, value in node["inputs"].items():
            if isinstance(value, list):
                links[node["class_type"], name] = (graph[value[0]]["class_type"], value[1])
    assert links == LINKS
    views = next(node for node in graph.values() if "MultiView" in node["class_type"])["inputs"]
    for side in SIDES:
        load = graph[graph[views[side][0]]["inputs"]["image"][0]]["inputs"]["image"]
        assert load == f"mira_{side}.png" and load in members


def test_the_last_look_that_is_complete_and_in_a_pose_is_taken(tmp_path: Path) -> None:
    shows = [
        *(Shows(outfit, "happy", None, view) for outfit in ("coat", "dress") for view in SIDES),
        *(Shows("suit", "happy", pose, view) for pose in ("wave", "a_pose") for view in SIDES[:3]),
        Shows("suit", "happy", "wave", "right"),
    ]
    pictures = export_pictures(tmp_path, [Drawn()] * len(shows), shows)
    chosen = choose_sides(pictures)
    assert {side: pictures[index].shows for side, index in chosen.items()} == {
        side: Shows("dress", "happy", None, side) for side in SIDES
    }
    suits = tuple(picture for picture in pictures if picture.shows.outfit == "suit")
    with pytest.raises(ConflictError, match=r"Missing: right\.") as refused:
        choose_sides(suits)
    assert refused.value.parameters == {"views": "right"}
    with pytest.raises(ConflictError, match="Missing: front, left, back, right"):
        choose_sides(tuple(picture for picture in suits if picture.shows.pose == "wave"))


def test_soft_edges_lose_the_colour_of_the_background() -> None:
    image = Drawn(background=(0, 255, 0)).image().convert("RGB")
    blended = image.copy()
    blended.paste((100, 142, 15), (19, 20, 20, 70))  # half red, half green, along the left edge
    found = np.asarray(cut_out(blended))
    edge = found[40, 19].astype(int)
    assert 60 < edge[3] <= 255
    assert tuple(found[40, 32]) == (*RED, 255)
    assert found[2, 2][3] == 0
