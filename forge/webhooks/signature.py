"""Signs webhooks with scheme v1 of the Standard Webhooks specification 1.0.0 (standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes of a key, from the specification


def read_secret(text: str) -> bytes:
    """The key in a secret such as "whsec_MfKQ...". Raises ValueError, which says what is valid."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"it must be {PREFIX} and {SHORTEST} to {LONGEST} random bytes in base64")
    return key


def headers(key: bytes, message_id: str, timestamp: int, body: str) -> dict[str, str]:
    """The headers of one attempt; `timestamp` is in seconds since 1970."""
    signed = hmac.new(key, f"{message_id}.{timestamp}.{body}".encode(), hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signed.digest()).decode('ascii')}",
    }
