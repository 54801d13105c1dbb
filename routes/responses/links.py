"""The response with signed links."""

from __future__ import annotations

from pydantic import Field

from ..models import LazyModel


class SignedUrl(LazyModel):
    url: str = Field(description="As it was sent.")
    signed_url: str = Field(
        description="The same, its id in lower case, with `expires` and `signature`: needs no key."
    )
    expires_at: str


class SignedUrlsAnswer(LazyModel):
    urls: list[SignedUrl] = Field(description="In the order in which they were sent.")
