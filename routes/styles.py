"""The endpoint that lists the preset styles."""

from __future__ import annotations

from functools import cache

from pydantic_core import to_json

from ..forge.spec.styles import STYLES
from . import responses
from .context import Answer, Call, Endpoint
from .json_body import JsonBody


async def list_styles(_: Call) -> Answer:
    return _styles()


@cache  # the presets are constant
def _styles() -> JsonBody:
    styles = [
        responses.Style(
            name=style.name,
            description=style.description,
            words=responses.StyleWords(tags=style.tags, sentence=style.sentence, negative=style.negative),
            drawn=style.drawn,
            pixel_art=style.pixel_art,
        )
        for style in STYLES
    ]
    return JsonBody(to_json(responses.StylesAnswer(styles=styles)))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/styles",
        list_styles,
        "The preset styles, with their words",
        "utility",
        answer=responses.StylesAnswer,
    ),
)
