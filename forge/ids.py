"""Ids of files and generations: UUIDs, the same in capitals (RFC 9562, section 4)."""

from __future__ import annotations

import re

_HEX = "[0-9A-Fa-f]"
#: A UUID with its hyphens, in either case. Braces, `urn:uuid:` and 32 digits in a row are no ids here.
UUID_PATTERN = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_UUID = re.compile(UUID_PATTERN)


def is_id(text: str) -> bool:
    """Whether the text is a UUID, in whichever case."""
    return _UUID.fullmatch(text) is not None


def is_canonical_id(text: str) -> bool:
    """Whether the text is an id as it is stored, such as the name of a generation's folder."""
    return is_id(text) and text == text.lower()


def canonical_id(text: str) -> str:
    """An id as it is stored, in lower case. Any other text stays as it is: it is the id of nothing."""
    return text.lower() if is_id(text) else text
