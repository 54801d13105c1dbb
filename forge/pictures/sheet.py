"""Draws sheets: labelled pictures side by side, and a character's views at one scale on one baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .figure import Colour, Figure, find_figure

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

NEUTRAL: Colour = (238, 238, 236)
WHITE: Colour = (255, 255, 255)
# Limits in pixels; larger sheets are scaled down.
MAX_SIDE = 8192
MAX_ROW_HEIGHT = 1024
# Up to this many pictures are in one row, more in a square grid.
ONE_ROW = 4
# Minimum width of a cell as a share of the figure's height: a profile is slim, but its label needs some
# width.
MIN_CELL = 0.22
# Shares of the height of the pictures, so that a sheet looks the same at any size.
GAP = 0.04
LABEL = 0.045
CAPTION = 0.055
# Difference (0..255 per channel) up to which backgrounds count as the same.
SAME_BACKGROUND = 12


def contact_sheet(images: Sequence[tuple[str, Image.Image]], *, caption: str | None = None) -> Image.Image:
    """Draw pictures at one height, each above its label: up to four in one row, more in a grid.

    Returns an RGB picture with no side above 8192 pixels. Raises ValueError without pictures.
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
    """Draw the views of a character: all figures at one height, on one baseline, each above its label.

    Each entry is a label, a picture, and a mask of the figure (bright is figure) or None. Without a mask, the
    figure is views by the picture's alpha or its plain background. If neither works, the whole picture is
    used as the figure, at the same height on the same baseline.

    `figure_height` is in pixels. With `background` None, the background that the pictures share is used, else
    white. Returns an RGB picture with no side above 8192 pixels. Raises ValueError without pictures or
    height.
    """
    if not images:
        raise ValueError("A sheet needs at least one picture.")
    if figure_height < 1:
        raise ValueError("The figures on a sheet are at least one pixel high.")
    views = [(name, image, find_figure(image, mask)) for name, image, mask in images]
    if background is None:
        background = _shared_background([figure for _, _, figure in views])
    aspects = [max(MIN_CELL, _aspect(image, figure)) for _, image, figure in views]
    space = 3 * GAP  # figures need more space between them than framed pictures
    height = _shrunk(
        figure_height, sum(aspects) + space * (len(views) + 1), 1 + 2 * space + 2 * LABEL + 3 * CAPTION
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
    for (name, image, figure), cell in zip(views, cells, strict=True):
        middle = left + cell // 2
        _paste_figure(sheet, image, figure, (middle, baseline), height, background)
        _write(sheet, name, middle, baseline + gap // 4, cell + gap // 2, label, background)
        left += cell + gap
    return _captioned(sheet, caption, height, background)


@dataclass(frozen=True)
class _LabelSize:
    """Text size and line height, in pixels, of labels below pictures of this height."""

    picture_height: int

    @property
    def text(self) -> int:
        return max(12, round(LABEL * self.picture_height))

    @property
    def line(self) -> int:
        return round(self.text * 1.7)


def _shrunk(height: int, width_ratio: float, height_ratio: float) -> int:
    """The height of the pictures, reduced if a sheet with these ratios to it would exceed MAX_SIDE."""
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
    """The background colour that all pictures with a plain one share, else white."""
    colours = [figure.background for figure in figures if figure and figure.background]
    if not colours:
        return WHITE
    spread = [max(channel) - min(channel) for channel in zip(*colours, strict=True)]
    if max(spread) > SAME_BACKGROUND:
        return WHITE
    red, green, blue = (sum(channel) // len(colours) for channel in zip(*colours, strict=True))
    return (red, green, blue)


def _paste_figure(
    sheet: Image.Image,
    image: Image.Image,
    figure: Figure | None,
    feet: tuple[int, int],
    height: int,
    background: Colour,
) -> None:
    """Paste a figure, `height` pixels high, with the middle of its lower edge at `feet`."""
    middle, baseline = feet
    if figure is None:
        whole = _scaled(_flat(image, background), height)
        sheet.paste(whole, (middle - whole.width // 2, baseline - height))
        return
    left, top, right, bottom = figure.box
    size = (max(1, round((right - left) * height / (bottom - top))), height)
    mask = figure.mask
    if figure.background and _differ(figure.background, background):
        # The outermost pixels are blended with the old background, which would show as a rim.
        mask = mask.filter(ImageFilter.MinFilter(3))
    # Drop the alpha, which the mask replaces: blending with a colour would leave a rim.
    body = image.convert("RGBA").convert("RGB").resize(size, Image.Resampling.LANCZOS, box=figure.box)
    mask = mask.resize(size, Image.Resampling.LANCZOS, box=figure.box)
    sheet.paste(body, (middle - size[0] // 2, baseline - height), mask)


def _differ(first: Colour, second: Colour) -> bool:
    return any(abs(a - b) > SAME_BACKGROUND for a, b in zip(first, second, strict=True))


def _ink_on(background: Colour, strength: float) -> Colour:
    """Black or white, whichever contrasts more, blended into the background with that strength."""
    ink = 0 if 0.299 * background[0] + 0.587 * background[1] + 0.114 * background[2] > 127 else 255
    red, green, blue = (round(channel + (ink - channel) * strength) for channel in background)
    return (red, green, blue)


def _write(
    sheet: Image.Image, text: str, middle: int, top: int, width: int, size: _LabelSize, background: Colour
) -> None:
    """Write one centred line of text, truncated with an ellipsis to `width` pixels."""
    font: Font = ImageFont.load_default(size=size.text)
    line = _wrapped(text, width, 1, font)[0]
    position = (middle, top + size.line // 2)
    ImageDraw.Draw(sheet).text(position, line, font=font, anchor="mm", fill=_ink_on(background, 0.8))


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
        position = (sheet.width // 2, sheet.height + row * line_height + line_height // 2)
        draw.text(position, line, font=font, anchor="mm", fill=_ink_on(background, 0.6))
    return taller


def _wrapped(text: str, width: int, max_lines: int, font: Font) -> list[str]:
    """The text in up to `max_lines` lines of at most `width` pixels; the last one is truncated with an
    ellipsis."""
    # 1000 characters are enough for any label, and few enough to measure word by word.
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
