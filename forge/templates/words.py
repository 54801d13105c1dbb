"""The words of a request for a graph that is not ours: no quality words, because its family is not known."""

from __future__ import annotations

from ..spec.avatar import AvatarSpec
from ..spec.views import VIEWS


def positive_words(spec: AvatarSpec, view_name: str | None) -> str:
    """The prompt of one view. The view comes first, because text encoders weigh early words most."""
    view = VIEWS[view_name].positive if view_name else ""
    clothing = f"wearing {spec.clothing}" if spec.clothing else ""
    style = f"{spec.style} style" if spec.style else ""
    return _join(view, spec.prompt, clothing, style)


def negative_words(spec: AvatarSpec, view_name: str | None, own: str) -> str:
    """What the picture of one view must not show. `own` is the template's text, used unless the request has
    one."""
    view = VIEWS[view_name].negative if view_name else ""
    return _join(view, own if spec.negative_prompt is None else spec.negative_prompt)


def _join(*texts: str) -> str:
    return ", ".join(stripped for text in texts if (stripped := text.strip().strip(",").strip()))
