"""The format 3d: four views of one figure for image-to-3D models, and a graph of core nodes that loads
them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from ..errors import ConflictError
from ..pictures.figure import find_figure
from ..pictures.figure_box import FigureBox
from ..pictures.png_strips import png_bytes
from .frames import FrameSet
from .material import DrawnPart, Material, Plan, full_name
from .members import TextPart
from .picture_manifest import FrameEntry, ImageEntry
from .selection import ExportPicture

#: The side that a picture shows -> the views that show it. "left" faces the picture's left edge, so that the
#: left side of the body is visible.
SIDES = {"front": ("front",), "left": ("left", "side"), "back": ("back",), "right": ("right",)}
#: Pixels of a side of a picture, and shares of it: the height of the figure, and of the row below its feet.
SIDE = 1_024
FIGURE_SHARE, FEET_SHARE = 0.9, 0.95
#: The built-in pose in which the arms are away from the body; so are those of the built-in skeletons.
A_POSE = "a_pose"
MODEL = "hunyuan3d-dit-v2-mv.safetensors"


def plan_3d(material: Material) -> Plan:
    """Raises ConflictError, which names the views that are missing."""
    chosen = choose_sides(material.pictures)
    _require_cut_outs(material, chosen)
    height = material.options.height or SIDE
    members = {index: f"{material.slug}_{side}.png" for side, index in chosen.items()}
    scales = _scales([material.figures[index] for index in chosen.values()], height)
    parts = [
        DrawnPart(
            members[index],
            partial(_draw, material, index, height, scale),
        )
        for index, scale in zip(chosen.values(), scales, strict=True)
    ]
    files = {side: members[index] for side, index in chosen.items()}
    graph = json.dumps(graph_of(files, material.slug), indent=1) + "\n"
    others = [full_name(picture) for index, picture in enumerate(material.pictures) if index not in members]
    manifest = material.manifest(
        chosen=list(chosen.values()),
        places={
            index: FrameEntry(image=name, x=0, y=0, width=height, height=height)
            for index, name in members.items()
        },
        frames=FrameSet(height, height, (height // 2, round(height * FEET_SHARE)), ()),
        images=[ImageEntry(member=name, width=height, height=height) for name in members.values()],
        left_out=others,
    )
    return Plan(manifest, [*parts, TextPart(f"{material.slug}_to_3d.json", graph.encode())])


def choose_sides(pictures: Sequence[ExportPicture]) -> dict[str, int]:
    """The picture of each side, by its index: in A-pose, of one outfit and expression, of several the last
    one that has all. Raises ConflictError."""
    looks: dict[tuple[str | None, str | None], dict[str, int]] = {}
    for index, picture in enumerate(pictures):
        if picture.posed and picture.shows.pose != A_POSE:
            continue
        sides = looks.setdefault((picture.shows.outfit, picture.shows.expression), {})
        for side, views in SIDES.items():
            if picture.shows.view in views:
                sides[side] = index
    complete = [sides for sides in looks.values() if len(sides) == len(SIDES)]
    if complete:
        return {side: complete[-1][side] for side in SIDES}
    best = max(looks.values(), key=len, default={})
    missing = [side for side in SIDES if side not in best]
    raise ConflictError(
        "The format 3d needs the views front, left, back and right in A-pose, of one outfit and expression. "
        f"Missing: {', '.join(missing)}. Generate them with views, and without a pose or with {A_POSE}.",
        code="views_missing",
        parameters={"views": ", ".join(missing)},
    )


def _require_cut_outs(material: Material, chosen: dict[str, int]) -> None:
    """Raises ConflictError for a picture from which the figure cannot be cut."""
    hidden = [
        side
        for side, index in chosen.items()
        if material.figures[index].found_by not in ("alpha", "background")
    ]
    if hidden:
        raise ConflictError(
            f"The background of {', '.join(hidden)} is neither transparent nor plain, so the figure cannot "
            "be cut out for the format 3d. Generate these views in front of a plain background.",
            code="background_not_plain",
            parameters={"views": ", ".join(hidden)},
        )


def _scales(figures: Sequence[FigureBox], side: int) -> list[float]:
    """The scale of each figure, so that all are equally high, and no arm leaves the picture."""
    most = FIGURE_SHARE * side
    for figure in figures:
        aside = max(figure.feet[0] - figure.box[0], figure.box[2] - figure.feet[0])
        most = min(most, figure.height * (side / 2 - 1) / max(1.0, aside))
    return [most / figure.height for figure in figures]


def _draw(material: Material, index: int, side: int, scale: float) -> Iterator[bytes]:
    figure = material.figures[index]
    picture = cut_out(material.load(material.pictures[index]))
    left, top, right, bottom = figure.box
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    part = picture.resize(size, Image.Resampling.LANCZOS, figure.box)
    canvas = Image.new("RGBA", (side, side), (255, 255, 255, 0))
    corner = round(side / 2 - (figure.feet[0] - left) * scale), round(side * FEET_SHARE) - size[1]
    canvas.paste(part, corner)
    # White where nothing is: some loaders drop the alpha.
    pixels = np.array(canvas)
    pixels[pixels[..., 3] == 0] = (255, 255, 255, 0)
    yield png_bytes(Image.fromarray(pixels, "RGBA"))


def cut_out(picture: Image.Image) -> Image.Image:
    """The figure alone, with straight alpha: in front of a plain background, the colour of that is taken out
    of its soft edges. Blocks."""
    figure = find_figure(picture)
    if figure is None or figure.background is None:
        return picture
    alpha = np.asarray(figure.mask, np.float64)[..., None] / 255
    colours = np.asarray(picture.convert("RGB"), np.float64)
    behind = np.array(figure.background, np.float64)
    own = (colours - (1 - alpha) * behind) / np.maximum(alpha, 1 / 255)
    pixels = np.concatenate((np.where(alpha > 0, own, 255.0), alpha * 255), axis=-1)
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), "RGBA")


def graph_of(files: dict[str, str], prefix: str) -> dict[str, Any]:
    """A graph of ComfyUI's core nodes, in its API's format, which makes a mesh of the four pictures with
    Hunyuan3D 2 multi-view. The pictures belong into ComfyUI's input folder."""
    graph: dict[str, Any] = {
        "1": _node("ImageOnlyCheckpointLoader", "Model of several views", ckpt_name=MODEL),
        "2": _node("ModelSamplingAuraFlow", "Shift", model=["1", 0], shift=1.0),
    }
    seen: dict[str, list[Any]] = {}
    for number, (side, name) in enumerate(files.items()):
        load, encode = str(10 + number), str(20 + number)
        graph[load] = _node("LoadImage", side, image=name)
        graph[encode] = _node(
            "CLIPVisionEncode", f"{side}, encoded", clip_vision=["1", 1], image=[load, 0], crop="none"
        )
        seen[side] = [encode, 0]
    graph["30"] = _node("Hunyuan3Dv2ConditioningMultiView", "Views", **seen)
    graph["31"] = _node("EmptyLatentHunyuan3Dv2", "Empty shape", resolution=3072, batch_size=1)
    graph["32"] = _node(
        "KSampler",
        "Sampler",
        model=["2", 0],
        positive=["30", 0],
        negative=["30", 1],
        latent_image=["31", 0],
        seed=0,
        steps=30,
        cfg=5.0,
        sampler_name="euler",
        scheduler="normal",
        denoise=1.0,
    )
    graph["33"] = _node(
        "VAEDecodeHunyuan3D",
        "Voxels",
        samples=["32", 0],
        vae=["1", 2],
        num_chunks=8000,
        octree_resolution=256,
    )
    graph["34"] = _node("VoxelToMesh", "Mesh", voxel=["33", 0], algorithm="surface net", threshold=0.6)
    graph["35"] = _node("SaveGLB", "Save the mesh", mesh=["34", 0], filename_prefix=f"mesh/{prefix}")
    return graph


def _node(class_type: str, title: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": title}}
