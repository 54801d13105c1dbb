"""The endpoint that describes the fields of a generation request, for clients that build a form."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic_core import to_json

from ..forge.pictures.openpose_json import MAX_BYTES
from ..forge.spec import fields
from ..forge.spec.expressions import EXPRESSION_NAMES
from ..forge.spec.fields import RequestField
from ..forge.spec.request import REQUEST_FIELDS
from . import responses
from .context import Answer, Call, Endpoint
from .json_body import JsonBody

#: JavaScript's numbers are exact up to here; larger integers are entered as digits.
MAX_SAFE_INTEGER = 2**53


async def get_fields(call: Call) -> Answer:
    return _fields(call.services.files.max_bytes)


@cache  # the fields are constant, and so are the settings of a process
def _fields(max_bytes: int) -> JsonBody:
    form_fields = [_form_field(field) for field in REQUEST_FIELDS.values() if field.form is not None]
    limits = responses.UploadLimits(file_bytes=max_bytes, pose_json_bytes=MAX_BYTES)
    answer = responses.FormFieldsAnswer(fields=form_fields, limits=limits, expressions=list(EXPRESSION_NAMES))
    return JsonBody(to_json(answer))


def _form_field(field: RequestField) -> responses.FormField:
    control, properties = _control(field.rule)
    return responses.FormField(
        name=field.name,
        description=field.description,
        group=field.form or "advanced",
        control=control,
        required=field.required,
        default=field.default,
        applies=field.applies,
        **properties,
    )


def _control(rule: fields.Rule) -> tuple[responses.Control, dict[str, Any]]:
    match rule:
        case fields.Text():
            suggestions = list(rule.suggestions)
            return "text", {"max_length": rule.max_length, "rows": rule.rows, "suggestions": suggestions}
        case fields.Name():
            return "installed", {"source": rule.source}
        case fields.Flag():
            return "switch", {}
        case fields.Whole() if rule.maximum > MAX_SAFE_INTEGER:
            return "digits", {}
        case fields.Whole():
            return "number", {
                "minimum": rule.minimum,
                "maximum": rule.maximum,
                "step": rule.multiple_of,
            }
        case fields.Real():
            return "number", {"minimum": rule.minimum, "maximum": rule.maximum, "step": rule.step}
        case fields.Choice():
            return "choice", {"choices": [value for value in rule.values if value != rule.automatic]}
        case fields.Loras():
            return "loras", {
                "source": "loras",
                "minimum": rule.minimum,
                "maximum": rule.maximum_strength,
                "step": 0.05,
                "max_items": rule.maximum,
            }
        case fields.FileId():
            return "file", {}
        case (
            fields.Url()
            | fields.CharacterId()
            | fields.Base64Picture()
            | fields.References()
            | fields.Views()
            | fields.Conditions()
        ):
            raise TypeError(f"a form has no control for {rule}")


ENDPOINTS = (
    Endpoint(
        "GET",
        "/request_fields",
        get_fields,
        "The fields of a generation request, to build a form from",
        "generate",
        answer=responses.FormFieldsAnswer,
    ),
)
