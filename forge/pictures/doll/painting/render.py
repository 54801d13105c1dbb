"""Paints layers: the clean style, which the other styles change.

See `masks` for the operations of Pillow that are used, so that pictures are the same in all of its versions.
"""

from __future__ import annotations

from PIL import Image, ImageChops

from ..character.description import Colour
from ..character.shades import light_of, line_of, shade_of
from .layers import Layer, Patch, Stroke
from .masks import (
    Area,
    Box,
    Edges,
    View,
    area_of,
    filled,
    grown,
    line_pieces,
    scaled,
    shifted,
    softened,
    without,
)
from .scene import Look, Scene

#: The width of outlines, in statures. Half of it is outside of its area, and the other half is hidden by it.
LINE = 0.0042
_SHINY = frozenset({"metal", "silk", "leather"})
#: The colours of soft light and of ambient shade, which are thin.
_LIGHT: Colour = (255, 250, 235)
_DEEP: Colour = (52, 38, 62)


class Canvas:
    """A picture that layers are painted on, from back to front."""

    @classmethod
    def edges(cls, scene: Scene) -> Edges:
        """How areas end: hard edges become smooth when the picture is reduced, which needs a canvas of many
        pixels. Smooth ones are quicker where there are soft masks anyway."""
        return "smooth" if scene.realism else "hard"

    def __init__(self, scene: Scene, view: View, look: Look) -> None:
        self.scene, self.view, self.look = scene, view, look
        #: One stature, and the width of a line outside of its area, in pixels of the canvas.
        self.unit = scene.unit * view.scale
        self.line = max(0.5, self.unit * LINE / 2)
        self.image = Image.new("RGB", view.size, self.paper)
        # Where a figure has been painted, so that soft shade falls on figures only.
        self._covered = Image.new("L", view.size) if look.soft else None

    @property
    def paper(self) -> Colour:
        """The colour of the background."""
        return self.scene.background

    def finished(self, reduced: int) -> Image.Image:
        """The picture, reduced by this factor."""
        return self.image.reduce(reduced) if reduced > 1 else self.image

    def margin(self, layer: Layer) -> float:
        """How far outside of its shapes a layer is painted, in pixels of the canvas."""
        return self.line * 2 + (self.reach(layer) * 2.5 if self.look.soft else 0) + 2

    def rim(self) -> float:
        """How far outside of the canvas something changes what is on it, in pixels of the canvas."""
        return max((self.margin(layer) for layer in self.scene.layers), default=0.0)

    def reach(self, layer: Layer) -> float:
        return layer.depth * self.view.scale

    def paint(self, layer: Layer) -> None:
        area = area_of(layer, self.view, self.margin(layer))
        if area is None:
            return
        if self._covered is not None:
            self.cast(layer, area, self._covered)
        if self.look.line and layer.lined:
            self.outline(layer, area)
        self.fill(layer, area)
        for patch in layer.patches:
            if patch.colour is not None:
                self.patch(patch, patch.colour, area)
        if self.look.shade:
            self.shade(layer, area)
        for stroke in layer.strokes:
            if self.look.shade if stroke.shade else self.look.line:
                self.stroke(stroke, layer, area)

    def outline(self, layer: Layer, area: Area) -> None:
        self.lay(line_of(layer.colour), area.box, self.edge(area.mask))

    def edge(self, mask: Image.Image, width: float = 1.0) -> Image.Image:
        """The mask with a line around it, whose width is relative to the usual one."""
        return grown(mask, max(0.5, self.line * width))

    def fill(self, layer: Layer, area: Area) -> None:
        self.lay(layer.colour, area.box, area.mask)

    def patch(self, patch: Patch, colour: Colour, area: Area) -> None:
        inner = area.within([patch.outline], self.view, self.line * 2 + 2)
        if inner is None:
            return
        if patch.lined and self.look.line:
            self.patch_outline(colour, inner, area)
        self.fill_patch(patch, colour, inner)

    def patch_outline(self, colour: Colour, inner: Area, area: Area) -> None:
        edge = ImageChops.darker(self.edge(inner.mask, 0.8), area.cropped(area.mask, inner.box))
        self.lay(line_of(colour), inner.box, edge)

    def fill_patch(self, patch: Patch, colour: Colour, inner: Area) -> None:
        self.lay(colour, inner.box, inner.mask)

    def stroke(self, stroke: Stroke, layer: Layer, area: Area) -> None:
        pieces = line_pieces(stroke.points, self.stroke_widths(stroke))
        inner = area.within(pieces, self.view)
        if inner is not None:
            self.lay(self.stroke_colour(stroke, layer), inner.box, inner.mask)

    def stroke_colour(self, stroke: Stroke, layer: Layer) -> Colour:
        return stroke.colour or (shade_of(layer.colour) if stroke.shade else line_of(layer.colour))

    def stroke_widths(self, stroke: Stroke) -> list[float]:
        """In pixels of the drawing, one per point."""
        return [stroke.width] * len(stroke.points)

    def shade(self, layer: Layer, area: Area) -> None:
        if self.look.soft:
            self._soft_shade(layer, area)
        else:
            self.lay_shade(layer, area, self.shade_mask(layer, area))
        if layer.material in _SHINY and self.reach(layer) >= 1:
            self.shine(layer, area)

    def lay_shade(self, layer: Layer, area: Area, mask: Image.Image) -> None:
        """Shade a layer with its patches where the mask is."""
        self.lay(self.dark(layer.colour), area.box, mask)
        for patch in layer.patches:
            inner = area.within([patch.outline], self.view) if patch.colour is not None else None
            if inner is not None and patch.colour is not None:
                self.lay(self.dark(patch.colour), inner.box, inner.only(area.cropped(mask, inner.box)))

    def shade_mask(self, layer: Layer, area: Area) -> Image.Image:
        """The side of a layer that is away from the light, and its patches of shade, in mode 1."""
        reach = self.reach(layer)
        mask = self._patches_of_shade(layer, area)
        if reach >= 1:
            lit = shifted(area.mask, -round(reach), -round(reach * 0.45))
            mask = ImageChops.lighter(mask, ImageChops.invert(lit))
        return area.only(mask)

    def _patches_of_shade(self, layer: Layer, area: Area) -> Image.Image:
        outlines = [patch.outline for patch in layer.patches if patch.colour is None]
        return filled(outlines, self.view, area.box)

    def rim_mask(self, area: Area, near: float, far: float) -> Image.Image:
        """A band between two distances from the lit edge, in mode 1."""
        outer = shifted(area.mask, round(near), round(near * 0.45))
        inner = shifted(area.mask, round(far), round(far * 0.45))
        return area.only(without(outer, inner))

    def shine(self, layer: Layer, area: Area) -> None:
        """A bright band along the lit edge, not on patches of another colour."""
        reach = self.reach(layer)
        near, far = (0.75, 1.5) if layer.material == "metal" else (0.55, 0.9)
        band = self.rim_mask(area, near * reach, far * reach)
        patches = [patch.outline for patch in layer.patches if patch.colour is not None]
        if patches:
            band = without(band, filled(patches, self.view, area.box))
        if self.look.soft:
            band = area.only(softened(band, reach * 0.4))
        self.lay(self.light(layer.colour), area.box, band)

    def dark(self, colour: Colour) -> Colour:
        return shade_of(colour)

    def light(self, colour: Colour) -> Colour:
        return light_of(colour)

    def _soft_shade(self, layer: Layer, area: Area) -> None:
        """The gradient of a round body: dark away from the light, a highlight towards it."""
        reach = self.reach(layer)
        patches = self._patches_of_shade(layer, area)
        if reach < 1:
            self.lay_shade(layer, area, area.only(patches))
            return
        body = softened(area.mask, reach * 1.7)
        x, y = reach * 0.9, reach * 0.5
        dark = scaled(ImageChops.invert(shifted(body, -round(x), -round(y))), 0.95)
        if any(patch.colour is None for patch in layer.patches):
            dark = ImageChops.lighter(dark, scaled(softened(patches, reach * 0.6), 0.85))
        self.lay_shade(layer, area, area.only(dark))
        # Bright where the body is lit, but not at its very edge.
        lit = ImageChops.subtract(body, shifted(body, round(x * 1.5), round(y * 1.5)))
        strength = 0.5 if layer.material in _SHINY else 0.28
        self.lay(_LIGHT, area.box, area.only(lit), strength)

    def lay(self, colour: Colour, box: Box, mask: Image.Image, strength: float = 1.0) -> None:
        """Paint a colour where the mask is, thinner if its strength is below 1."""
        if strength < 1:
            mask = scaled(mask, strength)
        # Through a mask in mode L, Pillow pastes a picture faster than a colour.
        self.image.paste(Image.new("RGB", mask.size, colour) if mask.mode == "L" else colour, box, mask)

    def cast(self, layer: Layer, area: Area, covered: Image.Image) -> None:
        """Ambient shade on the figure below, around a layer that lies on it."""
        reach = self.reach(layer)
        if reach >= 1:
            spread = softened(grown(area.mask, reach * 0.3), reach * 0.9)
            spread = shifted(spread, round(reach * 0.25), round(reach * 0.35))
            below = covered.crop(area.box)
            self.lay(_DEEP, area.box, ImageChops.darker(spread, below), 0.34)
        covered.paste(255, area.box, area.mask)
