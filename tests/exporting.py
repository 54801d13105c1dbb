"""Constructed pictures for tests of exports: a figure whose place is known."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from avatarforge.db.records import OutputRecord
from avatarforge.forge.export.formats import FORMATS
from avatarforge.forge.export.material import DrawnPart, ExportOptions, Material, load_picture
from avatarforge.forge.export.members import FilePart
from avatarforge.forge.export.naming import Shows, name_pictures
from avatarforge.forge.export.picture_manifest import ExportFormat, manifest_bytes
from avatarforge.forge.export.selection import ExportPicture, Subject
from avatarforge.forge.pictures.figure_box import measure_figure

RED, BLUE, GREEN, WHITE = (200, 30, 30), (30, 60, 200), (40, 160, 60), (255, 255, 255)
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Drawn:
    """A body in a picture of that size, and a foot below it; both boxes are half open. `background` None is
    transparent."""

    size: tuple[int, int] = (64, 96)
    body: Box = (20, 10, 44, 80)
    foot: Box = (28, 80, 36, 90)
    colour: tuple[int, int, int] = RED
    background: tuple[int, int, int] | None = WHITE

    @property
    def box(self) -> Box:
        return (min(self.body[0], self.foot[0]), self.body[1], max(self.body[2], self.foot[2]), self.foot[3])

    @property
    def feet(self) -> tuple[float, float]:
        return ((self.foot[0] + self.foot[2]) / 2, float(self.foot[3]))

    def image(self) -> Image.Image:
        behind = (*self.background, 255) if self.background is not None else (0, 0, 0, 0)
        image = Image.new("RGBA", self.size, behind)
        ink = ImageDraw.Draw(image)
        for left, top, right, bottom in (self.body, self.foot):
            ink.rectangle((left, top, right - 1, bottom - 1), fill=(*self.colour, 255))
        return image if self.background is None else image.convert("RGB")

    def png(self) -> bytes:
        buffer = io.BytesIO()
        self.image().save(buffer, "PNG")
        return buffer.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """The members of an archive, in order, after Python has checked each sum."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {item.compress_type for item in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        return {item.filename: archive.read(item) for item in archive.infolist()}


def manifest_in(members: Mapping[str, bytes]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(members["manifest.json"])
    return read


def picture_in(members: Mapping[str, bytes], name: str) -> Image.Image:
    image = Image.open(io.BytesIO(members[name]))
    image.load()
    return image


def export_pictures(
    folder: Path,
    drawn: Sequence[Drawn],
    shows: Sequence[Shows] | None = None,
    words: Sequence[Mapping[str, str]] | None = None,
) -> tuple[ExportPicture, ...]:
    """These pictures, written to a folder, named as an export names them."""
    shown = [Shows(view="front") for _ in drawn] if shows is None else list(shows)
    found = []
    for position, item in enumerate(drawn):
        data = item.png()
        path = folder / f"{position}.png"
        path.write_bytes(data)
        output = OutputRecord(
            generation_id="00000000-0000-4000-8000-000000000000",
            position=position,
            filename=path.name,
            view=shown[position].view,
            size=len(data),
            width=item.size[0],
            height=item.size[1],
            content_hash=hashlib.sha256(data).hexdigest(),
        )
        told = words[position] if words is not None else {}
        found.append(
            ExportPicture(
                output, path, shown[position], 7, told, None, posed=shown[position].pose is not None
            )
        )
    return tuple(
        replace(found[item.index], name=item.name, animation=item.animation) for item in name_pictures(shown)
    )


def material_of(
    kind: ExportFormat, pictures: tuple[ExportPicture, ...], name: str = "Mira", **options: Any
) -> Material:
    figures = (
        [measure_figure(load_picture(picture)) for picture in pictures] if FORMATS[kind].measures else []
    )
    subject = Subject("generation", "00000000-0000-4000-8000-000000000000", name, pictures)
    return Material(subject, pictures, ExportOptions(kind, **options), "AvatarForge 0", tuple(figures))


def made(material: Material) -> dict[str, bytes]:
    """The members of an export."""
    plan = FORMATS[material.options.format].plan(material)
    found = {"manifest.json": manifest_bytes(plan.manifest)}
    for part in plan.parts:
        if isinstance(part, DrawnPart):
            found[part.name] = b"".join(part.pieces())
        elif isinstance(part, FilePart):
            found[part.name] = part.path.read_bytes()
        else:
            found[part.name] = part.content
    return found
