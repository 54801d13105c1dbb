"""The seed document taken apart: its code blocks, and the routes that it promises."""

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
    """One fenced block.

    Attributes:
        language: what stands behind the opening fence.
        heading: the heading above it, without its emoji.
        number: counts the blocks of one language under one heading, from 1.
        text: what stands between the fences, unchanged.
    """

    language: str
    heading: str
    number: int
    text: str

    @property
    def name(self) -> str:
        return f"{self.language} {self.number} of {self.heading!r}"

    def document(self) -> Any:
        """The JSON of the block; what the document leaves out as ``...`` becomes empty."""
        return json.loads(self.text.replace("{...}", "{}").replace("[...]", "[]"))


@dataclass(frozen=True)
class Route:
    """A route as the document prints it, with the query parameters of its example."""

    method: str
    path: str
    query: tuple[str, ...]


def seed_blocks() -> tuple[Block, ...]:
    """Every fenced block, in the document's order. Raises ValueError when a fence stays open."""
    found: list[Block] = []
    counts: Counter[tuple[str, str]] = Counter()
    heading, language, lines = "", None, list[str]()
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        fence = _FENCE.match(line)
        if language is None:
            # A comment of a shell block looks like a heading too, so headings count outside of fences only.
            if fence:
                language, lines = fence[1], []
            elif title := _HEADING.match(line):
                heading = title[1]
        elif fence:
            counts[language, heading] += 1
            found.append(Block(language, heading, counts[language, heading], "\n".join(lines) + "\n"))
            language = None
        else:
            lines.append(line)
    if language is not None:
        raise ValueError(f"the block under {heading!r} does not end")
    return tuple(found)


def seed_block(language: str, heading: str, number: int = 1) -> Block:
    """One block by its place. Raises LookupError when the document has none there."""
    for block in seed_blocks():
        if (block.language, block.heading, block.number) == (language, heading, number):
            return block
    raise LookupError(f"the seed document has no block {language} {number} of {heading!r}")


def seed_routes() -> tuple[Route, ...]:
    """Every route that stands in bold under a heading."""
    found = []
    for method, target in _ROUTE.findall(DOCUMENT.read_text(encoding="utf-8")):
        parts = urlsplit(target)
        found.append(Route(method, parts.path, tuple(name for name, _value in parse_qsl(parts.query))))
    return tuple(found)


#: What the document sends and is answered.
UPLOAD_ANSWER = seed_block("json", "Upload Pose Image")
HASH_ANSWER = seed_block("json", "Check File Hash")
GENERATE_BODY = seed_block("json", "Generate Avatar", 1)
GENERATE_ANSWER = seed_block("json", "Generate Avatar", 2)
COMPLETED_ANSWER = seed_block("json", "Get Generation Status")
LIST_ANSWER = seed_block("json", "List Generations")
HEALTH_ANSWER = seed_block("json", "Health Check")
