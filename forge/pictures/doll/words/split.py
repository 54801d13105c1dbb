"""Splits the text of a prompt into words and breaks. Syntax of prompts is removed: it means nothing here."""

from __future__ import annotations

import re

#: Ends a phrase, but adjectives may go on: "long, silver hair".
COMMA = ","
#: Ends a phrase.
STOP = "."
COLON = ":"

MAX_TEXT = 10_000  # characters that are read
MAX_WORD = 40  # characters: a longer one is cut

# Each pattern matches in linear time: what it repeats excludes what ends it.
_TAG = re.compile(r"<[^<>]*>|\bembedding:[^\s,]*")
_WEIGHT = re.compile(r":\s{0,3}-?[0-9.]{1,9}\s{0,3}(?=[)\]}>])")
_KEYWORD = re.compile(r"\bBREAK\b")
_POSSESSIVE = re.compile(r"['\u2019`]s?\b")
_TOKEN = re.compile(
    "(?P<comma>[,|/\uff0c\u3001])|(?P<colon>[:\uff1a])|(?P<stop>[.;!?\n\r\u3002\uff01\uff1f\uff1b])"
    "|(?P<word>[^\\s,|/:.;!?()\\[\\]{}<>\"'`*+=~_\\\\\u2010-\u2015\u2018-\u201f\uff0c\u3001\uff1a\u3002\uff01\uff1f\uff1b-]+)"
)
#: American spellings as the tables have them.
_SPELLINGS = {
    **{"armor": "armour", "armored": "armoured", "gray": "grey", "graying": "greying", "color": "colour"},
    **{"colored": "coloured", "colors": "colours", "mustache": "moustache", "mustached": "moustached"},
    **{"mustaches": "moustaches", "watercolor": "watercolour", "watercolors": "watercolours"},
    **{"jewelry": "jewellery", "saber": "sabre", "scepter": "sceptre", "traveler": "traveller"},
    **{"blond": "blonde", "blondes": "blonde", "armors": "armour", "armours": "armour"},
    **{"pajamas": "pyjamas", "woolen": "woollen", "coloring": "colouring", "travelers": "travellers"},
}


def split_words(text: str) -> list[str]:
    """The words of a text, in lower case and British spelling, and COMMA, COLON or STOP between phrases."""
    text = _TAG.sub(" ", text[:MAX_TEXT])
    text = _WEIGHT.sub(" ", text)
    text = _KEYWORD.sub(STOP, text)
    words: list[str] = []
    for found in _TOKEN.finditer(_POSSESSIVE.sub("", text)):
        if found["comma"]:
            words.append(COMMA)
        elif found["colon"]:
            words.append(COLON)
        elif found["stop"]:
            words.append(STOP)
        else:
            word = "".join(filter(str.isprintable, found["word"][:MAX_WORD])).lower()[:MAX_WORD]
            if any(map(str.isalnum, word)):
                words.append(_SPELLINGS.get(word, word))
    return words
