"""What a noun with its adjectives says about a character, or rules out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ..character.description import Colour, Garment, Material, Slot
from .adjectives import SKIN_OF_PERSONS, colouring, means_hair, names_colour
from .said import Said
from .vocabulary import terms
from .vocabulary.colours import COLOURS, SKIN_COLOURS
from .vocabulary.garment_words import MATERIALS
from .vocabulary.garments import GARMENTS
from .vocabulary.hair import BEARDS, HAIR_LENGTHS
from .vocabulary.sets import SETS
from .vocabulary.terms import SET, WORD, Term

_MATERIALS: dict[str, Material] = {name: name for name in MATERIALS}


class Binder:
    """Writes what is read into a `Said`."""

    def __init__(self, said: Said) -> None:
        self._said = said
        #: Slots of the last clothes, which a later "gold trim" belongs to.
        self._last: tuple[Slot, ...] = ()
        #: Colours of "gold trimmed", until their noun comes.
        self._trims: tuple[Colour, ...] = ()

    def bind(self, noun: Term, adjectives: Sequence[str], denied: bool) -> None:
        """Adjectives before their noun. What does not fit it is noted as unknown."""
        for word in self._fitting(noun, adjectives, denied):
            self._leftover(noun, word, denied)

    def bind_after(self, noun: Term, adjectives: Sequence[str], denied: bool) -> None:
        """Adjectives after a noun that was bound before."""
        if noun.part == "trim":
            self.unbound(adjectives, denied)
        else:
            self.bind(noun, adjectives, denied)

    def unbound(self, adjectives: Sequence[str], denied: bool) -> None:
        """Adjectives without a noun."""
        hairy = any(map(means_hair, adjectives))
        for word in adjectives:
            if hairy and word in terms.hair_length_words():
                # "a short brunette"
                self._hair(Term("hair", "hair"), [word], denied)
            elif not self.by_itself(word, denied) and not denied:
                self._said.note_unknown(word)

    def by_itself(self, word: str, denied: bool = False) -> bool:
        """Take an adjective that needs no noun ("blonde", "slim"). False if it needs one."""
        if means_hair(word):
            self._hair(Term("hair", "hair"), [word], denied)
        elif word in terms.build_words():
            self._say("build", terms.build_words()[word], WORD, denied)
        elif word in terms.age_words():
            self._say("age", terms.age_words()[word], WORD, denied)
        elif word in terms.skin_colour_words() and not names_colour(word) and word not in _AMBIGUOUS_SKIN:
            self._coloured("skin", [word], denied)
        else:
            return False
        return True

    def trimmed(self, adjectives: Sequence[str]) -> list[str]:
        """The colours among the adjectives become those of the trim. Returns the other adjectives."""
        colours = [word for word in adjectives if names_colour(word)]
        self._trims = colouring(colours, "things").colours
        return [word for word in adjectives if word not in colours]

    def end_trim(self) -> None:
        """No noun came after "gold trimmed": it belongs to the clothes before."""
        if self._trims:
            self._said.trim(self._last, self._trims[0])
            self._trims = ()

    def feature(self, term: Term, denied: bool) -> None:
        if term.part == "bare":
            if not denied:
                self._said.leave_bare(term.slots, WORD)
        elif term.part == "realism":
            self._said.realism = self._said.realism or not denied
        for field, value in term.features:
            self._say(field, value, WORD, denied)

    def beard(self, term: Term, adjectives: Sequence[str], denied: bool) -> None:
        """A beard, whose colour is that of the hair unless the words give that another."""
        value = term.features[0][1]
        if denied and value == "full":
            self._said.excluded.update(f"beard:{name}" for name in BEARDS if name != "none")
            return
        self._say("beard", value, WORD, denied)
        colours = colouring(adjectives, "hair").colours
        if colours and not denied:
            self._said.say("hair_colour", colours[0], SET)

    def _fitting(self, noun: Term, adjectives: Sequence[str], denied: bool) -> Sequence[str]:
        """Say what fits the noun. Returns the adjectives that do not."""
        if noun.part == "hair":
            return self._hair(noun, adjectives, denied)
        if noun.part == "eyes":
            return self._coloured("eyes", adjectives, denied)
        if noun.part == "skin":
            return self._coloured("skin", adjectives, denied)
        if noun.part == "background":
            found = colouring(adjectives, "things")
            if found.colours and denied:
                self._said.excluded_colours.add(("background", found.colours[0]))
            elif found.colours:
                self._said.say("background", found.colours[0], WORD)
            return [word for word in found.rest if not names_colour(word)]
        if noun.part == "trim":
            found = colouring(adjectives, "things")
            if found.colours and not denied:
                self._said.trim(self._last, found.colours[0])
            return found.rest
        if noun.part == "person":
            return self._person(noun, adjectives, denied)
        return self._clothes(noun, adjectives, denied)

    def _hair(self, noun: Term, adjectives: Sequence[str], denied: bool) -> Sequence[str]:
        if denied and not adjectives and not noun.features:
            self._said.excluded.update(f"hair_length:{name}" for name in HAIR_LENGTHS if name != "bald")
        lengths, styles = terms.hair_length_words(), terms.hair_style_words()
        features = [("hair_length", lengths[word]) for word in adjectives if word in lengths]
        features += [("hair_style", styles[word]) for word in adjectives if word in styles]
        rest = self._coloured("hair", [w for w in adjectives if w not in lengths and w not in styles], denied)
        if not denied:
            features += noun.features
        elif not adjectives:
            features += noun.features[:1]
        for field, value in features:
            self._say(field, value, WORD, denied)
        return rest

    def _coloured(
        self, of: Literal["hair", "eyes", "skin"], adjectives: Sequence[str], denied: bool
    ) -> Sequence[str]:
        found = colouring(adjectives, of)
        if found.colours and denied:
            self._said.excluded_colours.add((of, found.colours[0]))
        elif found.colours:
            self._said.say("eye_colour" if of == "eyes" else f"{of}_colour", found.colours[0], WORD)
        return found.rest

    def _person(self, noun: Term, adjectives: Sequence[str], denied: bool) -> Sequence[str]:
        rest = []
        skin = []
        for word in adjectives:
            if word in SKIN_OF_PERSONS:
                skin.append(word)
            elif not self.by_itself(word, denied):
                rest.append(word)
        if skin:
            self._coloured("skin", skin, denied)
        if not denied or not adjectives:
            self._features(noun, denied)
        return rest

    def _features(self, noun: Term, denied: bool) -> None:
        for field, value in noun.features:
            if field == "skin_colour":
                colour = SKIN_COLOURS[value].colour if value in SKIN_COLOURS else COLOURS[value]
                if not denied:
                    self._said.say(field, colour, noun.strength)
            else:
                self._say(field, value, noun.strength, denied)

    def _clothes(self, noun: Term, adjectives: Sequence[str], denied: bool) -> Sequence[str]:
        found = colouring(adjectives, "things")
        if denied:
            colours = [(kind, colour) for kind in noun.kinds for colour in found.colours[:1]]
            self._said.excluded_colours.update(colours)
            self._said.excluded.update(() if colours else noun.kinds)
            return ()
        self._features(noun, False)
        materials = [terms.material_words()[word] for word in found.rest if word in terms.material_words()]
        material = _MATERIALS[materials[0]] if materials else None
        colour = found.colours[0] if found.colours else None
        trims = self._trims or found.colours[1:2]
        self._trims = ()
        if noun.pieces is SETS["outfit"].pieces and colour is None and material is None:
            return found.rest
        for piece in noun.pieces:
            changed = piece.kind in noun.coloured
            garment = Garment(
                piece.kind,
                colour if changed else None,
                material if changed and material else piece.material,
                trims[0] if changed and trims else None,
                COLOURS[piece.colour] if piece.colour else None,
            )
            self._said.wear(garment, noun.strength)
        self._last = tuple(GARMENTS[kind].slot for kind in noun.coloured)
        return [word for word in found.rest if word not in terms.material_words()]

    def _leftover(self, noun: Term, word: str, denied: bool) -> None:
        """An adjective that does not fit its noun: hair's is meant for hair, sizes say nothing of clothes."""
        if means_hair(word):
            self._hair(Term("hair", "hair"), [word], denied)
        elif not denied and not (noun.part != "person" and _is_size(word)):
            self._said.note_unknown(word)

    def _say(self, field: str, value: str, strength: int, denied: bool) -> None:
        if denied:
            self._said.excluded.add(f"{field}:{value}")
        else:
            self._said.say(field, value, strength)


#: Words of SKIN_COLOURS that, without "skin", mean nothing certain.
_AMBIGUOUS_SKIN = frozenset({"medium", "warm", "light", "deep", "rosy", "very dark", "dark", "caramel"})


def _is_size(word: str) -> bool:
    sizes = (terms.hair_length_words(), terms.build_words(), terms.age_words(), terms.modifier_words())
    return any(word in table for table in (*sizes, terms.hair_style_words()))
