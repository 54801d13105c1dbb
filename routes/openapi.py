"""The OpenAPI 3.1 document, made of the same endpoints and models that serve the requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from . import schemas
from .context import PREFIX, Endpoint, JsonObject

REFUSALS = {
    400: "What was sent is not usable: the sentence says why",
    404: "Unknown id",
    409: "The state of the generation does not allow it, or the Idempotency-Key is in use",
    412: "If-Match names other bytes",
    413: "File too large",
    415: "The body is not application/json",
    416: "The range lies outside the file",
    422: "A value is missing, unknown or out of range",
    500: "A fault inside AvatarForge",
    503: "Something needed is missing: a model file, the database, the storage",
    507: "The disk is full",
}
_UPLOADS: dict[str, JsonObject] = {
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
_REFERENCE = "#/components/schemas/{model}"


def document(endpoints: Sequence[Endpoint], version: str) -> JsonObject:
    models = _models(endpoints)
    references, definitions = models_json_schema(models, ref_template=_REFERENCE)
    paths: JsonObject = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, references)
        paths.setdefault(PREFIX + endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "AvatarForge",
            "version": version,
            "description": "A character API inside ComfyUI: pictures in, words in, avatars out.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": definitions.get("$defs", {})},
    }


def _models(endpoints: Iterable[Endpoint]) -> list[Any]:
    used: set[tuple[type[BaseModel], str]] = {
        (schemas.ErrorAnswer, "serialization"),
        (schemas.InvalidAnswer, "serialization"),
    }
    for endpoint in endpoints:
        # Queries are written out as parameters, so their models stand nowhere as such.
        used |= {(endpoint.body, "validation")} if endpoint.body else set()
        used |= {(endpoint.answer, "serialization")} if endpoint.answer else set()
    return sorted(used, key=lambda pair: (pair[0].__name__, pair[1]))


def _operation(endpoint: Endpoint, references: Any) -> JsonObject:
    parameters = _path_parameters(endpoint.path)
    parameters += [
        {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in endpoint.headers.items()
    ]
    if endpoint.query:
        parameters += _query_parameters(endpoint.query)
    operation: JsonObject = {
        "operationId": re.sub(r"\W+", "_", f"{endpoint.method.lower()}{endpoint.path}").strip("_"),
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "responses": _responses(endpoint, references),
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
        content = {"application/json": {"schema": references[(endpoint.answer, "serialization")]}}
    else:
        content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in endpoint.gives}
    responses: JsonObject = {"200": {"description": "Done", "content": content}}
    if not endpoint.answer and not endpoint.stream:
        if endpoint.ranges:
            responses["206"] = {"description": "The range that was asked for", "content": content}
        responses["304"] = {"description": "The client has these bytes already"}
    statuses = {*endpoint.refusals, 500, 503, *([422] if endpoint.body or endpoint.query else [])}
    for status in sorted(statuses):
        kind = schemas.InvalidAnswer if status == 422 else schemas.ErrorAnswer
        schema = references[(kind, "serialization")]
        responses[str(status)] = {
            "description": REFUSALS[status],
            "content": {"application/json": {"schema": schema}},
        }
    return responses


def _path_parameters(path: str) -> list[JsonObject]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
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
