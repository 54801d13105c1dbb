"""Paints layers: the clean style, which the other styles change.

See `masks` for the operations of Pillow that are used, so that pictures are the same in all of its versions.
"""

from __future__ import annotations

from PIL import Image, ImageChops

from .colours import light_of, line_of, mix, shade_of
from .description import Colour
from .layers import Layer, Patch, Stroke
from .masks import Area, View, area_of, filled, grown, lined, scaled, shifted, softened
from .scene import Look, Scene

#: The width of outlines, in statures. Half of it is outside of its area, and the other half is hidden by it.
LINE = 0.0042
_WHITE: Colour = (255, 255, 255)
_SHADE = shade_of(_WHITE)


class Canvas:
    """A picture that layers are painted on, from back to front."""

    #: How many times larger pictures are painted at most, so that edges are smooth.
    oversampling = 3

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
        return self.line * 2 + (self._reach(layer) * 2.5 if self.look.soft else 0) + 2

    def _reach(self, layer: Layer) -> float:
        return layer.depth * self.view.scale

    def paint(self, layer: Layer) -> None:
        area = area_of(layer, self.view, self.margin(layer))
        if area is None:
            return
        if self._covered is not None:
            self._cast(layer, area, self._covered)
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
        self.image.paste(line_of(layer.colour), area.box, grown(area.mask, self.line))

    def fill(self, layer: Layer, area: Area) -> None:
        self.image.paste(layer.colour, area.box, area.mask)

    def patch(self, patch: Patch, colour: Colour, area: Area) -> None:
        inside = area.only(filled([patch.outline], self.view, area.box))
        if patch.lined and self.look.line:
            edge = area.only(grown(inside, self.line * 0.8))
            self.image.paste(line_of(colour), area.box, edge)
        self.image.paste(colour, area.box, inside)

    def stroke(self, stroke: Stroke, layer: Layer, area: Area) -> None:
        ink = stroke.colour or (shade_of(layer.colour) if stroke.shade else line_of(layer.colour))
        self.image.paste(ink, area.box, self.stroke_mask(stroke, area))

    def stroke_mask(self, stroke: Stroke, area: Area) -> Image.Image:
        widths = [stroke.width] * len(stroke.points)
        return area.only(lined(stroke.points, widths, self.view, area.box))

    def shade(self, layer: Layer, area: Area) -> None:
        if self.look.soft:
            self._soft_shade(layer, area)
        else:
            self.darken(area, self.shade_mask(layer, area))
        if layer.material in ("metal", "silk", "leather") and self._reach(layer) >= 1:
            self._shine(layer, area)

    def shade_mask(self, layer: Layer, area: Area) -> Image.Image:
        """The side of a layer that is away from the light, and its patches of shade."""
        reach = self._reach(layer)
        mask = self._patches_of_shade(layer, area)
        if reach >= 1:
            lit = shifted(area.mask, -round(reach), -round(reach * 0.45))
            mask = ImageChops.lighter(mask, ImageChops.subtract(area.mask, lit))
        return area.only(mask)

    def _patches_of_shade(self, layer: Layer, area: Area) -> Image.Image:
        outlines = [patch.outline for patch in layer.patches if patch.colour is None]
        return filled(outlines, self.view, area.box)

    def darken(self, area: Area, mask: Image.Image) -> None:
        """Multiply with the colour of shade where the mask is."""
        below = self.image.crop(area.box)
        dark = ImageChops.multiply(below, Image.new("RGB", below.size, _SHADE))
        self.image.paste(dark, area.box, self.tone(mask))

    def tone(self, mask: Image.Image) -> Image.Image:
        """How a mask with soft edges is painted."""
        return mask

    def _shine(self, layer: Layer, area: Area) -> None:
        """A bright band along the lit edge."""
        metal, reach = layer.material == "metal", self._reach(layer)
        near, far = (round(reach * share) for share in ((0.75, 1.5) if metal else (0.55, 0.9)))
        band = ImageChops.subtract(
            shifted(area.mask, near, round(near * 0.45)), shifted(area.mask, far, round(far * 0.45))
        )
        if self.look.soft:
            band = softened(band, reach * 0.4)
        self.image.paste(self.light(layer.colour), area.box, self.tone(area.only(band)))

    def light(self, colour: Colour) -> Colour:
        return light_of(colour)

    def _soft_shade(self, layer: Layer, area: Area) -> None:
        """The gradient of a round body: dark away from the light, a highlight towards it."""
        reach = self._reach(layer)
        patches = self._patches_of_shade(layer, area)
        if reach < 1:
            self.darken(area, area.only(patches))
            return
        radius = reach * 1.7
        body = softened(area.mask, radius)
        x, y = round(reach * 0.9), round(reach * 0.5)
        dark = ImageChops.subtract(area.mask, shifted(body, -x, -y))
        dark = ImageChops.lighter(scaled(dark, 0.95), scaled(softened(patches, reach * 0.6), 0.85))
        self.darken(area, area.only(dark))
        # Bright where the body is lit, but not at its very edge.
        lit = ImageChops.subtract(body, shifted(body, round(x * 1.5), round(y * 1.5)))
        strength = 1.0 if layer.material in ("metal", "silk", "leather") else 0.55
        light = mix(layer.colour, (255, 250, 235), 0.5)
        self.image.paste(light, area.box, self.tone(area.only(scaled(lit, strength))))

    def _cast(self, layer: Layer, area: Area, covered: Image.Image) -> None:
        """Ambient shade on the figure below, around a layer that lies on it."""
        reach = self._reach(layer)
        if reach >= 1:
            below = covered.crop(area.box)
            spread = softened(grown(area.mask, reach * 0.3), reach * 0.9)
            spread = shifted(spread, round(reach * 0.25), round(reach * 0.35))
            self.darken(area, ImageChops.darker(scaled(spread, 0.7), below))
        covered.paste(255, area.box, area.mask)
