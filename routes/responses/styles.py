"""The list of preset styles."""

from __future__ import annotations

from pydantic import Field

from ...forge.spec.styles import StyleName
from ..models import LazyModel


class StyleWords(LazyModel):
    tags: str = Field(description="For text encoders that read tags.")
    sentence: str = Field(description="For text encoders that understand sentences.")
    negative: str = Field(description="What the picture must not show, as tags.")


class Style(LazyModel):
    name: StyleName = Field(description="The value of `style` in a request.")
    description: str
    words: StyleWords
    drawn: bool = Field(description="The paper doll paints in it; otherwise it warns.")
    pixel_art: bool = Field(description="Made for `pixel_height`.")


class StylesAnswer(LazyModel):
    styles: list[Style]
