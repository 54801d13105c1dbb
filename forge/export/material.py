"""What the formats of an export are made of, and what they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from ..errors import NotFoundError
from ..pictures.figure_box import FigureBox, main_colours
from ..pictures.png_strips import png_bytes
from ..store.images import load_rgb
from ..store.structure import InvalidImage
from .frames import FrameSet, draw_frame, frame_figures
from .members import FilePart, TextPart
from .picture_manifest import (
    ExportedSubject,
    ExportFormat,
    FigureEntry,
    FrameEntry,
    FramesEntry,
    ImageEntry,
    PictureEntry,
    PictureManifest,
)
from .selection import ExportPicture, Subject

#: Colours of a palette.
MOST_COLOURS = 8


@dataclass(frozen=True)
class ExportOptions:
    """What the client chose. `height` limits that of a frame, in pixels. `trigger` and `repeats` are of the
    format lora; None: chosen here."""

    format: ExportFormat
    height: int | None = None
    trigger: str | None = None
    repeats: int | None = None
    skip_lost: bool = False


@dataclass(frozen=True)
class DrawnPart:
    """A member that is drawn when the export is made. Its pieces block."""

    name: str
    pieces: Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class Plan:
    """What an export will be: its members after the manifest, in order."""

    manifest: PictureManifest
    parts: Sequence[TextPart | FilePart | DrawnPart] = ()


@dataclass(frozen=True)
class Material:
    """The pictures of an export that have bytes. `figures` are theirs in the formats that place them, and
    empty in the others."""

    subject: Subject
    pictures: tuple[ExportPicture, ...]
    options: ExportOptions
    exported_by: str
    figures: tuple[FigureBox, ...] = ()
    left_out: tuple[str, ...] = ()
    load: Callable[[ExportPicture], Image.Image] = field(default=lambda picture: load_picture(picture))

    @property
    def slug(self) -> str:
        return self.subject.slug

    def frames(self, most_height: int | None = None) -> FrameSet:
        sizes = [(picture.output.width, picture.output.height) for picture in self.pictures]
        return frame_figures(sizes, self.figures, most_height or self.options.height)

    def draw(self, index: int, frames: FrameSet) -> Image.Image:
        """The frame of a picture, in RGBA. Blocks. Raises NotFoundError."""
        image = self.load(self.pictures[index])
        return draw_frame(image, frames.placements[index], (frames.width, frames.height))

    def frame_part(self, name: str, index: int, frames: FrameSet) -> DrawnPart:
        """A member that is one frame."""
        return DrawnPart(name, lambda: iter((png_bytes(self.draw(index, frames)),)))

    def manifest(
        self,
        *,
        members: Mapping[int, str] | None = None,
        captions: Mapping[int, str] | None = None,
        places: Mapping[int, FrameEntry] | None = None,
        frames: FrameSet | None = None,
        images: Sequence[ImageEntry] = (),
        left_out: Sequence[str] = (),
        chosen: Sequence[int] | None = None,
    ) -> PictureManifest:
        """The manifest of a format: `members`, `captions` and `places` of pictures by their indices, of which
        the `chosen` ones are exported, all by default."""
        shown = range(len(self.pictures)) if chosen is None else chosen
        colours = main_colours([self.figures[index] for index in shown], MOST_COLOURS) if self.figures else ()
        subject = self.subject
        return PictureManifest(
            exported_by=self.exported_by,
            export=self.options.format,
            subject=ExportedSubject(
                kind=subject.kind, id=subject.id, name=subject.name, unfinished=subject.unfinished
            ),
            pictures=[
                self._entry(
                    index, (members or {}).get(index), (captions or {}).get(index), (places or {}).get(index)
                )
                for index in shown
            ],
            frames=None
            if frames is None
            else FramesEntry(
                width=frames.width, height=frames.height, pivot=frames.pivot, pivot_share=frames.pivot_share
            ),
            images=list(images),
            palette=["#{:02x}{:02x}{:02x}".format(*colour) for colour in colours],
            left_out=[*self.left_out, *left_out],
        )

    def _entry(
        self, index: int, member: str | None, caption: str | None, frame: FrameEntry | None
    ) -> PictureEntry:
        picture = self.pictures[index]
        output, shows = picture.output, picture.shows
        found = self.figures[index] if self.figures else None
        return PictureEntry(
            name=picture.name,
            animation=picture.animation,
            generation_id=output.generation_id,
            position=output.position + 1,
            take=output.take,
            view=shows.view,
            outfit=shows.outfit,
            expression=shows.expression,
            pose=shows.pose,
            seed=picture.seed,
            width=output.width,
            height=output.height,
            size=output.size,
            sha256=output.content_hash,
            member=member,
            caption=caption,
            figure=None
            if found is None
            else FigureEntry(
                box=found.box,
                feet=(round(found.feet[0], 2), round(found.feet[1], 2)),
                found_by=found.found_by,
            ),
            frame=frame,
        )


def load_picture(picture: ExportPicture) -> Image.Image:
    """Its pixels, in RGBA. Blocks. Raises NotFoundError."""
    try:
        rgb, alpha = load_rgb(picture.path)
    except (OSError, InvalidImage) as error:
        raise NotFoundError(
            f"The bytes of {picture.output.filename} are gone from the disk, or no picture any more.",
            code="file_lost",
        ) from error
    image = rgb.convert("RGBA")
    if alpha is not None:
        image.putalpha(alpha)
    return image


def full_name(picture: ExportPicture) -> str:
    """How a picture that is left out is named."""
    return f"{picture.output.generation_id}/{picture.output.filename}"


def file_part(name: str, picture: ExportPicture) -> FilePart:
    """A member with a picture's own bytes."""
    return FilePart(name, picture.path, picture.output.size, picture.output.content_hash)


def animations_of(pictures: Sequence[ExportPicture]) -> dict[str, list[int]]:
    """The indices of the pictures of each animation, in order."""
    found: dict[str, list[int]] = {}
    for index, picture in enumerate(pictures):
        found.setdefault(picture.animation, []).append(index)
    return found
