"""Draws one character in the poses of one or more people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image

from .assembly import figure_layers
from .character import Character
from .complete import complete, unit_of
from .description import Colour
from .detail import Details
from .layers import Layer
from .person import Person, Point
from .physique import Figure
from .render import Canvas, Look, Masks, scale_for

#: The passes, in their order. Each adds to what the earlier ones drew.
PASSES = ("sketch", "flats", "shade", "line")

#: Names of the values in `Drawing.parts`. Stored pictures have these values: append only.
PARTS: tuple[str, ...] = (
    "background",
    "skin",
    "hair",
    "left_eye",
    "right_eye",
    "left_iris",
    "right_iris",
    "brows",
    "nose",
    "mouth",
    "beard",
    "top",
    "bottom",
    "dress",
    "outer",
    "cape",
    "feet",
    "hands",
    "head",
    "eyes",
    "neck",
    "belt",
    "right_hand",
    "left_hand",
)
#: Names of the values in `Drawing.limbs`: the segment of the body that a pixel belongs to, clothed or not.
LIMBS: tuple[str, ...] = (
    "none",
    "head",
    "neck",
    "torso",
    "right_upper_arm",
    "right_forearm",
    "right_hand",
    "left_upper_arm",
    "left_forearm",
    "left_hand",
    "right_thigh",
    "right_shank",
    "right_foot",
    "left_thigh",
    "left_shank",
    "left_foot",
)


@dataclass(frozen=True)
class DollOrder:
    """What to draw: `size` is (width, height) in pixels, in which the people's keypoints are. `turn` is in
    degrees from the front towards the picture's left, as in `body.seen_from`. `seed` decides folds, strands
    and other details that are not part of the character. `passes` is how many of PASSES to draw."""

    people: tuple[Person, ...]
    turn: float
    character: Character
    size: tuple[int, int]
    seed: int
    passes: int = len(PASSES)


@dataclass(frozen=True)
class Drawing:
    """A drawing: an RGB picture, and of its size two masks in mode L, whose values are positions in PARTS and
    LIMBS. `joints` are those drawn, per person, in pixels, by name. `palette` has the flat colour of each
    part that was drawn."""

    picture: Image.Image
    parts: Image.Image
    limbs: Image.Image
    joints: tuple[Mapping[str, Point], ...]
    palette: Mapping[str, Colour]


#: Called after each pass with the number of passes drawn and a preview. May raise, which ends the drawing.
AfterPass = Callable[[int, Image.Image], None]


def draw_doll(order: DollOrder, after_pass: AfterPass | None = None) -> Drawing:
    """Draw the character. Raises what `after_pass` raises."""
    figures = [_figure(person, order) for person in order.people]
    # Who is further down in the picture stands in front.
    figures.sort(key=lambda figure: max(y for _, y in figure.joints.values()))
    layers = [
        layer
        for number, figure in enumerate(figures)
        for layer in figure_layers(figure, Details(order.seed + number))
    ]
    picture = Image.new("RGB", order.size, order.character.background)
    passes = order.passes
    for done in range(1, passes + 1):
        picture = _paint(layers, figures, order, done, final=done == passes)
        if after_pass is not None:
            after_pass(done, picture)
    masks = Masks(order.size, PARTS, LIMBS)
    for layer in layers:
        masks.paint(layer)
    palette = {layer.part: layer.colour for layer in layers}
    return Drawing(
        picture,
        masks.parts,
        masks.limbs,
        tuple({name: figure.joints[name] for name in figure.person.body} for figure in figures),
        palette,
    )


def _figure(person: Person, order: DollOrder) -> Figure:
    joints = complete(person, order.turn)
    return Figure(person, joints, order.turn, unit_of(person, joints, order.turn), order.character)


def _paint(
    layers: list[Layer], figures: list[Figure], order: DollOrder, done: int, *, final: bool
) -> Image.Image:
    """The picture after `done` passes; only the last one is painted at full quality."""
    scale = scale_for(*order.size) if final else 1
    unit = max((figure.unit for figure in figures), default=0.0)
    canvas = Canvas(order.size, order.character.background, scale, max(0.5, unit * 0.0036))
    look = LOOKS[PASSES[done - 1]]
    for layer in layers:
        canvas.paint(layer, look)
    return canvas.picture()


LOOKS = {
    "sketch": Look(line=0.5, shade=False, fills=False, line_colour=(150, 146, 160)),
    "flats": Look(line=0.0, shade=False),
    "shade": Look(line=0.0),
    "line": Look(),
}
