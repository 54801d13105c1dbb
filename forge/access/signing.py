"""Signed links, which show one picture without the API key until they expire.

A signature is an HMAC (RFC 2104) with SHA-256 over path, query and expiry. It permits reading exactly that
path with that query.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable
from urllib.parse import urlencode

from ..errors import ForbiddenError

#: The query parameters that a signed link adds.
EXPIRES = "expires"
SIGNATURE = "signature"
LONGEST = 7 * 86_400  # seconds
USUAL = 3_600  # seconds

# Separates these signatures from those of any other use of the same secret.
_PURPOSE = "avatarforge link 1"
_DIGITS = re.compile("[1-9][0-9]{0,11}")


class Signer:
    """Signs links and checks their signatures."""

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        self._secret = secret.encode()
        self._now = now

    def expiry(self, seconds: int) -> int:
        """The time `seconds` from now, in seconds since 1970."""
        return int(self._now()) + seconds

    def sign(self, path: str, query: Iterable[tuple[str, str]], expires: int) -> str:
        """The signature, in hex, of a path and its other query parameters until `expires` (seconds since
        1970)."""
        # Signed paths never contain a line break, so the parts cannot be confused.
        others = urlencode(sorted(query), errors="surrogatepass")
        message = "\n".join((_PURPOSE, path, others, str(expires))).encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    def check(self, path: str, query: Iterable[tuple[str, str]]) -> None:
        """Raises ForbiddenError unless the query has a valid signature that has not expired."""
        values = list(query)
        expires = [value for name, value in values if name == EXPIRES]
        signatures = [value for name, value in values if name == SIGNATURE]
        if len(expires) != 1 or len(signatures) != 1 or not _DIGITS.fullmatch(expires[0]):
            raise ForbiddenError(
                f"A signed link carries {EXPIRES} and {SIGNATURE}, each once, as POST /signed_urls gave "
                "them.",
                code="invalid_signed_link",
            )
        others = [(name, value) for name, value in values if name not in (EXPIRES, SIGNATURE)]
        expected = self.sign(path, others, int(expires[0]))
        given = signatures[0].encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(expected.encode(), given):
            raise ForbiddenError(
                "The signature does not belong to this link. Ask POST /signed_urls for one to this picture.",
                code="invalid_signed_link",
            )
        if int(expires[0]) <= self._now():
            raise ForbiddenError(
                "This link has expired. Ask POST /signed_urls for a new one.", code="signed_link_expired"
            )
