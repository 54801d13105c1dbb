"""Draws one character in the poses of one or more people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image

from .assembly import figure_layers
from .character.character import Character
from .character.description import Colour
from .figure.physique import Figure
from .painting.detail import Details
from .painting.masks import Masks, View
from .painting.scene import Scene
from .painting.style_pixels import pixel_grid
from .painting.styles import enlarged, paint, preview
from .parts import LIMBS, PARTS
from .poses.complete import complete, unit_of
from .poses.person import Person, Point

#: The passes, in their order. Each adds to what the earlier ones drew.
PASSES = ("sketch", "flats", "shade", "line")


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


#: Called after each pass with the number of passes drawn and a preview, which may be smaller than the
#: picture; after the last one with the picture. May raise, which ends the drawing.
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
    scene = Scene(
        order.size,
        order.character.background,
        max((figure.unit for figure in figures), default=0.0),
        layers,
        [figure.joints for figure in figures],
        order.character.style,
        order.character.realism,
    )
    if after_pass is not None:
        for done in range(1, order.passes):
            after_pass(done, preview(scene, done))
    picture = paint(scene, order.passes)
    if after_pass is not None:
        after_pass(order.passes, picture)
    parts, limbs = _masks(scene)
    return Drawing(
        picture,
        parts,
        limbs,
        tuple({name: figure.joints[name] for name in figure.person.body} for figure in figures),
        {layer.part: layer.colour for layer in layers},
    )


def _figure(person: Person, order: DollOrder) -> Figure:
    joints = complete(person, order.turn)
    return Figure(person, joints, order.turn, unit_of(person, joints, order.turn), order.character)


def _masks(scene: Scene) -> tuple[Image.Image, Image.Image]:
    """The masks of parts and limbs. The same in every style, but those of pixel art have its grid."""
    grid, factor = pixel_grid(scene) if scene.style == "pixel art" else (View(scene.size), 1)
    masks = Masks(grid, PARTS, LIMBS)
    for layer in scene.layers:
        masks.paint(layer)
    return enlarged(masks.parts, grid, factor, scene), enlarged(masks.limbs, grid, factor, scene)
