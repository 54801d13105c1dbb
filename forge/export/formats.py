"""Every format of an export of pictures, and what it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from .atlas import Drawn, aseprite_json, draw_atlas, fitting_atlas, texture_packer_parts, unity_json
from .character_sheet import plan_sheet
from .godot import godot_parts
from .lora import plan_lora
from .material import DrawnPart, Material, Plan, animations_of, file_part
from .members import TextPart, json_part
from .picture_manifest import ExportFormat, FrameEntry, ImageEntry
from .story_formats import plan_renpy, plan_rpgmaker
from .views_3d import plan_3d


@dataclass(frozen=True)
class FormatOf:
    """What a format makes, and whether it places figures: then each picture is decoded and measured first."""

    plan: Callable[[Material], Plan]
    measures: bool = True


def _plan_zip(material: Material) -> Plan:
    members = {index: f"pictures/{picture.name}.png" for index, picture in enumerate(material.pictures)}
    return Plan(
        material.manifest(members=members),
        [file_part(members[index], picture) for index, picture in enumerate(material.pictures)],
    )


def _plan_manifest(material: Material) -> Plan:
    return Plan(material.manifest())


def _plan_drawn(files: Callable[[Drawn, Material], Sequence[TextPart]], material: Material) -> Plan:
    """An atlas and the files that describe it."""
    frames = material.frames()
    atlas = fitting_atlas(frames)
    image = f"{material.slug}.png"
    names = tuple(picture.name for picture in material.pictures)
    drawn = Drawn(atlas, frames, image, names, animations_of(material.pictures))
    manifest = material.manifest(
        places={
            index: FrameEntry(image=image, x=x, y=y, width=frames.width, height=frames.height)
            for index, (x, y) in enumerate(atlas.corners)
        },
        frames=frames,
        images=[ImageEntry(member=image, width=atlas.width, height=atlas.height)],
    )
    part = DrawnPart(image, lambda: draw_atlas(atlas, frames, lambda index: material.draw(index, frames)))
    return Plan(manifest, [part, *files(drawn, material)])


def _texture_packer(drawn: Drawn, material: Material) -> Sequence[TextPart]:
    return texture_packer_parts(drawn, material.slug, material.exported_by)


def _aseprite(drawn: Drawn, material: Material) -> Sequence[TextPart]:
    return (json_part(f"{material.slug}.json", aseprite_json(drawn)),)


def _unity(drawn: Drawn, material: Material) -> Sequence[TextPart]:
    return (json_part(f"{material.slug}.json", unity_json(drawn)),)


def _godot(drawn: Drawn, material: Material) -> Sequence[TextPart]:
    return godot_parts(drawn, material.slug)


FORMATS: Mapping[ExportFormat, FormatOf] = {
    "zip": FormatOf(_plan_zip, measures=False),
    "sheet": FormatOf(plan_sheet),
    "atlas": FormatOf(partial(_plan_drawn, _texture_packer)),
    "aseprite": FormatOf(partial(_plan_drawn, _aseprite)),
    "godot": FormatOf(partial(_plan_drawn, _godot)),
    "unity": FormatOf(partial(_plan_drawn, _unity)),
    "rpgmaker": FormatOf(plan_rpgmaker),
    "renpy": FormatOf(plan_renpy),
    "lora": FormatOf(plan_lora, measures=False),
    "3d": FormatOf(plan_3d),
    "manifest": FormatOf(_plan_manifest, measures=False),
}
