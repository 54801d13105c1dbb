"""Every garment of the vocabulary, on its pixels: it is drawn in its place and colour, and changes nothing
elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from colours import colour_difference
from doll_pictures import changed, character_of, count, doll, grown, main_colours, part_mask
from PIL import ImageChops

from avatarforge.forge.pictures.doll.character.character import Worn
from avatarforge.forge.pictures.doll.words.vocabulary.garments import GARMENTS

pytestmark = [pytest.mark.slow, pytest.mark.drawing]

SIZE = (256, 384)
COLOUR, ACCENT = (60, 120, 190), (230, 180, 60)
#: Hair lies flat under these.
FLATTENS_HAIR = {"hat", "wizardhat", "cap", "beanie", "helmet", "hood", "strawhat"}
#: Pixels around a part that its outline and its shade on what is below take.
MARGIN = 7


@pytest.mark.parametrize("turn", [0, 40])
@pytest.mark.parametrize("kind", GARMENTS)
def test_a_garment_changes_its_part_alone(kind: str, turn: int) -> None:
    slot = GARMENTS[kind].slot
    bare = replace(character_of("a woman with short black hair, neutral"), garments={})
    dressed = replace(bare, garments={slot: Worn(kind, COLOUR, ACCENT, "cloth")})
    before, after = doll(bare, turn, size=SIZE), doll(dressed, turn, size=SIZE)
    area = part_mask(after, slot)
    assert count(area) > 20, "it is not drawn"
    allowed = grown(area, MARGIN)
    if slot == "head" and kind in FLATTENS_HAIR:
        for drawing in (before, after):
            allowed = ImageChops.lighter(allowed, grown(part_mask(drawing, "hair"), MARGIN))
    if slot in ("right_hand", "left_hand"):
        # The hand closes around what it holds.
        limbs = [
            drawing.limbs.point(lambda value: 255 if value in (6, 9) else 0) for drawing in (before, after)
        ]
        for mask in limbs:
            allowed = ImageChops.lighter(allowed, grown(mask, MARGIN))
    elsewhere = ImageChops.subtract(changed(before, after), allowed)
    assert count(elsewhere) == 0, elsewhere.getbbox()


@pytest.mark.parametrize("kind", GARMENTS)
def test_a_garment_has_the_colour_that_it_was_given(kind: str) -> None:
    slot = GARMENTS[kind].slot
    character = replace(
        character_of("a woman with short black hair"), garments={slot: Worn(kind, COLOUR, ACCENT, "cloth")}
    )
    found = main_colours(doll(character, 0, size=SIZE))
    if slot in found:
        assert colour_difference(found[slot], COLOUR) <= 2.0
