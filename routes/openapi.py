"""Builds the OpenAPI 3.1 document from the endpoints and models that serve the requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ..forge.access.signing import EXPIRES, SIGNATURE
from . import precheck, responses
from .access import KEY_HEADER
from .context import PREFIX, Endpoint, JsonObject

REFUSALS = {
    400: "What was sent is not usable: the sentence says why",
    401: "The key is missing or wrong",
    403: "The server's name in Host or the page that asks is not known, or a signed link is not good",
    404: "Unknown id",
    408: "The body came too slowly or not at all",
    409: "The present state does not allow it, or the Idempotency-Key is in use",
    411: "A large body must say its length",
    412: "If-Match names other bytes, or another version",
    413: "File too large",
    415: "The body has a type or a compression that is not read here",
    416: "The range lies outside the file",
    422: "A value is missing, unknown or out of range",
    429: "Too many requests, or too many wrong keys",
    500: "A fault inside AvatarForge, or another pack took the body of the request",
    503: "Something needed is missing (a model file, the database, the storage), or too much at once",
    507: "The disk or the storage quota has no room left",
}
_BYTES: JsonObject = {"type": "string", "format": "binary"}
_RESPONSES_BY_TYPE: dict[str, JsonObject] = {
    "application/json": {"type": ["object", "array"]},
    "application/schema+json": {"type": "object"},
}
_UPLOADS: dict[str, JsonObject] = {
    "application/zip": {"type": "string", "format": "binary"},
    "multipart/form-data": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
        "additionalProperties": False,
    },
    "application/json": {
        "description": "A pose in OpenPose format, or a list of frames of it.",
        "type": ["object", "array"],
        "required": ["people"],
    },
}
_COMMON_STATUSES = (401, 403, 429, 500, 503)
# Any text is accepted as an id, and an unknown id is a 404. Only an invalid hash is a 422.
_SHA256: JsonObject = {"pattern": "^[0-9A-Fa-f]{64}$"}
_PATH_PATTERNS: dict[str, JsonObject] = {"content_hash": _SHA256}
_HEADER_PATTERNS: dict[str, JsonObject] = {precheck.HEADER: _SHA256}
_REFERENCE = "#/components/schemas/{model}"
_KEYS: dict[str, JsonObject] = {
    "key": {"type": "apiKey", "in": "header", "name": KEY_HEADER, "description": "The value of API_KEY."},
    "bearer": {"type": "http", "scheme": "bearer", "description": "The same value."},
}
_NO_KEY: JsonObject = {}
_HEADERS: dict[int, JsonObject] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "Bearer"}},
    429: {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds."}},
}
_TAG: JsonObject = {
    "ETag": {
        "schema": {"type": "string"},
        "description": "Send it as If-None-Match: 304 then tells that nothing has changed.",
    }
}
_LINK: tuple[JsonObject, ...] = (
    {
        "name": EXPIRES,
        "in": "query",
        "required": False,
        "description": "Of a link of POST /signed_urls, which needs no key: seconds since 1970.",
        "schema": {"type": "integer", "minimum": 1},
    },
    {
        "name": SIGNATURE,
        "in": "query",
        "required": False,
        "description": "Of such a link: with `expires`, or not at all.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    },
)


def document(endpoints: Sequence[Endpoint], version: str, *, key_needed: bool = False) -> JsonObject:
    """The document. `key_needed`: whether this server demands the key from every caller."""
    models = _models(endpoints)
    references, definitions = models_json_schema(models, ref_template=_REFERENCE)
    paths: JsonObject = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, references, key_needed=key_needed)
        paths.setdefault(PREFIX + endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "AvatarForge",
            "version": version,
            "description": "A character API inside ComfyUI: pictures in, words in, avatars out.",
        },
        # Relative to the document's URL (OpenAPI 3.1, 4.8.5), because the paths begin with PREFIX, which may
        # follow /api and a proxy's path.
        "servers": [{"url": ".."}],
        "paths": paths,
        "components": {"schemas": definitions.get("$defs", {}), "securitySchemes": _KEYS},
    }


def _models(endpoints: Iterable[Endpoint]) -> list[Any]:
    models: set[tuple[type[BaseModel], str]] = {
        (responses.ErrorAnswer, "serialization"),
        (responses.InvalidAnswer, "serialization"),
    }
    for endpoint in endpoints:
        # Not the models of queries, because the document lists their fields as parameters.
        models |= {(endpoint.body, "validation")} if endpoint.body else set()
        models |= {
            (model, "serialization") for model in (endpoint.answer, endpoint.anonymous_answer) if model
        }
    return sorted(models, key=lambda pair: (pair[0].__name__, pair[1]))


def _operation(endpoint: Endpoint, references: Any, *, key_needed: bool) -> JsonObject:
    parameters = _path_parameters(endpoint.path)
    parameters += [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": description,
            "schema": {"type": "string", **_HEADER_PATTERNS.get(name, {})},
        }
        for name, description in endpoint.headers.items()
    ]
    if endpoint.query:
        parameters += _query_parameters(endpoint.query)
    if endpoint.signable:
        parameters += _LINK
    key_optional = endpoint.anonymous_answer is not None or not key_needed
    operation: JsonObject = {
        "operationId": re.sub(r"\W+", "_", f"{endpoint.method.lower()}{endpoint.path}").strip("_"),
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "responses": _responses(endpoint, references),
        "security": [*({name: []} for name in _KEYS), *([_NO_KEY] if key_optional else [])],
    }
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body:
        schema = references[(endpoint.body, "validation")]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    elif endpoint.upload:
        content = {kind: {"schema": _UPLOADS[kind]} for kind in endpoint.upload}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _responses(endpoint: Endpoint, references: Any) -> JsonObject:
    content: JsonObject
    if endpoint.answer:
        schema = references[(endpoint.answer, "serialization")]
        if endpoint.anonymous_answer:
            schema = {"anyOf": [schema, references[(endpoint.anonymous_answer, "serialization")]]}
        content = {"application/json": {"schema": schema}}
    else:
        content = {kind: {"schema": _RESPONSES_BY_TYPE.get(kind, _BYTES)} for kind in endpoint.media_types}
    answers: JsonObject = {"200": {"description": "Done", "content": content}}
    if endpoint.conditional:
        answers["200"]["headers"] = _TAG
        answers["304"] = {"description": "The client has this answer already", "headers": _TAG}
    elif not endpoint.answer and not endpoint.stream:
        if endpoint.ranges:
            answers["206"] = {"description": "The range that was asked for", "content": content}
        answers["304"] = {"description": "The client has these bytes already"}
    statuses = {*endpoint.refusals, *_COMMON_STATUSES, *([422] if endpoint.body or endpoint.query else [])}
    # Even a delete makes the database write.
    statuses |= {507} if endpoint.method != "GET" else set()
    for status in sorted(statuses):
        kind = responses.InvalidAnswer if status == 422 else responses.ErrorAnswer
        schema = references[(kind, "serialization")]
        answers[str(status)] = {
            "description": REFUSALS[status],
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
            "content": {"application/json": {"schema": schema}},
        }
    return answers


def _path_parameters(path: str) -> list[JsonObject]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", **_PATH_PATTERNS.get(name, {})},
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(model: type[BaseModel]) -> list[JsonObject]:
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": field.get("description", ""),
            "schema": {key: value for key, value in field.items() if key not in ("description", "title")},
        }
        for name, field in schema["properties"].items()
    ]
