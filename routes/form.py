"""The fields of a generation request, for pages and programs that build a form."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic_core import to_json

from ..forge.spec import fields
from ..forge.spec.fields import RequestField
from ..forge.spec.request import REQUEST_FIELDS
from . import responses
from .context import Answer, Call, Endpoint
from .json_body import JsonBody

#: JavaScript's numbers are exact up to here; larger whole numbers are entered as digits.
EXACT = 2**53


async def get_fields(_: Call) -> Answer:
    return _fields()


@cache
def _fields() -> JsonBody:
    shown = [_form_field(field) for field in REQUEST_FIELDS.values() if field.form is not None]
    return JsonBody(to_json(responses.FormFieldsAnswer(fields=shown)))


def _form_field(field: RequestField) -> responses.FormField:
    control, more = _control(field.rule)
    return responses.FormField(
        name=field.name,
        description=field.description,
        group=field.form or "advanced",
        control=control,
        required=field.name == "prompt",
        default=field.default,
        applies=field.applies,
        **more,
    )


def _control(rule: fields.Rule) -> tuple[responses.Control, dict[str, Any]]:
    match rule:
        case fields.Text():
            more = {"max_length": rule.max_length, "rows": rule.rows, "suggestions": list(rule.suggestions)}
            return "text", more
        case fields.Name():
            return "installed", {"source": rule.source}
        case fields.Flag():
            return "switch", {}
        case fields.Whole() if rule.maximum > EXACT:
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
        case fields.FileId():
            return "file", {}
        case fields.Url() | fields.Base64Picture():
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
