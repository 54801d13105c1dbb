"""Godot 4's text resources: SpriteFrames with a region of the atlas for each frame, and a scene that stands
on its feet.

Source: "TSCN file format" of Godot's documentation (contributing/development/file_formats/tscn), and
VariantWriter in core/variant/variant_parser.cpp.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .atlas import FRAME_MILLISECONDS, Drawn
from .members import TextPart

#: Names of the classes' ids in the files.
_TEXTURE, _FRAMES, _REGION = "1_atlas", "1_frames", "AtlasTexture_{}"


def godot_parts(drawn: Drawn, slug: str) -> Sequence[TextPart]:
    """`SLUG.tres` and `SLUG.tscn`. Their paths are relative, so that the folder can lie anywhere in a
    project."""
    return (
        TextPart(f"{slug}.tres", sprite_frames(drawn).encode()),
        TextPart(f"{slug}.tscn", scene(drawn, slug).encode()),
    )


def sprite_frames(drawn: Drawn) -> str:
    """A resource of the type SpriteFrames: an animation for each animation, in the order of the alphabet as
    Godot itself writes them."""
    regions = [
        f'[sub_resource type="AtlasTexture" id="{_REGION.format(index)}"]\n'
        f'atlas = ExtResource("{_TEXTURE}")\n'
        f"region = Rect2({x}, {y}, {drawn.frames.width}, {drawn.frames.height})\n"
        for index, (x, y) in enumerate(drawn.atlas.corners)
    ]
    animations = ", ".join(_animation(name, drawn.animations[name]) for name in sorted(drawn.animations))
    return "\n".join(
        (
            f'[gd_resource type="SpriteFrames" load_steps={len(regions) + 2} format=3]\n',
            f'[ext_resource type="Texture2D" path={quoted(drawn.image)} id="{_TEXTURE}"]\n',
            *regions,
            f"[resource]\nanimations = [{animations}]\n",
        )
    )


def _animation(name: str, indices: Iterable[int]) -> str:
    frames = ", ".join(
        '{\n"duration": 1.0,\n"texture": SubResource("' + _REGION.format(index) + '")\n}' for index in indices
    )
    speed = 1000 / FRAME_MILLISECONDS
    return f'{{\n"frames": [{frames}],\n"loop": true,\n"name": &{quoted(name)},\n"speed": {speed}\n}}'


def scene(drawn: Drawn, slug: str) -> str:
    """A scene with an AnimatedSprite2D whose feet are at its origin."""
    first = min(drawn.animations)
    x, y = drawn.frames.pivot
    return "\n".join(
        (
            "[gd_scene load_steps=2 format=3]\n",
            f'[ext_resource type="SpriteFrames" path={quoted(f"{slug}.tres")} id="{_FRAMES}"]\n',
            f'[node name={quoted(slug)} type="AnimatedSprite2D"]\n'
            f'sprite_frames = ExtResource("{_FRAMES}")\n'
            f"animation = &{quoted(first)}\n"
            "centered = false\n"
            f"offset = Vector2({-x}, {-y})\n",
        )
    )


def quoted(text: str) -> str:
    """A string of a resource. Names of ours need no escapes; these keep any other from ending it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
