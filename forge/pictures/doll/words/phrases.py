"""Reads the text of a prompt: which adjectives belong to which nouns, and what is not wanted."""

from __future__ import annotations

from typing import Literal

from ..character.description import Age
from .adjectives import names_colour
from .binding import Binder
from .said import Said
from .split import COLON, COMMA, STOP, split_words
from .vocabulary.terms import NOUNS, ROLE, Term, longest_term, terms

#: Adjectives that wait for their noun, at most; earlier ones count as unbound.
MAX_WAITING = 8
#: Links after which colours said of a person are those of the clothes ("a woman in red").
_CLOTHED = frozenset({"in", "wearing", "wears", "wear", "dressed", "clad", "donning"})
_YEARS = frozenset({"years", "year", "yr", "yrs", "yo"})
_AGED = frozenset({"aged", "age"})


class Reader:
    """Reads texts into a `Said`. `unwanted` reads a negative prompt: all that it names is ruled out."""

    def __init__(self, said: Said, *, unwanted: bool = False) -> None:
        self._binder = Binder(said)
        self._said = said
        self._unwanted = unwanted
        self._reset()

    def _reset(self) -> None:
        #: Adjectives since the last boundary, and those of earlier phrases ("long, silver hair").
        self._waiting: list[str] = []
        self._carried: list[str] = []
        #: Whether a noun that the doll does not draw came after those that wait.
        self._taken = False
        #: The noun that adjectives after it may belong to ("eyes are green"), and the link after it.
        self._noun: Term | None = None
        self._link: str | None = None
        #: The noun of "hair: long, silver".
        self._topic: Term | None = None
        #: "on" after "no"; "done" after what it ruled out; "perhaps" if "and" then goes on.
        self._negation: Literal["off", "on", "done", "perhaps"] = "off"
        self._previous = STOP

    def read(self, text: str) -> None:
        words = split_words(text)
        self._reset()
        at = 0
        while at < len(words):
            if words[at] in (COMMA, COLON, STOP):
                self._break(words[at])
                self._previous = words[at]
                at += 1
                continue
            length = self._read_age(words, at)
            if not length:
                term = _term_at(words, at)
                length = term.text.count(" ") + 1 if term else 1
                self._take(term, words[at])
            self._previous = words[at + length - 1]
            at += length
        self._break(STOP)
        self._said.order_unknown(words)

    def _break(self, mark: str) -> None:
        if mark == COLON and self._noun is not None and not self._waiting:
            self._topic = self._noun
            return
        self._drop_taken()
        if mark == COMMA and self._noun is None and self._topic is None and not self._denies(True):
            # An adjective without a noun may belong to the next phrase.
            self._carried += [word for word in self._waiting if not self._binder.by_itself(word)]
            self._waiting = []
            self._shorten()
        else:
            self._flush()
            if mark != COMMA:
                self._flush_carried()
                self._topic = None
        self._noun = self._link = None
        self._negation = "off"

    def _take(self, term: Term | None, word: str) -> None:
        part = term.part if term is not None else "unknown"
        if self._negation == "done" and part not in ("and", "or", "filler"):
            self._negation = "off"
        if term is None or part == "body":
            self._take_other_noun(word if term is None else None)
        elif part in NOUNS:
            self._take_noun(term)
        elif part == "adjective":
            self._waiting.append(term.text)
            self._taken = False
            self._shorten()
        elif part == "trimmed":
            self._waiting = self._binder.trimmed(self._waiting)
        elif part in ("feature", "bare", "style", "realism"):
            self._take_feature(term)
        elif part != "filler":
            self._take_grammar(term)

    def _take_grammar(self, term: Term) -> None:
        if term.part == "determiner":
            self._flush()
        elif term.part == "link":
            if self._noun is not None:
                self._flush()
                self._link = term.text
            elif term.text in _CLOTHED - {"in"}:
                self._flush()
                self._noun, self._link = terms()["outfit"], term.text
        elif term.part == "preposition":
            self._flush()
            self._noun = self._link = None
            self._negation = "off"
        elif term.part == "negator":
            self._flush()
            self._noun = self._link = None
            self._negation = "on"
        else:
            self._take_conjunction(term)

    def _take_conjunction(self, term: Term) -> None:
        self._drop_taken()
        if self._negation == "done":
            self._negation = "on" if term.part == "or" else "perhaps"
        elif not self._waiting and self._link is None:
            self._noun = None

    def _take_other_noun(self, unknown: str | None) -> None:
        """A word that the doll does not know, or a part of the body."""
        if unknown is not None and not self._denies(bool(self._waiting)):
            self._said.note_unknown(unknown)
        # The adjectives are this word's, unless another noun follows ("a red wibbly cape").
        self._taken = bool(self._waiting)
        self._end_negation()

    def _take_feature(self, term: Term) -> None:
        denied = self._denies(False)
        if term.features and term.features[0][0] == "beard":
            self._binder.beard(term, self._waiting, denied)
            self._waiting = []
        else:
            self._binder.feature(term, denied)
        self._end_negation()

    def _take_noun(self, term: Term) -> None:
        if self._waiting and self._noun is not None and self._previous in ("and", "n"):
            # "her eyes are green and hair is red"
            self._flush()
        denied = self._denies(bool(self._waiting))
        adjectives = self._waiting
        self._waiting, self._taken = [], False
        if not denied:
            adjectives += self._fitting_carried(adjectives)
        self._binder.bind(term, adjectives, denied)
        self._end_negation()
        self._noun, self._link = term, None
        self._topic = None

    def _fitting_carried(self, adjectives: list[str]) -> list[str]:
        """The carried adjectives, which are used up: no colours, if there is one already."""
        carried, self._carried = self._carried, []
        if not any(map(names_colour, adjectives)):
            return carried
        self._binder.unbound(list(filter(names_colour, carried)), self._unwanted)
        return [word for word in carried if not names_colour(word)]

    def _flush(self) -> None:
        """The adjectives that wait get no noun after them: they belong to the one before, or to none."""
        self._drop_taken()
        waiting, self._waiting = self._waiting, []
        denied = self._denies(bool(waiting))
        noun = self._noun or self._topic
        if waiting and noun is not None:
            clothed = noun.part == "person" or noun.strength == ROLE
            if clothed and self._link in _CLOTHED:
                noun = terms()["outfit"]
            self._binder.bind_after(noun, waiting, denied)
        else:
            self._binder.unbound(waiting, denied)
        self._binder.end_trim()

    def _drop_taken(self) -> None:
        """Adjectives of a noun that the doll does not draw mean nothing, except those that need no noun."""
        if self._taken:
            for word in self._waiting:
                self._binder.by_itself(word, self._denies(True))
            self._waiting = []
            self._taken = False

    def _flush_carried(self) -> None:
        carried, self._carried = self._carried, []
        self._binder.unbound(carried, self._unwanted)

    def _shorten(self) -> None:
        for words in (self._waiting, self._carried):
            while len(words) > MAX_WAITING:
                self._binder.unbound([words.pop(0)], self._unwanted)

    def _denies(self, with_adjectives: bool) -> bool:
        if self._unwanted or self._negation == "on":
            return True
        return self._negation == "perhaps" and not with_adjectives

    def _end_negation(self) -> None:
        self._negation = "done" if self._negation == "on" or self._negation == "perhaps" else "off"

    def _read_age(self, words: list[str], at: int) -> int:
        """Read "12 years old", "12yo" or "aged 12". Returns how many words that takes, 0 if it is none."""
        word = words[at]
        number = word.removesuffix("yo")
        if not (number.isascii() and number.isdigit() and len(number) <= 3):
            return 0
        following = words[at + 1 : at + 3]
        if following and following[0] in _YEARS:
            length = 3 if following[1:] == ["old"] else 2
        elif number != word or self._previous in _AGED:
            length = 1
        else:
            return 0
        term = Term("feature", word, (("age", _age(int(number))),))
        self._binder.feature(term, self._denies(False))
        return length


def _age(years: int) -> Age:
    if years <= 12:
        return "child"
    if years <= 17:
        return "teen"
    return "adult" if years < 60 else "old"


def _term_at(words: list[str], at: int) -> Term | None:
    """The longest term that begins there."""
    known = terms()
    for length in range(min(longest_term(), len(words) - at), 0, -1):
        term = known.get(" ".join(words[at : at + length]))
        if term is not None:
            return term
    return None
