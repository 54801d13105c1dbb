"""Ids of files and generations: UUIDs, case-insensitive (RFC 9562, section 4)."""

from __future__ import annotations

import re

_HEX = "[0-9A-Fa-f]"
#: A UUID with hyphens, in either case. Braces, `urn:uuid:` and 32 digits without hyphens are not accepted.
UUID_PATTERN = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_UUID = re.compile(UUID_PATTERN)


def is_id(text: str) -> bool:
    """Whether the text is a UUID, in upper or lower case."""
    return _UUID.fullmatch(text) is not None


def is_canonical_id(text: str) -> bool:
    """Whether the text is an id as stored, such as the name of a generation's folder."""
    return is_id(text) and text == text.lower()


def canonical_id(text: str) -> str:
    """The id as stored, in lower case. Any other text is returned unchanged and matches no id."""
    return text.lower() if is_id(text) else text
