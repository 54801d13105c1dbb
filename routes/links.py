"""The endpoint that signs links, which show pictures and exports without the key until they expire."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError

from ..forge.access.signing import EXPIRES, SIGNATURE, Signer
from ..forge.errors import UnavailableError, UnprocessableError
from ..forge.ids import UUID_PATTERN, canonical_id
from . import character_files, exports, files, generations, live, requests, responses
from .access import access_of
from .context import PREFIX, Call, Endpoint
from .rendering import iso_time

SIGNABLE = tuple(
    endpoint
    for module in (files, generations, live, character_files, exports)
    for endpoint in module.ENDPOINTS
    if endpoint.signable
)
_BASE = re.compile(f"(?:/api)?(?:{re.escape(PREFIX)})?")
# The pattern of each placeholder. No character needs escaping, so there is only one way to write each path.
_PATTERNS = {"name": "[A-Za-z0-9_.-]+", "position": "[0-9]{1,4}"}
_PLACEHOLDER = re.compile(r"{(\w+)}")
MICROSECONDS = 1_000_000


async def sign_urls(call: Call) -> responses.SignedUrlsAnswer:
    body = call.validated_body(requests.SignedUrlsBody)
    signer = access_of(call.request).signer
    if signer is None:
        raise UnavailableError("AvatarForge is not available: links cannot be signed now.")
    expires = signer.expiry(body.expires_in)
    urls = [_signed(signer, url, expires, position) for position, url in enumerate(body.urls)]
    return responses.SignedUrlsAnswer(urls=urls)


def _signed(signer: Signer, url: str, expires: int, position: int) -> responses.SignedUrl:
    base, path, query = _split(url, position)
    signature = signer.sign(path, query, expires)
    signed_query = urlencode([*query, (EXPIRES, str(expires)), (SIGNATURE, signature)])
    return responses.SignedUrl(
        url=url, signed_url=f"{base}{path}?{signed_query}", expires_at=iso_time(expires * MICROSECONDS)
    )


def _split(url: str, position: int) -> tuple[str, str, list[tuple[str, str]]]:
    """(base, path of the endpoint, query)

    The base stays as it was sent, so that the signed link resolves like the original URL. `position` is the
    index of the URL in the request. Raises UnprocessableError.
    """
    path, _, text = url.partition("?")
    base = _BASE.match(path)
    rest = path[base.end() :] if base else path
    for endpoint in SIGNABLE:
        match = re.fullmatch(_pattern(endpoint), rest, re.ASCII)
        if match is not None:
            values = {
                name: value if name in _PATTERNS else canonical_id(value)
                for name, value in match.groupdict().items()
            }
            return (
                path[: len(path) - len(rest)],
                endpoint.path.format_map(values),
                _query(endpoint, text, position),
            )
    raise _invalid_url(
        position,
        "This is no picture of the API and no export. Send the url of a file, an output or a preview, "
        "/files/{file_id}/thumbnail, or an export such as /batch/{batch_id}/export?format=zip.",
    )


def _pattern(endpoint: Endpoint) -> str:
    return _PLACEHOLDER.sub(
        lambda match: f"(?P<{match[1]}>{_PATTERNS.get(match[1], UUID_PATTERN)})", endpoint.path
    )


def _query(endpoint: Endpoint, text: str, position: int) -> list[tuple[str, str]]:
    try:
        values = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=10)
        if endpoint.query is not None:
            endpoint.query.model_validate(dict(values))
    except (ValidationError, ValueError) as error:
        raise _invalid_url(position, "The query of this URL has an unknown name or a wrong value.") from error
    names = [name for name, _ in values]
    if len(set(names)) != len(names) or (names and endpoint.query is None):
        raise _invalid_url(position, "The query of this URL has a value that does not belong there.")
    return values


def _invalid_url(position: int, message: str) -> UnprocessableError:
    return UnprocessableError(message, ("body", "urls", position))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/signed_urls",
        sign_urls,
        "Links that show pictures and exports without the key, until they expire",
        "utility",
        answer=responses.SignedUrlsAnswer,
        body=requests.SignedUrlsBody,
        refusals=(400, 408, 411, 413, 415),
        changes=False,
    ),
)
