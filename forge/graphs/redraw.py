"""The graph of a redraw: a finished picture, and its face again with each expression. Pure.

The face is sampled in the latent of the picture, with noise in its region alone, and put into the picture
itself: encoding and decoding change the rest a little. A drawn family draws the whole picture again, of which
only the region is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..families.builder import Link, Node, PromptBuilder
from ..families.family import Canvas
from ..ports import Prompt
from ..spec.avatar import AvatarSpec
from ..spec.receipt import AppliedInput
from ..spec.redraw import DENOISE, FEATHER, RedrawUse
from ..spec.warning import GenerationWarning
from .drawn_graph import DrawnGraph
from .face_keypoints import add_frame_keypoints
from .generation_graph import GenerationGraph
from .receipt import WHOLE

# Output of AvatarForgeLoadReference.
_PARTS = 2


class RedrawGraph(Protocol):
    """Builds the prompt of a redraw. `inputs` is its receipt, `warnings` is what the user should know."""

    inputs: list[AppliedInput]
    warnings: list[GenerationWarning]

    @property
    def prompt(self) -> Prompt:
        """What was built so far."""

    def is_skipped(self, role: str) -> bool:
        """Whether the picture was made without the role's picture."""

    def redraw(self, position: int, generation_id: str) -> None:
        """Redraw and save the picture at this position, from 0."""


@dataclass(frozen=True)
class _Source:
    """Links to the picture whose face is redrawn, to its parts if it was drawn, and to the region."""

    image: Link
    parts: Link
    region: Link


def begin_redraw(spec: AvatarSpec) -> RedrawGraph:
    """Start the graph of a spec with a `redraw`."""
    return DrawnRedraw(spec) if spec.is_drawn else SampledRedraw(spec)


class SampledRedraw(GenerationGraph):
    """Implements `RedrawGraph` with a model."""

    def __init__(self, spec: AvatarSpec) -> None:
        self._whole, self._redraw = spec, _redraw_of(spec)
        super().__init__(_frame_of(spec))
        self._build.reuses = True
        self._expression = ""
        self.apply_references(spec.views[:1])
        self._source = _add_source(self._build, self._spec, spec.views[0])
        encoded = self._build.add(
            "VAEEncode", "Source latent", pixels=self._source.image, vae=self._loaded.vae
        )
        masked = self._build.add(
            "SetLatentNoiseMask", "Only the face", samples=encoded.out(), mask=self._source.region
        )
        self._masked = masked.out()

    def redraw(self, position: int, generation_id: str) -> None:
        spec, redraw = self._whole, self._redraw
        self._spec, self._expression = _with_expression(self._spec, redraw, position)
        view, start = spec.views[position], len(self.inputs)
        samples = self.sample((view,), (redraw.width, redraw.height), [spec.seed_at(position)])
        label = f" ({self._expression})"
        decoded = self._build.add("VAEDecode", f"Decode{label}", samples=samples, vae=self._loaded.vae)
        picture = _add_composite(self._build, self._source, decoded.out(), label)
        _add_save(self._build, picture, None, label, generation_id, position)
        self.inputs.append(_source_line(self._build, self._spec, view, picture))
        _number_lines(self.inputs, start, spec.number_at(position))

    def _label(self, views: Sequence[str | None]) -> str:
        return f" ({self._expression})"

    def _canvas(self, rows: int, size: tuple[int, int], seed: int, label: str) -> Canvas:
        return Canvas(self._masked, size, seed, label, self._redraw.denoise or DENOISE)


class DrawnRedraw(DrawnGraph):
    """Implements `RedrawGraph` for a drawn family."""

    def __init__(self, spec: AvatarSpec) -> None:
        self._whole, self._redraw = spec, _redraw_of(spec)
        super().__init__(_frame_of(spec))
        self._build.reuses = True
        self._expression = ""
        self.apply_references(spec.views[:1])
        self._source = _add_source(self._build, self._spec, spec.views[0])

    def redraw(self, position: int, generation_id: str) -> None:
        spec, redraw = self._whole, self._redraw
        self._spec, self._expression = _with_expression(self._spec, redraw, position)
        view, start = spec.views[position], len(self.inputs)
        drawn = self.sample((view,), (redraw.width, redraw.height), [spec.seed_at(position)])
        label = f" ({self._expression})"
        picture = _add_composite(self._build, self._source, drawn, label)
        # The expression does not change which part of the character is where.
        _add_save(self._build, picture, self._source.parts, label, generation_id, position)
        self.inputs.append(_source_line(self._build, self._spec, view, picture))
        _number_lines(self.inputs, start, spec.number_at(position))

    def _label(self, views: Sequence[str | None]) -> str:
        return f" ({self._expression})"

    def _identity(self, seed: int) -> int:
        """Always the character of the picture: another one would not fit into it."""
        return self._redraw.identity_seed


def _redraw_of(spec: AvatarSpec) -> RedrawUse:
    if spec.redraw is None:
        raise ValueError("Nothing is redrawn.")
    return spec.redraw


def _frame_of(spec: AvatarSpec) -> AvatarSpec:
    """The spec with the views of the generation that made the picture, which decide on poses and
    references."""
    return replace(spec, views=_redraw_of(spec).views)


def _with_expression(frame: AvatarSpec, redraw: RedrawUse, position: int) -> tuple[AvatarSpec, str]:
    chosen = redraw.expressions[position]
    return replace(frame, expression=chosen.name, expression_words=chosen.words), chosen.name


def _add_source(build: PromptBuilder, frame: AvatarSpec, view: str | None) -> _Source:
    redraw = _redraw_of(frame)
    loaded = build.add_shared("AvatarForgeLoadReference", "Source", file_id=redraw.file_id)
    keypoints = add_frame_keypoints(build, frame, view)
    cut = keypoints.frame_width if keypoints.frame_width > redraw.width else 0
    region = build.add(
        "AvatarForgeFaceRegion",
        "Face region",
        image=loaded.out(),
        keypoints=keypoints.link,
        margin=redraw.margin,
        feather=FEATHER,
        frame_width=cut,
    )
    return _Source(loaded.out(), loaded.out(_PARTS), region.out())


def _add_composite(build: PromptBuilder, source: _Source, redrawn: Link, label: str) -> Node:
    return build.add(
        "AvatarForgeCompositeFace",
        f"Composite{label}",
        original=source.image,
        redrawn=redrawn,
        mask=source.region,
    )


def _add_save(
    build: PromptBuilder, picture: Node, parts: Link | None, label: str, generation_id: str, position: int
) -> None:
    optional = {"parts": parts} if parts is not None else {}
    build.add(
        "AvatarForgeSave",
        f"Save{label}",
        images=picture.out(),
        generation_id=generation_id,
        position=position + 1,
        **optional,
    )


def _source_line(build: PromptBuilder, spec: AvatarSpec, view: str | None, node: Node) -> AppliedInput:
    redraw = _redraw_of(spec)
    return AppliedInput(
        role="source",
        view=view,
        kind="picture",
        file_id=redraw.file_id,
        content_hash=redraw.content_hash,
        node=node.id,
        node_type=build.prompt[node.id]["class_type"],
        model=spec.checkpoint,
        strength=WHOLE,
        first_step=1,
        last_step=spec.steps,
    )


def _number_lines(lines: list[AppliedInput], start: int, number: int | None) -> None:
    """The lines from `start` on are of the picture with this number."""
    lines[start:] = [replace(line, picture=number) for line in lines[start:]]
