"""Sheets: pictures side by side with labels, and a character's views at one scale on one baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .figure import Colour, Figure, find_figure

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

NEUTRAL: Colour = (238, 238, 236)
WHITE: Colour = (255, 255, 255)
# No side of a sheet gets longer: larger ones are drawn smaller.
MAX_SIDE = 8192
MAX_ROW_HEIGHT = 1024
# Up to so many pictures stand in one row, more in a grid as wide as it is high.
ONE_ROW = 4
# A profile is slim, but its label and the rhythm of the sheet need some width: a share of the figure's
# height.
MIN_CELL = 0.22
# Sizes as shares of the height of the pictures, so that a sheet looks the same at any size.
GAP = 0.04
LABEL = 0.045
CAPTION = 0.055
# How far backgrounds may differ (0..255 per channel) and still count as one.
SAME_BACKGROUND = 12


def contact_sheet(images: Sequence[tuple[str, Image.Image]], *, caption: str | None = None) -> Image.Image:
    """Pictures at one height, each over its label: up to four in one row, more in a grid. With an optional
    caption.

    Returns an RGB picture, no side above 8192 pixels. Raises ValueError when there is no picture.
    """
    if not images:
        raise ValueError("A sheet needs at least one picture.")
    columns = len(images) if len(images) <= ONE_ROW else math.ceil(math.sqrt(len(images)))
    rows = [images[start : start + columns] for start in range(0, len(images), columns)]
    height = min(MAX_ROW_HEIGHT, max(image.height for _, image in images))
    height = _shrunk(
        height,
        max(sum(image.width / image.height for _, image in row) + GAP * (len(row) + 1) for row in rows),
        len(rows) * (1 + GAP + 2 * LABEL) + GAP + 3 * CAPTION,
    )
    gap, label = max(2, round(GAP * height)), _LabelSize(height)
    row_images = [[(name, _scaled(_flat(image, NEUTRAL), height)) for name, image in row] for row in rows]
    width = max(sum(image.width for _, image in row) + gap * (len(row) + 1) for row in row_images)
    sheet = Image.new("RGB", (width, gap + len(rows) * (height + label.line + gap)), NEUTRAL)
    top = gap
    for row in row_images:
        left = (width - sum(image.width for _, image in row) - gap * (len(row) - 1)) // 2
        for name, image in row:
            sheet.paste(image, (left, top))
            _write(sheet, name, left + image.width // 2, top + height, image.width, label, NEUTRAL)
            left += image.width + gap
        top += height + label.line + gap
    return _captioned(sheet, caption, height, NEUTRAL)


def character_sheet(
    images: Sequence[tuple[str, Image.Image, Image.Image | None]],
    *,
    figure_height: int = 896,
    background: Colour | None = None,
    caption: str | None = None,
) -> Image.Image:
    """The views of a character: all figures at one height, their feet on one line, each over its label.

    Each entry is a label, a picture and, if there is one, a mask of the figure (bright is figure). Without
    a mask the figure is told by the picture's alpha or by its plain background. Where neither works, the
    whole picture stands in for the figure, at the same height on the same line.

    `figure_height` is in pixels. `background` None takes the background that the pictures share, else
    white. Returns an RGB picture, no side above 8192 pixels. Raises ValueError when there is no picture or
    no height.
    """
    if not images:
        raise ValueError("A sheet needs at least one picture.")
    if figure_height < 1:
        raise ValueError("The figures on a sheet are at least one pixel high.")
    found = [(name, image, find_figure(image, mask)) for name, image, mask in images]
    if background is None:
        background = _shared_background([figure for _, _, figure in found])
    aspects = [max(MIN_CELL, _aspect(image, figure)) for _, image, figure in found]
    space = 3 * GAP  # figures need more room between them than framed pictures
    height = _shrunk(
        figure_height, sum(aspects) + space * (len(found) + 1), 1 + 2 * space + 2 * LABEL + 3 * CAPTION
    )
    gap, label = max(2, round(space * height)), _LabelSize(height)
    cells = [round(aspect * height) for aspect in aspects]
    baseline = gap + height
    sheet = Image.new(
        "RGB", (sum(cells) + gap * (len(cells) + 1), baseline + gap // 4 + label.line + gap // 2), background
    )
    ImageDraw.Draw(sheet).line(
        (gap // 2, baseline, sheet.width - gap // 2, baseline),
        fill=_ink_on(background, 0.2),
        width=max(1, height // 400),
    )
    left = gap
    for (name, image, figure), cell in zip(found, cells, strict=True):
        middle = left + cell // 2
        _stand(sheet, image, figure, (middle, baseline), height, background)
        _write(sheet, name, middle, baseline + gap // 4, cell + gap // 2, label, background)
        left += cell + gap
    return _captioned(sheet, caption, height, background)


@dataclass(frozen=True)
class _LabelSize:
    """Text size and line height (pixels) under pictures of that height."""

    picture_height: int

    @property
    def text(self) -> int:
        return max(12, round(LABEL * self.picture_height))

    @property
    def line(self) -> int:
        return round(self.text * 1.7)


def _shrunk(height: int, width_ratio: float, height_ratio: float) -> int:
    """The height of the pictures for which a sheet of these ratios to it stays within MAX_SIDE."""
    return max(1, min(height, int(MAX_SIDE / max(width_ratio, height_ratio) * 0.98)))


def _flat(image: Image.Image, background: Colour) -> Image.Image:
    """RGB, with transparent parts on the background."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, (*background, 255)), rgba).convert("RGB")


def _scaled(image: Image.Image, height: int) -> Image.Image:
    if image.height == height:
        return image
    width = max(1, round(image.width * height / image.height))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _aspect(image: Image.Image, figure: Figure | None) -> float:
    left, top, right, bottom = figure.box if figure else (0, 0, *image.size)
    return (right - left) / (bottom - top)


def _shared_background(figures: Sequence[Figure | None]) -> Colour:
    """The background colour that all pictures with a plain one agree on, else white."""
    colours = [figure.background for figure in figures if figure and figure.background]
    if not colours:
        return WHITE
    spread = [max(channel) - min(channel) for channel in zip(*colours, strict=True)]
    if max(spread) > SAME_BACKGROUND:
        return WHITE
    red, green, blue = (sum(channel) // len(colours) for channel in zip(*colours, strict=True))
    return (red, green, blue)


def _stand(
    sheet: Image.Image,
    image: Image.Image,
    figure: Figure | None,
    feet: tuple[int, int],
    height: int,
    background: Colour,
) -> None:
    """Put a figure on the sheet, `height` pixels high, with the middle of its lower edge at `feet`."""
    middle, baseline = feet
    if figure is None:
        whole = _scaled(_flat(image, background), height)
        sheet.paste(whole, (middle - whole.width // 2, baseline - height))
        return
    left, top, right, bottom = figure.box
    size = (max(1, round((right - left) * height / (bottom - top))), height)
    mask = figure.mask
    if figure.background and _differ(figure.background, background):
        # The outermost pixels are mixed with the colour behind them, which would show as a rim here.
        mask = mask.filter(ImageFilter.MinFilter(3))
    # Without the alpha: the mask does its work, and mixing in a colour would leave a rim.
    body = image.convert("RGBA").convert("RGB").resize(size, Image.Resampling.LANCZOS, box=figure.box)
    mask = mask.resize(size, Image.Resampling.LANCZOS, box=figure.box)
    sheet.paste(body, (middle - size[0] // 2, baseline - height), mask)


def _differ(first: Colour, second: Colour) -> bool:
    return any(abs(one - other) > SAME_BACKGROUND for one, other in zip(first, second, strict=True))


def _ink_on(background: Colour, strength: float) -> Colour:
    """Black or white, whichever stands out, mixed into the background with that strength."""
    ink = 0 if 0.299 * background[0] + 0.587 * background[1] + 0.114 * background[2] > 127 else 255
    red, green, blue = (round(channel + (ink - channel) * strength) for channel in background)
    return (red, green, blue)


def _write(
    sheet: Image.Image, text: str, middle: int, top: int, width: int, size: _LabelSize, background: Colour
) -> None:
    """One line of text, centred, cut with an ellipsis where it is wider than `width` pixels."""
    font: Font = ImageFont.load_default(size=size.text)
    line = _wrapped(text, width, 1, font)[0]
    place = (middle, top + size.line // 2)
    ImageDraw.Draw(sheet).text(place, line, font=font, anchor="mm", fill=_ink_on(background, 0.8))


def _captioned(sheet: Image.Image, caption: str | None, height: int, background: Colour) -> Image.Image:
    """The sheet with a caption of up to two lines below it; `height` is that of the pictures."""
    if not caption or not caption.strip():
        return sheet
    text_size = max(12, round(CAPTION * 0.65 * height))
    font: Font = ImageFont.load_default(size=text_size)
    margin = max(2, round(GAP * height))
    lines = _wrapped(caption, sheet.width - 2 * margin, 2, font)
    line_height = round(text_size * 1.35)
    taller = Image.new(
        "RGB", (sheet.width, sheet.height + len(lines) * line_height + margin // 2), background
    )
    taller.paste(sheet, (0, 0))
    draw = ImageDraw.Draw(taller)
    for row, line in enumerate(lines):
        place = (sheet.width // 2, sheet.height + row * line_height + line_height // 2)
        draw.text(place, line, font=font, anchor="mm", fill=_ink_on(background, 0.6))
    return taller


def _wrapped(text: str, width: int, max_lines: int, font: Font) -> list[str]:
    """The text in lines of at most `width` pixels; where the last one is too short it ends in an ellipsis."""
    # Long enough for any label, short enough to measure word by word.
    words = text[:1000].split()
    lines = [""]
    while words:
        longer = f"{lines[-1]} {words[0]}".strip()
        if font.getlength(longer) > width and lines[-1]:
            if len(lines) == max_lines:
                lines[-1] += " " + " ".join(words)
                break
            lines.append("")
        else:
            lines[-1] = longer
            words.pop(0)
    return [_cut(line, width, font) for line in lines]


def _cut(text: str, width: int, font: Font) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text.rstrip() + "..." if text else ""
