"""Parses the seed document: its code blocks, and the routes that it specifies."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DOCUMENT = Path(__file__).parent / "data" / "seed_api.md"

_FENCE = re.compile(r"^```(\w*)$")
_HEADING = re.compile(r"^#+ \W*(.+)$")
_ROUTE = re.compile(r"^\*\*(GET|POST|DELETE)\*\* `([^`]+)`$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced code block.

    Attributes:
        language: the text after the opening fence.
        heading: the heading above it, without its emoji.
        number: position among the blocks of one language under one heading, from 1.
        text: the text between the fences, unchanged.
    """

    language: str
    heading: str
    number: int
    text: str

    @property
    def name(self) -> str:
        return f"{self.language} {self.number} of {self.heading!r}"

    def document(self) -> Any:
        """The block's JSON, with omissions (``...``) replaced by empty values."""
        return json.loads(self.text.replace("{...}", "{}").replace("[...]", "[]"))


@dataclass(frozen=True)
class Route:
    """A route in the document, with the query parameters of its example."""

    method: str
    path: str
    query: tuple[str, ...]


def seed_blocks() -> tuple[Block, ...]:
    """All fenced blocks, in the document's order. Raises ValueError if a fence is not closed."""
    blocks: list[Block] = []
    counts: Counter[tuple[str, str]] = Counter()
    heading, language, lines = "", None, list[str]()
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        fence = _FENCE.match(line)
        if language is None:
            # Headings count only outside of fences, because shell comments look like headings.
            if fence:
                language, lines = fence[1], []
            elif title := _HEADING.match(line):
                heading = title[1]
        elif fence:
            counts[language, heading] += 1
            blocks.append(Block(language, heading, counts[language, heading], "\n".join(lines) + "\n"))
            language = None
        else:
            lines.append(line)
    if language is not None:
        raise ValueError(f"the block under {heading!r} does not end")
    return tuple(blocks)


def seed_block(language: str, heading: str, number: int = 1) -> Block:
    """A block by its language, heading and number. Raises LookupError if it does not exist."""
    for block in seed_blocks():
        if (block.language, block.heading, block.number) == (language, heading, number):
            return block
    raise LookupError(f"the seed document has no block {language} {number} of {heading!r}")


def seed_routes() -> tuple[Route, ...]:
    """All routes of the document, which prints their methods in bold."""
    routes = []
    for method, target in _ROUTE.findall(DOCUMENT.read_text(encoding="utf-8")):
        parts = urlsplit(target)
        routes.append(Route(method, parts.path, tuple(name for name, _value in parse_qsl(parts.query))))
    return tuple(routes)
